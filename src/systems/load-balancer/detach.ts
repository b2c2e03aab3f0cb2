import { Failure } from '../failure.ts';
import { pause } from '../pause.ts';
import { findServer } from './find-server.ts';
import type { LoadBalancer } from './load-balancer.ts';

const POLL_MS = 100;
/** On a busy site visitors with a cookie keep coming, and there is no quiet moment: only maintenance sends them elsewhere. */
const DRAIN_MS = 1_000;

export interface Detached {
  /** Requests that were still being answered when the wait for them ended. They are not cut. */
  readonly sessionsLeft: number;
  /** Servers that take visitors now. With none, visitors see an outage. */
  readonly servingAfter: number;
}

export interface DetachOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (line: string) => void;
  /** How long requests in flight may take to be answered. */
  readonly sessionLimitMs?: number;
}

/**
 * Takes a server out of service without a failed request: drain, which ends new visits; maintenance, which sends
 * visitors who are bound to it by a cookie elsewhere; then wait until the requests in flight are answered. Confirmed
 * before it returns. A server that is in maintenance already stays there. When the signal fires the server is left as
 * it is then: attach it.
 * @throws Failure `Missing` for an unknown server, `Unavailable`, `NotReady` when maintenance is not confirmed.
 */
export async function detach(
  loadBalancer: LoadBalancer,
  server: string,
  { signal, onProgress, sessionLimitMs = 60_000 }: DetachOptions = {},
): Promise<Detached> {
  const look = async () => {
    signal?.throwIfAborted();
    return findServer(loadBalancer.name, await loadBalancer.servers(), server);
  };
  const sessionsEnd = async (limitMs: number) => {
    const deadline = Date.now() + limitMs;
    for (;;) {
      const { sessions } = await look();
      if (sessions === 0 || Date.now() >= deadline) return sessions;
      await pause(POLL_MS, signal);
    }
  };

  // Draining a server in maintenance would let visitors with its cookie in again.
  if ((await look()).status !== 'maintenance') {
    await loadBalancer.drain(server);
    onProgress?.(`${server} drains`);
    await sessionsEnd(DRAIN_MS);
    await loadBalancer.maintain(server);
  }
  const sessionsLeft = await sessionsEnd(sessionLimitMs);
  if (sessionsLeft > 0)
    onProgress?.(
      `${server} still answers ${sessionsLeft} requests after ${sessionLimitMs / 1000} s; they are not cut`,
    );

  const servers = await loadBalancer.servers();
  const { status, words } = findServer(loadBalancer.name, servers, server);
  if (status !== 'maintenance')
    throw new Failure('NotReady', `${loadBalancer.name} did not put ${server} into maintenance: ${words}`);
  const servingAfter = servers.filter((one) => ['up', 'uncertain', 'unchecked'].includes(one.status)).length;
  onProgress?.(`${server} is in maintenance, ${servingAfter} of ${servers.length} servers take visitors`);
  return { sessionsLeft, servingAfter };
}
