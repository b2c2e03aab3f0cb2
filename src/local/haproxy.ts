import { createHash } from 'node:crypto';
import { lstat, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Failure } from '../systems/failure.ts';
import { haproxy } from '../systems/load-balancer/haproxy.ts';
import type { LoadBalancer } from '../systems/load-balancer/load-balancer.ts';
import { pause } from '../systems/pause.ts';
import { startChild, type Child } from './child.ts';
import { interfaceFor, LOOPBACK } from './interface.ts';
import { onPath } from './setup/on-path.ts';

export interface HaproxyOptions {
  /** Configuration, log and the memory of detached servers: the same folder brings the same servers back detached. */
  readonly folder: string;
  readonly port: number;
  /** The name by which other machines reach it, on all interfaces; on loopback alone when absent. */
  readonly host?: string;
  readonly servers: readonly { readonly name: string; readonly url: string }[];
  /** What the health checks ask for; 200 is healthy. */
  readonly probe: { readonly path: string; readonly host?: string };
}

export interface LocalHaproxy {
  /** Where visitors come. */
  readonly url: string;
  readonly socket: string;
  readonly backend: string;
  /** Remembers which servers are detached, then ends HAProxy. May be called twice. */
  stop(): Promise<void>;
}

const BACKEND = 'dispatchers';
const START_LIMIT_MS = 10_000;
/** Addresses of unix sockets have at most 107 bytes, and HAProxy binds a temporary name that is longer by ten or so. */
const LONGEST_SOCKET = 80;

/**
 * Starts a HAProxy in front of HTTP servers on loopback: sticky cookie, health checks every quarter of a second, runtime API.
 * Returns when it accepts visitors and has checked every server once, whatever the result.
 * @throws Failure `Missing` or `Unavailable` with what HAProxy says when it does not start.
 */
export async function startHaproxy(options: HaproxyOptions): Promise<LocalHaproxy> {
  const { port } = options;
  const folder = resolve(options.folder);
  const program = onPath('haproxy');
  if (!program) throw new Failure('Missing', 'there is no program haproxy on the PATH: install HAProxy');
  await mkdir(folder, { recursive: true });
  const socket = await socketPath(folder);
  const memory = join(folder, 'detached.json');
  const config = join(folder, 'haproxy.cfg');
  const logFile = join(folder, 'haproxy.log');
  await writeFile(config, configuration(options, socket, await remembered(memory)));

  const child = startChild(program, ['-db', '-f', config], { logFile });
  const loadBalancer = haproxy({ socket, backend: BACKEND });
  try {
    await untilChecked(loadBalancer, child, logFile);
  } catch (error) {
    await child.stop();
    throw error;
  }

  let stopped: Promise<void> | undefined;
  const stop = async () => {
    try {
      const servers = child.end() === undefined ? await loadBalancer.servers().catch(() => []) : [];
      const detached = servers.filter(({ status }) => status === 'maintenance' || status === 'drain');
      if (servers.length > 0) await writeFile(memory, JSON.stringify(detached.map(({ name }) => name)));
    } finally {
      await child.stop();
      await rm(dirname(socket) === folder ? socket : dirname(socket), { force: true, recursive: true });
    }
  };
  return {
    url: `http://${options.host ?? LOOPBACK}:${port}`,
    socket,
    backend: BACKEND,
    stop: () => (stopped ??= stop()),
  };
}

function configuration(
  { port, host, servers, probe }: HaproxyOptions,
  socket: string,
  detached: readonly string[],
): string {
  const path = new URL(probe.path, 'http://probe').pathname.replaceAll("'", '%27');
  const { host: asked } = new URL(`http://${probe.host ?? LOOPBACK}`);
  return `global
  stats socket '${socket}' mode 600 level admin
  maxconn 2000

defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  timeout check 2s
  # A dispatcher that reloads closes idle connections: none is kept, so none is found closed.
  option http-server-close
  option forwardfor

frontend visitors
  bind ${interfaceFor(host)}:${port}
  default_backend ${BACKEND}

backend ${BACKEND}
  balance roundrobin
  cookie FAIRWAY insert indirect nocache httponly
  option redispatch 1
  # Who asks for a page of a dispatcher that dies gets it from another one; what changes something is not sent twice.
  retry-on conn-failure empty-response
  http-request disable-l7-retry unless METH_GET
  option httpchk
  http-check send meth GET uri '${path}' ver HTTP/1.1 hdr Host '${asked}' hdr User-Agent fairway-health-check
  http-check expect status 200
  default-server check inter 250 fall 2 rise 2
${servers
  .map(({ name, url }) => {
    const { host: address } = new URL(url);
    return `  server ${name} ${address} cookie ${name}${detached.includes(name) ? ' disabled' : ''}\n`;
  })
  .join('')}`;
}

/** Not HAProxy's own state file: that would bring back the ports of the servers, too, and these may be others now. */
async function remembered(memory: string): Promise<readonly string[]> {
  const text = await readFile(memory, 'utf8').catch(() => '[]');
  return JSON.parse(text) as string[];
}

/** In the folder where its path is short enough; else in a private folder that the same `folder` always leads to. */
async function socketPath(folder: string): Promise<string> {
  const inside = join(folder, 'haproxy.sock');
  if (Buffer.byteLength(inside) <= LONGEST_SOCKET) return inside;
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 12);
  const elsewhere = join(tmpdir(), `fairway-${process.getuid?.()}-${hash}`);
  await mkdir(elsewhere, { recursive: true, mode: 0o700 });
  const found = await lstat(elsewhere);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || found.mode & 0o077)
    throw new Failure('Denied', `${elsewhere} is not a folder of this user alone: remove it`);
  return join(elsewhere, 'haproxy.sock');
}

async function untilChecked(loadBalancer: LoadBalancer, child: Child, logFile: string): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    const servers = await loadBalancer.servers().catch(() => undefined);
    if (servers?.every(({ status }) => status !== 'uncertain')) return;
    const end = child.end();
    if (end !== undefined) {
      const details = (await readFile(logFile, 'utf8')).trim().split('\n').slice(-10);
      throw new Failure('Unavailable', `HAProxy did not start (${end}); its own words are in ${logFile}`, {
        details,
      });
    }
    if (Date.now() >= deadline)
      throw new Failure('Unavailable', `HAProxy did not check its servers within ${START_LIMIT_MS / 1000} s`);
    await pause(50);
  }
}
