import type { Problem } from './activities.ts';
import { withSettings } from './gates.ts';
import { nodeMetrics } from './performance.ts';
import type { Environment, QualityGates } from './schema/definition.ts';

/** Every node of an environment: all are measured while a performance test runs. */
export const nodesOf = ({ author, publish, dispatchers }: Environment) => [
  ...author,
  ...publish,
  ...dispatchers,
];

/**
 * A node that nobody measures leaves KPIs of Performance Testing unknown, and unknown fails. Where that is certain to end
 * the execution, as a critical metric does, it is told before half an hour of load, not after.
 * @param gates what the program sets instead of Cloud Manager's gates; absent when the execution has no such test
 */
export function unmeasured(environment: Environment, gates: QualityGates | undefined): Problem[] {
  if (!gates || environment.type !== 'stage') return [];
  const nodes = nodesOf(environment).filter(({ metrics }) => !metrics);
  const kpis = withSettings(nodeMetrics, gates)
    .filter(({ severity }) => severity === 'critical')
    .map(({ kpi }) => kpi);
  if (nodes.length === 0 || kpis.length === 0) return [];
  return [
    {
      thing: `environment ${environment.id} (${environment.name}) ${nodes.map(({ id }) => id).join(', ')}`,
      problem: `no metrics exporter is named: ${kpis.join(' and ')} would be unknown, which fails Performance Testing`,
      remedy: `name the node exporter of each in "metrics", or set ${kpis.map((kpi) => `qualityGates.${kpi}.severity`).join(' and ')} to informational`,
    },
  ];
}
