import type { LoadBalancer as Definition } from '../../model/schema/definition.ts';
import { elbv2 } from './elbv2.ts';
import { haproxy } from './haproxy.ts';
import type { LoadBalancer } from './load-balancer.ts';

/** The load balancer that a definition names, with the servers of these dispatchers. */
export const loadBalancerOf = (
  definition: Definition,
  dispatchers: readonly { readonly server: string }[],
): LoadBalancer =>
  definition.type === 'haproxy'
    ? haproxy(definition)
    : elbv2(
        definition,
        dispatchers.map(({ server }) => server),
      );
