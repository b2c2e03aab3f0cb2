import { Failure } from '../failure.ts';
import { pause } from '../pause.ts';
import { findServer } from './find-server.ts';
import type { LoadBalancer } from './load-balancer.ts';

/** On a busy site visitors with a cookie keep coming, and there is no quiet moment: only maintenance sends them elsewhere. */
const DRAIN_MS = 1_000;

export interface DetachOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (line: string) => void;
  /** How long requests in flight may take to be answered; as the load balancer is set up when absent. */
  readonly sessionLimitMs?: number;
}

/**
 * Takes a server out of service without a failed request: drain, which ends new visits; maintenance, which sends
 * visitors who are bound to it by a cookie elsewhere; then wait until the requests in flight are answered. Confirmed
 * before it returns. A server that is in maintenance already stays there. When the signal fires the server is left as
 * it is then: attach it.
 * @throws Failure `Missing` for an unknown server, `Unavailable`, `NotReady` when maintenance is not confirmed, `Conflict`
 *   when somebody else lets it in again meanwhile.
 */
export async function detach(
  loadBalancer: LoadBalancer,
  server: string,
  { signal, onProgress, sessionLimitMs: given }: DetachOptions = {},
): Promise<void> {
  const sessionLimitMs = given ?? (await loadBalancer.patience()).sessionsMs;
  const look = async () => {
    signal?.throwIfAborted();
    const { servers, incarnation } = await loadBalancer.look();
    return { ...findServer(loadBalancer.name, servers, server), incarnation };
  };
  const first = await look();
  let told = first.incarnation;
  const sessionsEnd = async (limitMs: number, inMaintenance: boolean) => {
    const deadline = Date.now() + limitMs;
    for (;;) {
      const { sessions, status, words, incarnation } = await look();
      const forgotten = inMaintenance && status !== 'maintenance';
      if (forgotten) {
        if (incarnation === told)
          throw new Failure(
            'Conflict',
            `${loadBalancer.name}: somebody else let visitors to ${server} while it was taken out (${words})`,
          );
        // Reloaded meanwhile, without its states, it has forgotten the command.
        told = await loadBalancer.maintain(server);
      }
      if ((sessions === 0 && !forgotten) || Date.now() >= deadline) return sessions;
      await pause(loadBalancer.pollMs, signal);
    }
  };

  // Draining a server in maintenance would let visitors with its cookie in again.
  if (first.status !== 'maintenance') {
    await loadBalancer.drain(server);
    onProgress?.(`${server} drains`);
    await sessionsEnd(DRAIN_MS, false);
    told = await loadBalancer.maintain(server);
  }
  const sessionsLeft = await sessionsEnd(sessionLimitMs, true);
  if (sessionsLeft > 0)
    onProgress?.(
      `${server} still answers ${sessionsLeft} requests after ${sessionLimitMs / 1000} s; they are not cut`,
    );

  const servers = await loadBalancer.servers();
  const { status, words } = findServer(loadBalancer.name, servers, server);
  if (status !== 'maintenance')
    throw new Failure('NotReady', `${loadBalancer.name} did not put ${server} into maintenance: ${words}`);
  const serving = servers.filter((one) => ['up', 'uncertain', 'unchecked'].includes(one.status)).length;
  onProgress?.(`${server} is in maintenance, ${serving} of ${servers.length} servers take visitors`);
}
