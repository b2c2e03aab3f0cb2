import { spawn, type ChildProcess } from 'node:child_process';
import { access, mkdir } from 'node:fs/promises';
import { get } from 'node:http';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Failure } from '../../systems/failure.ts';
import { killGroup, run } from '../../systems/process.ts';
import { layOut } from './layout.ts';

export interface DispatcherOptions {
  /** Where the node lives; what is there from an earlier start is used again. */
  readonly folder: string;
  /** Port on loopback. */
  readonly port: number;
  /** The publish instance it renders from. */
  readonly publishUrl: string;
  /** The dispatcher module, as `buildModule` gives it. */
  readonly modulePath: string;
  /** What the node calls itself, `dispatcher1`. */
  readonly nodeId: string;
  /** Folder with the four configuration folders to begin with, such as `siteConfiguration()`. */
  readonly configuration: string;
  readonly authorUrl?: string;
}

export interface LocalDispatcher {
  readonly url: string;
  readonly serverRoot: string;
  /** The cache. */
  readonly docroot: string;
  readonly accessLog: string;
  /** What `/etc/sysconfig/httpd` holds on a dispatcher host: every httpd command for this node needs it. */
  readonly environment: Readonly<Record<string, string>>;
  /** How to talk to this httpd: add `-t`, or `-k graceful`. */
  readonly control: { readonly program: string; readonly args: readonly string[] };
  /** Ends httpd; waits until it has gone. May be called again. */
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 10_000;
const POLL_MS = 20;
/** Requests being answered get this long, then httpd ends them itself; whatever is left after the second limit is killed. */
const GRACEFUL_MS = 3_000;
const TERMINATE_MS = 3_000;

/** The dispatcher configuration of the example site. */
export const siteConfiguration = (): string =>
  fileURLToPath(new URL('../../../examples/site/dispatcher/src', import.meta.url));

/**
 * Starts one Apache httpd as a dispatcher host has it, in the foreground, and waits until it answers. It ends with
 * this process, however that ends (on Linux). As root, httpd runs as an unprivileged user.
 * @throws Failure `Missing` without Apache, `Rejected` with httpd's own words when it does not start.
 */
export async function startDispatcher(options: DispatcherOptions): Promise<LocalDispatcher> {
  const folder = resolve(options.folder);
  const program = await httpd();
  const user = await unprivilegedUser();
  await mkdir(folder, { recursive: true });
  const { serverRoot, docroot } = await layOut(folder, options.configuration, options.modulePath, user);
  const environment = sysconfig(options, docroot, user);
  const control = { program, args: ['-d', serverRoot, '-f', 'conf/httpd.conf'] };

  const [command = program, ...args] = [
    ...(await wrapper(user)),
    program,
    '-DFOREGROUND',
    ...control.args,
  ];
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true, // an interrupt typed at the terminal is not for httpd: `stop` ends it
  });
  const ended = endOf(child);
  const url = `http://127.0.0.1:${options.port}`;
  try {
    await answering(url, options.nodeId, ended);
  } catch (error) {
    await stop(child, ended);
    throw error;
  }
  return {
    url,
    serverRoot,
    docroot,
    accessLog: join(serverRoot, 'logs', 'access_log'),
    environment,
    control,
    stop: () => stop(child, ended),
  };
}

interface User {
  readonly uid: number;
  readonly gid: number;
}

/** Names as Adobe Managed Services uses them, then those that only a host with several httpds needs. */
function sysconfig(options: DispatcherOptions, docroot: string, user: User | undefined): Record<string, string> {
  const publish = new URL(options.publishUrl);
  const author = new URL(options.authorUrl ?? options.publishUrl);
  const portOf = (url: URL) => url.port || '80';
  return {
    DISP_ID: options.nodeId,
    PUBLISH_IP: publish.hostname,
    PUBLISH_PORT: portOf(publish),
    PUBLISH_DOCROOT: docroot,
    PUBLISH_DEFAULT_HOSTNAME: 'publish.local',
    AUTHOR_IP: author.hostname,
    AUTHOR_PORT: portOf(author),
    AUTHOR_DOCROOT: docroot,
    AUTHOR_DEFAULT_HOSTNAME: 'author.local',
    LIVECYCLE_IP: '127.0.0.1',
    LIVECYCLE_PORT: '8080',
    LIVECYCLE_DOCROOT: docroot,
    LIVECYCLE_DEFAULT_HOSTNAME: 'livecycle.local',
    CRX_FILTER: 'deny',
    LISTEN_ADDRESS: '127.0.0.1',
    LISTEN_PORT: String(options.port),
    HTTPD_USER: `#${user?.uid ?? process.getuid?.() ?? 0}`,
    HTTPD_GROUP: `#${user?.gid ?? process.getgid?.() ?? 0}`,
  };
}

