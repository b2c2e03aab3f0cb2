import { Failure } from '../failure.ts';
import type { ServerState } from './load-balancer.ts';

/**
 * The state of one server among those of the load balancer of that name.
 * @throws Failure `Missing`, naming the servers that there are.
 */
export function findServer(
  loadBalancer: string,
  servers: readonly ServerState[],
  server: string,
): ServerState {
  const state = servers.find((one) => one.name === server);
  if (state) return state;
  const known = servers.map((one) => one.name).join(', ') || 'none';
  throw new Failure(
    'Missing',
    `${loadBalancer} has no server ${server}, it has ${known}: correct "server" of the dispatcher`,
  );
}
