import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure, messageOf } from '../systems/failure.ts';
import { pause } from '../systems/pause.ts';
import { composumPackageManager } from '../systems/package-manager/composum.ts';
import { startChild, type Child } from './child.ts';
import { buildPackage } from './content-package.ts';
import type { SlingFiles } from './setup/sling.ts';

/** A running Apache Sling CMS: a server of real packages, bundles and configurations that is not AEM. */
export interface Sling {
  readonly url: string;
  /** `admin:admin`, as Sling is shipped. */
  readonly credentials: string;
  readonly logFile: string;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  /** Starts it again with what it has on disk; returns at once. */
  start(): void;
  /** Waits until it takes packages. */
  untilReady(): Promise<void>;
  stop(): Promise<void>;
}

/** A minute on a machine that has nothing else to do. */
const READY_WITHIN_MS = 10 * 60_000;
const CREDENTIALS = 'admin:admin';
const POLL_MS = 250;

// What AEM brings and Sling does not, as far as the example site uses it: types of nodes, and a page that shows its content.
const NODE_TYPES = `<'cq'='http://www.day.com/jcr/cq/1.0'>
<'sling'='http://sling.apache.org/jcr/sling/1.0'>
<'nt'='http://www.jcp.org/jcr/nt/1.0'>
<'jcr'='http://www.jcp.org/jcr/1.0'>

[cq:Component] > sling:Folder
  - * (undefined)
  + * (nt:base) = nt:unstructured

[cq:PageContent] > nt:unstructured

[cq:Page] > nt:hierarchyNode
  orderable
  + jcr:content (nt:base) = nt:unstructured
  + * (nt:base) = nt:base version
`;
const PAGE_SCRIPT = '<sly data-sly-resource="jcr:content"></sly>';

/** Starts Sling on loopback and waits until it takes packages, which is half a minute after its first answer. */
export async function startSling(options: {
  readonly files: SlingFiles;
  readonly folder: string;
  readonly port: number;
  readonly runMode: 'author' | 'publish';
}): Promise<Sling> {
  const { files, folder, port, runMode } = options;
  const url = `http://127.0.0.1:${port}`;
  const logFile = join(folder, 'sling.log');
  const temporary = join(folder, 'tmp');
  await mkdir(temporary, { recursive: true });
  const launch = () =>
    startChild(
      'java',
      [
        ...['-Xms128m', '-Xmx384m', '-XX:+UseSerialGC', `-Djava.io.tmpdir=${temporary}`],
        ...['-cp', join(files.libraries, '*'), 'org.apache.sling.feature.launcher.impl.Main'],
        ...['-f', files.archive, '-p', join(folder, 'launcher'), '-c', join(folder, 'cache')],
        // Without this a second start fails over bundles that are there twice; the content stays.
        ...['-D', 'org.osgi.framework.storage.clean=onFirstInit'],
        ...['-D', `org.osgi.service.http.port=${port}`, '-D', 'org.apache.felix.http.host=127.0.0.1'],
        ...['-D', `sling.run.modes=${runMode}`],
      ],
      { logFile, cwd: folder },
    );
  let child: Child = launch();
  const sling: Sling = {
    url,
    credentials: CREDENTIALS,
    logFile,
    kill: async () => {
      process.kill(-child.pid, 'SIGKILL');
      await child.ended;
    },
    start: () => void (child = launch()),
    untilReady: () => untilReady(url, folder, () => child.end()),
    stop: () => child.stop(),
  };
  try {
    await sling.untilReady();
  } catch (error) {
    await sling.stop();
    throw error;
  }
  return sling;
}

/** Its first answers say nothing: it is ready when a package can be installed. */
async function untilReady(url: string, folder: string, ended: () => string | undefined): Promise<void> {
  const canary = join(folder, 'pages.zip');
  await buildPackage(canary, {
    ...{ group: 'fairway', name: 'pages', version: '1.0.0' },
    filterRoots: ['/apps/cq/Page'],
    files: { '/META-INF/vault/nodetypes.cnd': NODE_TYPES, 'apps/cq/Page/Page.html': PAGE_SCRIPT },
  });
  const manager = composumPackageManager({ url, credentials: CREDENTIALS });
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    try {
      const { path } = await manager.upload(canary);
      await manager.install(path);
      return;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (ended() !== undefined || Date.now() > deadline)
        throw new Failure('NotReady', `Sling did not start (${ended()}): ${messageOf(error)}`, {
          cause: error,
        });
    }
    await pause(POLL_MS);
  }
}
