import type { Dispatcher, LoadBalancer as Definition } from '../../model/schema/definition.ts';
import { loadBalancerOf } from './choose.ts';

/** An activity that takes a dispatcher out or in has ten minutes. */
const LONGEST_MS = 540_000;

/**
 * What would keep a load balancer from taking these dispatchers out and in again, one sentence each.
 * @throws Failure `Unavailable` when it does not answer, `Missing` for an unknown backend
 */
export async function preflight(
  definition: Definition,
  dispatchers: readonly Dispatcher[],
): Promise<string[]> {
  const loadBalancer = loadBalancerOf(definition, dispatchers);
  const { name } = loadBalancer;
  const [servers, { sessionsMs, checksMs }] = await Promise.all([
    loadBalancer.servers(),
    loadBalancer.patience(),
  ]);
  const slow = (
    [
      ['deregistration delay', sessionsMs],
      ['health checks', checksMs],
    ] as const
  ).flatMap(([what, ms]) =>
    ms <= LONGEST_MS
      ? []
      : [
          `the ${what} of ${name} may take ${ms / 1000} s: set them to less than ${LONGEST_MS / 1000} s in all`,
        ],
  );
  return [
    ...slow,
    ...dispatchers.flatMap(({ id, server }) => {
      const state = servers.find((known) => known.name === server);
      if (!state)
        return [
          `dispatcher ${id}: ${name} has no server ${server}, it has ` +
            `${servers.map((known) => known.name).join(', ') || 'none'}: correct "server" of the dispatcher`,
        ];
      return state.status === 'unchecked'
        ? [
            `dispatcher ${id}: ${name} does not check ${server} (${state.words}): configure a health check for it`,
          ]
        : [];
    }),
  ];
}