async function httpd(): Promise<string> {
  const folders = ['/usr/sbin', ...(process.env.PATH ?? '').split(delimiter)].filter(Boolean);
  for (const folder of folders)
    for (const name of ['apache2', 'httpd']) {
      const path = join(folder, name);
      if (await executable(path)) return path;
    }
  throw new Failure('Missing', 'Apache httpd is not installed (Debian: apt-get install apache2)');
}

const executable = (path: string): Promise<boolean> =>
  access(path, 1).then(
    () => true,
    () => false,
  );

/** Whom httpd runs as when we are root: it refuses to serve as root. */
async function unprivilegedUser(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['www-data', 'apache', 'nobody']) {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    if (uid.code === 0 && gid.code === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  }
  throw new Failure('Missing', 'there is no user www-data, apache or nobody that httpd could run as');
}

/**
 * On Linux httpd gets SIGTERM when this process dies. As root, all of httpd runs as the other user, with the right to
 * pass through folders that are closed to it: the node's folder may lie in root's home or in a private temporary one.
 */
async function wrapper(user: User | undefined): Promise<string[]> {
  if (process.platform !== 'linux' || (await run('sh', ['-c', 'command -v setpriv'])).code !== 0) return [];
  if (!user) return ['setpriv', '--pdeathsig', 'TERM'];
  return [
    'setpriv',
    ...['--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups'],
    ...['--inh-caps', '-all,+dac_override', '--ambient-caps', '-all,+dac_override'],
    ...['--pdeathsig', 'TERM'],
  ];
}

interface End {
  done: boolean;
  /** What httpd wrote to standard error. */
  words: string;
  readonly promise: Promise<void>;
}

function endOf(child: ChildProcess): End {
  const promise = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  const end: End = { done: false, words: '', promise };
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (end.words = (end.words + text).slice(-10_000)));
  void promise.then(() => (end.done = true));
  return end;
}

async function answering(url: string, nodeId: string, ended: End): Promise<void> {
  for (const limit = Date.now() + READY_WITHIN_MS; Date.now() < limit; ) {
    if (ended.done) {
      const details = ended.words.split('\n').filter(Boolean);
      throw new Failure('Rejected', `httpd of ${nodeId} does not start: ${details.at(-1) ?? 'no message'}`, {
        details,
      });
    }
    if (await answers(url)) return;
    await Promise.race([delay(POLL_MS), ended.promise]);
  }
  throw new Failure('NotReady', `httpd of ${nodeId} does not answer at ${url}`, {
    details: ended.words.split('\n').filter(Boolean),
  });
}

const answers = (url: string): Promise<boolean> =>
  new Promise((resolve) => {
    get(url, { agent: false, headers: { host: 'health' }, timeout: 1_000 }, (response) => {
      response.resume();
      resolve(true);
    })
      .on('timeout', function () {
        this.destroy();
      })
      .on('error', () => resolve(false));
  });

async function stop(child: ChildProcess, ended: End): Promise<void> {
  const within = async (ms: number) => {
    await Promise.race([ended.promise, delay(ms, undefined, { ref: false })]);
    return ended.done;
  };
  if (ended.done) return;
  child.kill('SIGWINCH');
  if (await within(GRACEFUL_MS)) return;
  child.kill('SIGTERM');
  if (await within(TERMINATE_MS)) return;
  killGroup(child.pid, 'SIGKILL');
  await ended.promise;
}
