import type { z } from 'zod';
import type { Environment } from './environment.ts';
import type { Pipeline } from './pipeline.ts';

interface Parts {
  readonly type: 'aem_managed_services' | 'aem_cloud_service';
  readonly environments: readonly Environment[];
  readonly pipelines: readonly Pipeline[];
}
type Report = (path: (string | number)[], message: string) => void;

/** A namespace of a cluster is an environment of Cloud Service that has no hosts, and what is said of it fits. */
export function checkClusters({ type, environments, pipelines }: Parts, context: z.RefinementCtx): void {
  const problem: Report = (path, message) => context.addIssue({ code: 'custom', path, message });
  environments.forEach((environment, index) => {
    const path = ['environments', index];
    const { kubernetes } = environment;
    if (!kubernetes) return;
    if (type === 'aem_managed_services')
      problem(
        [...path, 'kubernetes'],
        'only a program of Cloud Service deploys images to a cluster: name author, publish and dispatchers instead',
      );
    for (const field of hostFieldsOf(environment))
      problem(
        [...path, field],
        `environment ${environment.id} is a namespace of a cluster, which has its own: leave out ${field}, or \`kubernetes\``,
      );
    const same = environments.slice(0, index).find((other) => samePlace(other.kubernetes, kubernetes));
    if (same)
      problem(
        [...path, 'kubernetes', 'namespace'],
        `is that of environment ${same.id} (${same.name}) as well: give each environment a namespace of its own`,
      );
  });
  pipelines.forEach((pipeline, index) => checkPipeline(pipeline, index, environments, problem));
}

const hostFieldsOf = ({ author, publish, dispatchers, loadBalancer }: Environment): readonly string[] => [
  ...Object.entries({ author, publish, dispatchers }).flatMap(([field, nodes]) =>
    nodes.length > 0 ? [field] : [],
  ),
  ...(loadBalancer ? ['loadBalancer'] : []),
];

const samePlace = (one: Environment['kubernetes'], other: NonNullable<Environment['kubernetes']>): boolean =>
  one?.server === other.server && one.namespace === other.namespace;

function checkPipeline(
  pipeline: Pipeline,
  index: number,
  environments: readonly Environment[],
  problem: Report,
): void {
  if (pipeline.type === 'codeQuality') return;
  const tested = pipeline.type === 'production' ? pipeline.stageEnvironment : undefined;
  const place = environments.findIndex(({ id }) => id === (tested ?? devOf(pipeline)));
  const kubernetes = environments[place]?.kubernetes;
  if (!kubernetes) return;
  if (pipeline.skipDetachingDispatchers)
    problem(
      ['pipelines', index, 'skipDetachingDispatchers'],
      `a cluster sends visitors to the dispatchers that are ready, and there is no load balancer to skip: leave it out`,
    );
  for (const role of ['author', 'publish'] as const)
    if (tested !== undefined && !kubernetes[role])
      problem(
        ['environments', place, 'kubernetes', role],
        `is missing: pipeline ${pipeline.id} tests this environment; say where its ${role} is reached (url, credentials)`,
      );
}

const devOf = (pipeline: Pipeline) => (pipeline.type === 'deployment' ? pipeline.devEnvironment : undefined);
