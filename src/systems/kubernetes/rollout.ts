import type { V1Pod } from '@kubernetes/client-node';
import { Failure, messageOf } from '../failure.ts';
import { pause } from '../pause.ts';
import { inWords, type Cluster } from './cluster.ts';
import type { Resource } from './render.ts';

export const isWorkload = ({ kind }: Resource): boolean => kind === 'StatefulSet' || kind === 'Deployment';

interface Observed {
  readonly metadata: { readonly generation?: number };
  readonly spec: {
    readonly replicas?: number;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
    readonly availableReplicas?: number;
    readonly updateRevision?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
    }[];
  };
}
const observed = (resource: Resource) => resource as unknown as Observed;

/**
 * What is missing until a workload runs as it was applied, as `kubectl rollout status` sees it; undefined when nothing.
 * @throws Failure `NotReady` when the cluster itself has given up
 */
export function missing(resource: Resource): string | undefined {
  const { metadata, spec, status = {} } = observed(resource);
  const wanted = spec.replicas ?? 1;
  const { replicas = 0, updatedReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) return 'the cluster has not seen it yet';
  const progress = status.conditions?.find(({ type }) => type === 'Progressing');
  if (progress?.reason === 'ProgressDeadlineExceeded')
    throw new Failure('NotReady', `${inWords(resource)} makes no progress: the cluster has given up`);
  if (updatedReplicas < wanted) return `${updatedReplicas} of ${wanted} replaced`;
  const good = resource.kind === 'Deployment' ? availableReplicas : readyReplicas;
  if (good < wanted) return `${good} of ${wanted} ready`;
  return replicas > wanted ? `${replicas - wanted} old ones still end` : undefined;
}

export interface Waiting {
  /** When it is given up, milliseconds since 1970. */
  readonly until: number;
  readonly signal: AbortSignal;
  /** Called when what is waited for changes. */
  readonly onWaiting: (line: string) => void;
  /** Between two looks, in milliseconds. */
  readonly everyMs: number;
}

/**
 * Waits until the workloads run as they were applied. A cluster that does not answer meanwhile is asked again.
 * @throws Failure `NotReady` at the limit, with what the pods say; `Denied`, `Missing`
 */
export async function untilRolledOut(
  cluster: Cluster,
  workloads: readonly Resource[],
  { until, signal, onWaiting, everyMs }: Waiting,
): Promise<void> {
  let reported = '';
  for (;;) {
    const trouble = (await Promise.all(workloads.map((workload) => look(cluster, workload)))).flat();
    if (trouble.length === 0) return;
    const line = trouble.join('; ');
    if (line !== reported) onWaiting(line);
    reported = line;
    if (Date.now() >= until) {
      const reasons = await Promise.all(workloads.map((one) => podTrouble(cluster, one).catch(() => [])));
      throw new Failure('NotReady', `the rollout is not complete: ${line}`, { details: reasons.flat() });
    }
    await pause(everyMs, signal);
  }
}

async function look(cluster: Cluster, workload: Resource): Promise<string[]> {
  try {
    const found = await cluster.read(workload);
    if (!found) throw new Failure('Missing', `${inWords(workload)} is gone: somebody deleted it`);
    const what = missing(found);
    return what === undefined ? [] : [`${inWords(workload)}: ${what}`];
  } catch (error) {
    if (error instanceof Failure && error.type === 'Unavailable') return [messageOf(error)];
    throw error;
  }
}

async function podTrouble(cluster: Cluster, workload: Resource): Promise<string[]> {
  const pods = await cluster.pods(observed(workload).spec.selector.matchLabels);
  return pods.flatMap((pod) =>
    (pod.status?.containerStatuses ?? []).flatMap(({ state }) => {
      const { reason, message = '' } = state?.waiting ?? state?.terminated ?? {};
      return reason ? [`pod ${pod.metadata?.name ?? ''}: ${reason} ${message}`.trim()] : [];
    }),
  );
}

/**
 * Deletes the pods of a stateful set that are of another revision than it has now and not ready. The set would wait for
 * them for ever (Kubernetes, "StatefulSets", Forced rollback).
 * @returns their names
 */
export async function freeStuckPods(cluster: Cluster, workload: Resource): Promise<readonly string[]> {
  if (workload.kind !== 'StatefulSet') return [];
  const found = await cluster.read(workload);
  const { metadata, spec, status } = observed(found ?? workload);
  if (!status || (status.observedGeneration ?? 0) < (metadata.generation ?? 0)) return [];
  const pods = await cluster.pods(spec.selector.matchLabels);
  const stuck = pods.filter(
    (pod) => !isReady(pod) && pod.metadata?.labels?.['controller-revision-hash'] !== status.updateRevision,
  );
  const names = stuck.flatMap((pod) => pod.metadata?.name ?? []);
  for (const name of names) await cluster.deletePod(name);
  return names;
}

const isReady = ({ status }: V1Pod): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
