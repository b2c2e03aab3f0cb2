import { mkdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { Failure } from '../../systems/failure.ts';
import { startChild, type Child } from '../child.ts';
import { interfaceFor, LOOPBACK } from '../interface.ts';
import { asUser, httpdProgram, unprivilegedUser, type User } from './httpd.ts';
import { layOut } from './layout.ts';

export interface DispatcherOptions {
  /** Where the node lives; what is there from an earlier start is used again. */
  readonly folder: string;
  readonly port: number;
  /** The name by which other machines reach it, on all interfaces; on loopback alone when absent. */
  readonly host?: string;
  /** The publish instance it renders from. */
  readonly publishUrl: string;
  /** The dispatcher module, as `buildModule` gives it. */
  readonly modulePath: string;
  /** What the node calls itself, `dispatcher1`. */
  readonly nodeId: string;
  /** Folder with the four configuration folders to begin with, such as `siteConfiguration()`. */
  readonly configuration: string;
  readonly authorUrl?: string;
  /** What starts httpd, such as `ip netns exec NAME`; nothing when absent. */
  readonly launcher?: readonly string[];
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
  const program = httpdProgram();
  const user = await unprivilegedUser();
  await mkdir(folder, { recursive: true });
  const { serverRoot, docroot } = await layOut(folder, options.configuration, options.modulePath, user);
  const environment = sysconfig(options, docroot, user);
  const control = { program, args: ['-d', serverRoot, '-f', 'conf/httpd.conf'] };

  const { launcher = [] } = options;
  const [command = program, ...args] = [
    ...launcher,
    ...asUser(user),
    ...[program, '-DFOREGROUND', ...control.args],
  ];
  const logFile = join(folder, 'httpd.log');
  const pidFile = join(serverRoot, 'run', 'httpd.pid');
  for (const earlier of [logFile, pidFile]) await rm(earlier, { force: true });
  const child = startChild(command, args, { logFile, env: { PATH: process.env.PATH, ...environment } });
  const url = `http://${options.host ?? LOOPBACK}:${options.port}`;
  try {
    await answering(url, options.nodeId, child, { logFile, pidFile });
  } catch (error) {
    await child.stop();
    throw error;
  }
  return {
    url,
    serverRoot,
    docroot,
    accessLog: join(serverRoot, 'logs', 'access_log'),
    environment,
    control,
    stop: () => child.stop(),
  };
}

/** Names as Adobe Managed Services uses them, then those that only a host with several httpds needs. */
function sysconfig(
  options: DispatcherOptions,
  docroot: string,
  user: User | undefined,
): Record<string, string> {
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
    LISTEN_ADDRESS: interfaceFor(options.host),
    LISTEN_PORT: String(options.port),
    HTTPD_USER: `#${user?.uid ?? process.getuid?.() ?? 0}`,
    HTTPD_GROUP: `#${user?.gid ?? process.getgid?.() ?? 0}`,
  };
}

async function answering(
  url: string,
  nodeId: string,
  child: Child,
  { logFile, pidFile }: { logFile: string; pidFile: string },
): Promise<void> {
  for (const limit = Date.now() + READY_WITHIN_MS; Date.now() < limit;) {
    const end = child.end();
    if (end !== undefined) {
      const details = await linesOf(logFile);
      const words = details.at(-1) ?? end;
      throw new Failure('Rejected', `httpd of ${nodeId} does not start: ${words}`, { details });
    }
    // The pid shows that it is this httpd that has the port.
    const pid = await readFile(pidFile, 'utf8').catch(() => '');
    if (Number(pid) === child.pid && (await answers(url))) return;
    await Promise.race([delay(POLL_MS), child.ended]);
  }
  throw new Failure('NotReady', `httpd of ${nodeId} does not answer at ${url}`, {
    details: await linesOf(logFile),
  });
}

const linesOf = async (file: string): Promise<string[]> =>
  (await readFile(file, 'utf8')).split('\n').filter(Boolean).slice(-20);

/** The health vhost is httpd's own: the publish instance need not be there. */
const answers = (url: string): Promise<boolean> =>
  request(url, { headers: { host: 'health' }, reset: true, headersTimeout: 1_000 }).then(
    async ({ body }) => {
      await body.dump();
      return true;
    },
    () => false,
  );
