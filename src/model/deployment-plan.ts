import type { AemArtifact, DispatcherArtifact } from './artifacts.ts';
import type { Dispatcher, Environment, Instance } from './schema/definition.ts';

/**
 * The order of a deployment as a value: built here by pure functions, carried out by the deployment workflow.
 * The rules are those of the section "Deployment Process" of Cloud Manager's page "Deploy your Code".
 */
export type Plan =
  | { readonly do: 'inSequence'; readonly steps: readonly Plan[] }
  | { readonly do: 'atOnce'; readonly steps: readonly Plan[] }
  | { readonly do: 'install'; readonly instance: Instance; readonly artifacts: readonly AemArtifact[] }
  | { readonly do: 'askAgent'; readonly dispatcher: Dispatcher }
  | {
      readonly do: 'backUp' | 'configure';
      readonly dispatcher: Dispatcher;
      readonly artifact: DispatcherArtifact;
    }
  | { readonly do: 'flush'; readonly dispatcher: Dispatcher }
  | {
      readonly do: 'whileDetached';
      readonly leg: Leg;
      /** What changes nothing, and is done while the dispatchers leave. */
      readonly meanwhile: readonly Plan[];
      readonly steps: readonly Plan[];
    };

/** What is out of service together: in production one publish with all dispatchers that render from it. */
export interface Leg {
  readonly name: string;
  readonly publish: readonly Instance[];
  readonly dispatchers: readonly Dispatcher[];
}

export type Topology = Pick<Environment, 'author' | 'publish' | 'dispatchers'>;

export interface Deployable {
  /** In the order that their dependencies give. */
  readonly aem: readonly AemArtifact[];
  readonly dispatcher?: DispatcherArtifact;
}

const inSequence = (...steps: Plan[]): Plan => ({ do: 'inSequence', steps });
const atOnce = (...steps: Plan[]): Plan => ({ do: 'atOnce', steps });

const install = (instances: readonly Instance[], { aem }: Deployable): Plan[] =>
  aem.length === 0 ? [] : instances.map((instance) => ({ do: 'install', instance, artifacts: aem }));

const onDispatchers = (
  what: 'backUp' | 'configure',
  dispatchers: readonly Dispatcher[],
  { dispatcher: artifact }: Deployable,
): Plan[] => (artifact ? dispatchers.map((dispatcher) => ({ do: what, dispatcher, artifact })) : []);

/** By the agents, so that nothing of a leg changes before all of them have shown that they are there. */
const prepare = ({ dispatchers }: Leg, what: Deployable): Plan[] =>
  what.dispatcher
    ? onDispatchers('backUp', dispatchers, what)
    : dispatchers.map((dispatcher) => ({ do: 'askAgent', dispatcher }));

const flush = (dispatchers: readonly Dispatcher[]): Plan =>
  atOnce(...dispatchers.map((dispatcher): Plan => ({ do: 'flush', dispatcher })));

/** The legs of a production topology, in the order of its publish instances. */
export const legsOf = ({ publish, dispatchers }: Topology): readonly Leg[] =>
  publish.map((instance) => {
    const its = dispatchers.filter((dispatcher) => dispatcher.publish === instance.id);
    return {
      name: [...its, instance].map((node) => node.id).join(' + '),
      publish: [instance],
      dispatchers: its,
    };
  });

/** The legs of a deployment: of a rolling one those of the topology, else all nodes together. */
export const legsFor = (deployment: {
  readonly order: 'allAtOnce' | 'rolling';
  readonly environment: Topology;
}): readonly Leg[] =>
  deployment.order === 'rolling' ? legsOf(deployment.environment) : [allNodes(deployment.environment)];

const allNodes = ({ publish, dispatchers }: Topology): Leg => ({ name: 'all nodes', publish, dispatchers });

/**
 * To all nodes simultaneously, for stage and dev: as quickly as possible, the whole environment out of the load
 * balancer meanwhile. With `skipDetaching` the load balancer is not touched. Caches are flushed when every package
 * is on every node.
 */
export function allAtOnce(topology: Topology, what: Deployable, options: { skipDetaching: boolean }): Plan {
  const leg = allNodes(topology);
  const meanwhile = prepare(leg, what);
  const work = [
    atOnce(
      ...install([...topology.author, ...topology.publish], what),
      ...onDispatchers('configure', topology.dispatchers, what),
    ),
    flush(topology.dispatchers),
  ];
  if (options.skipDetaching || topology.dispatchers.length === 0)
    return inSequence(atOnce(...meanwhile), ...work);
  return { do: 'whileDetached', leg, meanwhile, steps: work };
}

/**
 * One leg after the other, for production: authors first; then, leg by leg, its dispatchers leave the load balancer
 * while their configuration is backed up, packages and configuration are deployed in parallel, caches flushed, and the
 * dispatchers return. The next leg starts
 * only when they are back in service. Legs with a dispatcher in `out`, which could not be returned to service before,
 * come first: taking out another one before they serve would be an outage.
 */
export function rolling(topology: Topology, what: Deployable, out: readonly string[] = []): Plan {
  const isOut = (leg: Leg) => leg.dispatchers.some(({ id }) => out.includes(id));
  const legs = legsOf(topology);
  return inSequence(
    atOnce(...install(topology.author, what)),
    ...[...legs.filter(isOut), ...legs.filter((leg) => !isOut(leg))].map((leg): Plan => {
      const work = [
        atOnce(...install(leg.publish, what), ...onDispatchers('configure', leg.dispatchers, what)),
        flush(leg.dispatchers),
      ];
      return leg.dispatchers.length === 0
        ? inSequence(...work)
        : { do: 'whileDetached', leg, meanwhile: prepare(leg, what), steps: work };
    }),
  );
}
