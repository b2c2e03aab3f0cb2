import type { Dispatcher, LoadBalancer } from '../../model/schema/definition.ts';
import { haproxy } from './haproxy.ts';

/**
 * What would keep a load balancer from taking these dispatchers out and in again, one sentence each.
 * @throws Failure `Unavailable` when it does not answer, `Missing` for an unknown backend
 */
export async function preflight(
  loadBalancer: LoadBalancer,
  dispatchers: readonly Dispatcher[],
): Promise<string[]> {
  const servers = await haproxy(loadBalancer).servers();
  const backend = `backend ${loadBalancer.backend}`;
  return dispatchers.flatMap(({ id, server }) => {
    const state = servers.find(({ name }) => name === server);
    if (!state)
      return [
        `dispatcher ${id}: ${backend} has no server ${server}, it has ` +
          `${servers.map(({ name }) => name).join(', ') || 'none'}: correct "server" of the dispatcher`,
      ];
    return state.status === 'unchecked'
      ? [`dispatcher ${id}: ${backend} does not check ${server}: configure a health check for it`]
      : [];
  });
}
