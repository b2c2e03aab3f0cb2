import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Client } from '@temporalio/client';
import { nodeQueue, type NodeRef } from '../model/activities.ts';
import { Failure } from '../systems/failure.ts';
import { pause } from '../systems/pause.ts';
import { pollers, TaskQueueType, type Poller } from '../systems/temporal/pollers.ts';

/** A worker asks again within a minute: whoever was silent for longer has gone. */
const GONE_AFTER_SECONDS = 90;
const LOOK_AGAIN_MS = 2_000;
/** Addresses of unix sockets have at most 107 bytes, on some systems fewer. */
const LONGEST_SOCKET = 100;

const label = ({ programId, environmentId, nodeId }: NodeRef) =>
  `${nodeId} of environment ${environmentId}, program ${programId}`;

/**
 * Takes a node for this process alone: of two agents on one state folder each would see the other's work as that of a
 * dead one and undo it. Held by an open socket, so that it is free the moment its holder is gone, however it went.
 * @returns what lets go of it
 * @throws Failure `Conflict` when another process has it
 */
export async function claimNode(node: NodeRef, stateFolder: string): Promise<() => Promise<void>> {
  await mkdir(stateFolder, { recursive: true });
  const path = socketOf(stateFolder);
  const server = createServer((visitor) => visitor.end(String(process.pid)));
  const listening = () =>
    new Promise<boolean>((done, fail) => {
      const taken = (error: NodeJS.ErrnoException) =>
        error.code === 'EADDRINUSE' ? done(false) : fail(error);
      server.once('error', taken).listen(path, () => {
        server.off('error', taken);
        done(true);
      });
    });
  if (!(await listening())) {
    const holder = await whoHas(path);
    if (holder === undefined) await rm(path, { force: true });
    if (holder !== undefined || !(await listening()))
      throw new Failure(
        'Conflict',
        `another agent of ${label(node)} runs on this host${holder ? `, process ${holder}` : ''}: ` +
          'stop one of the two, or give each its own node',
      );
  }
  server.unref();
  return () => new Promise((done) => server.close(() => done()));
}

function socketOf(stateFolder: string): string {
  const inside = join(resolve(stateFolder), 'agent.sock');
  if (Buffer.byteLength(inside) <= LONGEST_SOCKET) return inside;
  const hash = createHash('sha256').update(inside).digest('hex').slice(0, 12);
  return join(tmpdir(), `fairway-agent-${hash}.sock`);
}

/** The process that answers there; undefined when the socket is what a dead one left. */
const whoHas = (path: string): Promise<string | undefined> =>
  new Promise((done) => {
    let said = '';
    connect(path)
      .setEncoding('utf8')
      .on('data', (text: string) => (said += text))
      .on('end', () => done(said))
      .on('error', () => done(undefined));
  });

/**
 * An agent on another host that serves the same node would take every second task and change the wrong httpd.
 * @throws Failure `Conflict` naming that host
 */
export async function refuseSecondAgent(client: Client, node: NodeRef): Promise<void> {
  const other = await otherAgent(client, node);
  if (other) throw conflict(node, other);
}

/**
 * Two agents that start at the same moment on different hosts do not see each other before they ask for tasks: so they
 * look again and again after it, until one that is seen would have been refused. Of two the one whose host comes
 * first in the alphabet stays.
 * @param tell told who it is that must go, while this one stays
 * @throws Failure `Conflict` naming the other host when it is this one that must go
 */
export async function watchForSecondAgent(
  client: Client,
  nodes: readonly NodeRef[],
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const told = new Set<NodeRef>();
  const end = Date.now() + GONE_AFTER_SECONDS * 1000;
  while (Date.now() < end && !signal.aborted) {
    for (const node of nodes) {
      // Without an answer nobody gets tasks either.
      const other = await otherAgent(client, node).catch(() => undefined);
      if (other && other.host < hostname()) throw conflict(node, other);
      if (!other || told.has(node)) continue;
      told.add(node);
      tell(
        `another agent of ${label(node)} was started at the same moment on host ${other.host}: it is to end`,
      );
    }
    await pause(LOOK_AGAIN_MS, signal).catch(() => undefined);
  }
}

async function otherAgent(client: Client, node: NodeRef): Promise<Poller | undefined> {
  const found = await pollers(client, nodeQueue(node), TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY);
  return found.find(({ host, secondsAgo }) => host !== hostname() && secondsAgo < GONE_AFTER_SECONDS);
}

const conflict = (node: NodeRef, { host, secondsAgo }: Poller) =>
  new Failure(
    'Conflict',
    `another agent of ${label(node)} runs on host ${host}; it asked for tasks ${Math.round(secondsAgo)} s ago: ` +
      `stop it, or give each its own node (when it has just gone, ${GONE_AFTER_SECONDS} s later this one may start)`,
  );
