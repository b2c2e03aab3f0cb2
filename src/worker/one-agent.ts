import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Client } from '@temporalio/client';
import { nodeQueue, type NodeRef } from '../model/activities.ts';
import { Failure } from '../systems/failure.ts';
import { pollers, TaskQueueType } from '../systems/temporal/pollers.ts';

/** A worker asks again within a minute: whoever was silent for longer has gone. */
const GONE_AFTER_SECONDS = 90;
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
  const queue = nodeQueue(node);
  const found = await pollers(client, queue, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY);
  const other = found.find(({ host, secondsAgo }) => host !== hostname() && secondsAgo < GONE_AFTER_SECONDS);
  if (other)
    throw new Failure(
      'Conflict',
      `another agent of ${label(node)} runs on host ${other.host}; it asked for tasks ${Math.round(other.secondsAgo)} s ago: ` +
        `stop it, or give each its own node (when it has just gone, ${GONE_AFTER_SECONDS} s later this one may start)`,
    );
}
