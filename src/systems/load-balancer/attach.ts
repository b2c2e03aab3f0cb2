import { Failure } from '../failure.ts';
import { pause } from '../pause.ts';
import { findServer } from './find-server.ts';
import type { LoadBalancer } from './load-balancer.ts';

export interface AttachOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (line: string) => void;
  /** How long the load balancer's own health checks may take to be good; as it is set up when absent. */
  readonly limitMs?: number;
}

/**
 * Puts a server back into service and waits until the load balancer's own checks, made after this call, say without
 * reservation that it is up: that the command was accepted means nothing. At the limit, or when the signal fires, the
 * server stays enabled: the load balancer gives it visitors once its checks are good.
 * @returns when visitors could come at the earliest.
 * @throws Failure `Missing` for an unknown server, `Unavailable`, `NotReady` with the load balancer's words, `Conflict`
 *   when somebody else takes it out meanwhile: it stays out.
 */
export async function attach(
  loadBalancer: LoadBalancer,
  server: string,
  { signal, onProgress, limitMs: given }: AttachOptions = {},
): Promise<Date> {
  signal?.throwIfAborted();
  const limitMs = given ?? (await loadBalancer.patience()).checksMs;
  const at = new Date();
  let told = await loadBalancer.ready(server);
  onProgress?.(`${server} is enabled`);

  const deadline = Date.now() + limitMs;
  for (;;) {
    const { servers, incarnation } = await loadBalancer.look();
    const { status, words } = findServer(loadBalancer.name, servers, server);
    if (status === 'up') {
      onProgress?.(`${server} is up: ${words}`);
      return at;
    }
    if (status === 'maintenance' || status === 'drain') {
      if (incarnation === told)
        throw new Failure(
          'Conflict',
          `${loadBalancer.name}: somebody else took ${server} out while its health checks were waited for (${words}); ` +
            'it is left as it is',
        );
      // Reloaded meanwhile, with the states it had before, it has forgotten the command.
      told = await loadBalancer.ready(server);
    }
    if (status === 'unchecked')
      throw new Failure(
        'NotReady',
        `${loadBalancer.name} does not check ${server}, so nothing tells whether it is up: configure a health check for it`,
      );
    if (Date.now() >= deadline)
      throw new Failure(
        'NotReady',
        `${loadBalancer.name} does not find ${server} up within ${limitMs / 1000} s: ${words}. ` +
          'It is left enabled, and takes visitors once its health check is good',
      );
    await pause(loadBalancer.pollMs, signal);
  }
}
