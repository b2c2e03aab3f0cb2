import type { Actor } from './actor.ts';
import type { ConfigurationState, PathFlushed } from './activities.ts';
import type { Artifact } from './artifacts.ts';
import type { BuildImagesOutput, ImageRole } from './images.ts';
import type { Dispatcher, Environment, Instance } from './schema/definition.ts';

/** What a deployment to one environment is told, and what it says of itself. */

export interface DeploymentInput {
  readonly programId: string;
  readonly executionId: string;
  readonly environment: Environment;
  readonly artifacts: readonly Artifact[];
  /** What Build Images made of them, where there is such a step: an environment on a cluster gets these. */
  readonly images?: BuildImagesOutput;
  readonly order: 'allAtOnce' | 'rolling';
  readonly skipDetachingDispatchers: boolean;
  readonly flush: readonly string[];
  readonly invalidate: readonly string[];
  /** Storage key of the step's log. */
  readonly log: string;
}

/** A package on an instance: `new` this deployment's version, `old` what was there, `unknown` when it can't be told. */
export type PackageState = 'old' | 'installing' | 'new' | 'rejected' | 'unknown';

export interface InstanceProgress {
  readonly id: string;
  readonly role: 'author' | 'publish';
  packages: { readonly label: string; state: PackageState; seconds?: number }[];
}

export interface DispatcherProgress {
  readonly id: string;
  configuration: ConfigurationState | 'changing' | 'unchanged';
  service: 'in service' | 'leaving' | 'out' | 'returning';
  detachedAt?: string;
  attachedAt?: string;
  flushed: readonly PathFlushed[];
}

/**
 * NEW: fully deployed. OLD: as before. MIXED: each node consistent, but not all of the same deployment.
 * OUT: kept from the visitors, because a node of it is not consistent.
 */
export type LegState = 'OLD' | 'IN PROGRESS' | 'NEW' | 'MIXED' | 'OUT';

export interface LegProgress {
  readonly name: string;
  state: LegState;
  /** Why it is MIXED or OUT. */
  reason?: string;
}

/** An image as a cluster finds it, `<name>@<digest>`. */
export interface DeployedImage {
  readonly role: ImageRole;
  readonly name: string;
  /** `sha256:<hex>` */
  readonly digest: string;
}

/** Node by node, leg by leg; the workflow's state, its query and what it reports to the execution. */
export interface DeploymentProgress {
  readonly environmentId: string;
  readonly environmentName: string;
  instances: InstanceProgress[];
  dispatchers: DispatcherProgress[];
  /** Of an environment on a cluster one leg, its namespace. */
  legs: LegProgress[];
  /** What a cluster was given to run; absent of hosts. */
  images?: readonly DeployedImage[];
  /** What an earlier deployment had left behind and this one made good. */
  reconciled: string[];
  /** What could not be made good, and why; absent or empty when nothing is left. */
  remaining?: string[];
  /** What happens now, for people. */
  now: string;
}

/** What the repair of an environment is told. */
export interface RepairInput {
  readonly programId: string;
  readonly environment: Environment;
  readonly by: Actor;
}

const instanceProgress =
  (role: InstanceProgress['role'], labels: readonly string[]) =>
  ({ id }: Instance): InstanceProgress => ({
    id,
    role,
    packages: labels.map((label) => ({ label, state: 'old' })),
  });

const dispatcherProgress =
  (configuration: 'old' | 'unchanged') =>
  ({ id }: Dispatcher): DispatcherProgress => ({ id, configuration, service: 'in service', flushed: [] });

/** Whether a value of unknown origin has the form of a progress. */
export function isProgress(value: unknown): value is DeploymentProgress {
  if (typeof value !== 'object' || value === null) return false;
  const progress = value as Record<keyof DeploymentProgress, unknown>;
  const lists = [progress.instances, progress.dispatchers, progress.legs, progress.reconciled];
  const texts = [progress.environmentId, progress.environmentName, progress.now];
  const images: unknown = progress.images ?? [];
  const packages = (Array.isArray(progress.instances) ? progress.instances : []) as { packages?: unknown }[];
  return (
    lists.every(Array.isArray) &&
    texts.every((text) => typeof text === 'string') &&
    packages.every((instance) => Array.isArray(instance?.packages)) &&
    Array.isArray(images) &&
    images.every(({ role, name, digest }: Record<string, unknown>) =>
      [role, name, digest].every((text) => typeof text === 'string'),
    )
  );
}

/** The progress of a deployment that has not begun. The configuration of dispatchers that are to get none stays `unchanged`. */
export const initialProgress = (
  { id, name, author, publish, dispatchers }: Environment,
  packageLabels: readonly string[],
  legs: readonly string[],
  configuration: 'old' | 'unchanged' = 'unchanged',
): DeploymentProgress => ({
  environmentId: id,
  environmentName: name,
  instances: [
    ...author.map(instanceProgress('author', packageLabels)),
    ...publish.map(instanceProgress('publish', packageLabels)),
  ],
  dispatchers: dispatchers.map(dispatcherProgress(configuration)),
  legs: legs.map((leg) => ({ name: leg, state: 'OLD' })),
  reconciled: [],
  now: 'waiting to begin',
});

/** What a publish instance as a whole holds: of several packages that were refused or not begun, the old ones. */
export function instanceState({ packages }: InstanceProgress): 'old' | 'new' | 'mixed' | 'unknown' {
  const states = new Set(packages.map(({ state }) => state));
  if (states.has('unknown') || states.has('installing')) return 'unknown';
  if (states.size <= 1) return states.has('new') ? 'new' : 'old';
  return states.has('new') ? 'mixed' : 'old';
}

export interface LegVerdict {
  readonly state: Exclude<LegState, 'IN PROGRESS'>;
  readonly reason?: string;
}

/**
 * What has become of a leg, from its nodes: one that is neither wholly old nor wholly new makes it OUT; all of one kind make it NEW or
 * OLD; otherwise it is MIXED.
 */
export function legVerdict(
  instances: readonly InstanceProgress[],
  dispatchers: readonly DispatcherProgress[],
): LegVerdict {
  const nodes = [
    // An instance that gets no package is unchanged, like a dispatcher that gets no configuration.
    ...instances
      .filter(({ packages }) => packages.length > 0)
      .map((instance) => ({ id: instance.id, state: instanceState(instance) })),
    ...dispatchers.map(({ id, configuration }) => ({ id, state: configuration })),
  ];
  const broken = nodes.filter(
    ({ state }) =>
      state === 'unknown' || state === 'mixed' || state === 'inconsistent' || state === 'changing',
  );
  if (broken.length > 0)
    return { state: 'OUT', reason: `not consistent: ${broken.map(({ id }) => id).join(', ')}` };
  const said = nodes.filter(({ state }) => state !== 'unchanged');
  if (said.every(({ state }) => state === 'old')) return { state: 'OLD' };
  if (said.every(({ state }) => state === 'new')) return { state: 'NEW' };
  return { state: 'MIXED', reason: said.map(({ id, state }) => `${id} ${state}`).join(', ') };
}
