import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { request } from 'undici';
import { ZipFile } from 'yazl';
import { freePorts } from '../../../src/local/ports.ts';
import type { DispatcherArtifact } from '../../../src/model/artifacts.ts';
import {
  defaultImmutable,
  defaultMandatory,
  type HttpdSettings,
  type Log,
} from '../../../src/systems/httpd/settings.ts';
import { fileStorage } from '../../../src/systems/storage/file-storage.ts';
import type { Storage } from '../../../src/systems/storage/storage.ts';
import { until } from '../../support/until.ts';

/** Content by path; a value that begins with `-> ` is a link. */
export type Files = Record<string, string>;

/** A full set of AMS shape, for Debian's httpd. `version` is what the header X-Configuration says. */
export const fileSet = (version: string): Files => ({
  'conf/httpd.conf': '# the host has its own\n',
  'conf/magic': '# none\n',
  'conf.modules.d/00-base.conf':
    ['authz_core', 'dir', 'mime', 'alias'].map(loadModule).join('') + 'TypesConfig /etc/mime.types\n',
  'conf.modules.d/00-mpm.conf': loadModule('mpm_event'),
  'conf.modules.d/00-proxy.conf': '# none\n',
  'conf.modules.d/02-dispatcher.conf': loadModule('headers'),
  'conf.d/dispatcher_vhost.conf': 'Include conf.d/enabled_vhosts/*.vhost\n',
  'conf.d/logformat.conf': 'LogFormat "%h %s" brief\n',
  'conf.d/security.conf': 'ServerTokens Prod\n',
  'conf.d/available_vhosts/site.vhost': `Header always set X-Configuration ${version}\n`,
  'conf.d/enabled_vhosts/site.vhost': '-> ../available_vhosts/site.vhost',
  'conf.dispatcher.d/dispatcher.any': '/farms { $include "enabled_farms/*_farm.any" }\n',
  'conf.dispatcher.d/available_farms/site_farm.any': `# ${version}\n`,
  'conf.dispatcher.d/enabled_farms/site_farm.any': '-> ../available_farms/site_farm.any',
});

const loadModule = (name: string): string => `LoadModule ${name}_module modules/mod_${name}.so\n`;

export interface TestHost {
  readonly settings: HttpdSettings;
  readonly storage: Storage;
  readonly url: string;
  readonly lines: string[];
  readonly log: Log;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Which configuration httpd serves. */
  served(): Promise<string>;
  live(path: string): Promise<string>;
  store(files: Files, path?: string): Promise<DispatcherArtifact>;
}

/** A server root in `folder` with version `old` and an httpd that is not started yet. */
export async function testHost(folder: string): Promise<TestHost> {
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const serverRoot = join(folder, 'httpd');
  await chmod(folder, 0o755); // httpd's workers run as another user
  await writeFiles(serverRoot, {
    ...fileSet('old'),
    'conf/httpd.conf': [
      `ServerRoot "${serverRoot}"`,
      `Listen 127.0.0.1:${port}`,
      'ServerName localhost',
      'DefaultRuntimeDir run',
      'PidFile run/httpd.pid',
      'Mutex posixsem',
      'StartServers 1',
      'ErrorLog logs/error_log',
      `DocumentRoot "${serverRoot}/htdocs"`,
      'Include conf.modules.d/*.conf',
      'User www-data',
      'Group www-data',
      `IncludeOptional ${serverRoot}/conf.d/*.conf`,
      '',
    ].join('\n'),
    'conf.d/orphan.conf': '# in no package\n',
    'conf.d/orphans/deep/orphan.conf': '# in no package\n',
    'htdocs/index.html': 'well\n',
    'logs/kept': '',
    'run/kept': '',
    modules: '-> /usr/lib/apache2/modules',
  });
  const storage = fileStorage(join(folder, 'storage'));
  const settings: HttpdSettings = {
    serverRoot,
    stateFolder: join(folder, 'state'),
    configTest: { program: 'apache2', args: ['-t', '-d', '{root}', '-f', 'conf/httpd.conf'] },
    graceful: { program: 'apache2', args: ['-k', 'graceful', '-d', '{root}', '-f', 'conf/httpd.conf'] },
    environment: {},
    immutable: defaultImmutable,
    mandatory: defaultMandatory,
    baseline: { url, path: '/' },
    flush: { url, host: 'flush' },
  };
  const lines: string[] = [];
  let httpd: ChildProcess | undefined;
  return {
    settings,
    storage,
    url,
    lines,
    log: async (line) => {
      lines.push(line);
    },
    start: async () => {
      httpd = spawn('apache2', ['-DFOREGROUND', '-d', serverRoot, '-f', 'conf/httpd.conf'], {
        stdio: 'ignore',
      });
      await until('httpd answers', async () => {
        const answer = await request(url).catch(() => undefined);
        return answer?.statusCode === 200;
      });
    },
    stop: async () => {
      if (!httpd || httpd.exitCode !== null || httpd.signalCode !== null) return;
      httpd.kill('SIGTERM');
      await once(httpd, 'exit');
    },
    served: async () => {
      const { headers, body } = await request(url, { reset: true });
      await body.dump();
      return String(headers['x-configuration']);
    },
    live: (path) => readFile(join(serverRoot, path), 'utf8'),
    store: async (files, path = 'dispatcher/target/site.dispatcher-1.0.0.zip') => {
      const zip = join(folder, 'package.zip');
      await writeZip(zip, files);
      const file = await storage.put(`1/2/3/${path}`, await readFile(zip));
      return { kind: 'dispatcher', path, file };
    },
  };
}

export async function writeFiles(root: string, files: Files): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    if (content.startsWith('-> ')) await symlink(content.slice(3), join(root, path));
    else await writeFile(join(root, path), content);
  }
}

async function writeZip(path: string, files: Files): Promise<void> {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(files))
    if (content.startsWith('-> ')) zip.addBuffer(Buffer.from(content.slice(3)), name, { mode: 0o120777 });
    else zip.addBuffer(Buffer.from(content), name, { mode: 0o100644 });
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(path));
}
