import type { Actor } from './actor.ts';
import type { ExecutionInput } from './execution.ts';
import { isRefName } from './git-names.ts';
import { isActor } from './messages.ts';
import type { Pipeline, Program } from './schema/definition.ts';
import { sourceText } from './source.ts';
import { environmentOf, findKind, stepsOf, type ExecutionMode } from './steps.ts';
import {
  MAX_VALUE,
  MAX_VARIABLES,
  uselessVariable,
  variableNameProblem,
  type PlainVariable,
  type SecretVariable,
  type Variable,
} from './variables.ts';

/** The program entity: what it keeps, and what it is told. */

export interface EmergencyActivation {
  readonly activated: boolean;
  readonly by: Actor;
  readonly at: string;
}

export interface ProgramState {
  /** Absent until something was applied. */
  readonly definition?: Program;
  /** Counts applied changes; 0 before the first. */
  readonly revision: number;
  /** Whether executions may be started in emergency mode, and who said so last. */
  readonly emergency?: EmergencyActivation;
  /** The number of the last execution id that was allotted. */
  readonly lastExecution: number;
  /** By id of the pipeline: the id of its last execution. */
  readonly latest?: Readonly<Record<string, string>>;
  /** By id of the pipeline: what was set beside its definition. */
  readonly variables?: Readonly<Record<string, readonly Variable[]>>;
}

export interface Apply {
  readonly definition: Program;
  /** The revision that the change was made from; a different one means that somebody else was faster. */
  readonly expectedRevision: number;
  readonly by: Actor;
}

export interface SetEmergency {
  readonly activated: boolean;
  readonly by: Actor;
}

export interface DeleteProgram {
  readonly by: Actor;
}

export interface ChangeVariable {
  readonly pipelineId: string;
  readonly name: string;
  /** What it becomes; absent: it is removed. */
  readonly variable?: Omit<PlainVariable, 'by' | 'at'> | Omit<SecretVariable, 'by' | 'at'>;
  readonly by: Actor;
}

export interface Start {
  readonly pipelineId: string;
  readonly mode: ExecutionMode;
  /** Builds this branch instead of what the pipeline names, or this tag; one of the two at most. */
  readonly branch?: string;
  readonly tag?: string;
  /** Id of the pipeline's last execution: its production deployment is done again, with what it built. */
  readonly reExecutes?: string;
  readonly by: Actor;
}

export interface Started {
  readonly executionId: string;
  readonly workflowId: string;
  readonly runId: string;
}

export const emptyProgram: ProgramState = { revision: 0, lastExecution: 0 };

/** Execution ids are numeric strings of ten digits. */
export const executionIdOf = (number: number): string => String(number).padStart(10, '0');

const stable = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );

/** Whether two definitions say the same, whatever the order of their fields. */
export const sameDefinition = (a: unknown, b: unknown): boolean => stable(a) === stable(b);

/**
 * Whether a value has at least the parts of a definition that workflows rely on. Clients check it against the whole
 * schema; this is for what reaches the program past them.
 */
export function isProgram(value: unknown): value is Program {
  const {
    id,
    name,
    type: flavour,
    environments,
    pipelines,
    timeouts,
    performance,
    webhooks = [],
  } = (value ?? {}) as Record<string, unknown>;
  const objects = (list: unknown, isGood: (item: Record<string, unknown>) => boolean) =>
    Array.isArray(list) && list.every((item: unknown) => isObject(item) && isGood(item));
  const texts = (...all: unknown[]) => all.every((text) => typeof text === 'string');
  return (
    texts(id, name) &&
    isObject(timeouts) &&
    Object.values(timeouts).every((days) => typeof days === 'number') &&
    isObject(performance) &&
    isObject(performance['assets']) &&
    objects(webhooks, (webhook) => texts(webhook['id']) && Array.isArray(webhook['events'])) &&
    objects(
      environments,
      (environment) =>
        [environment['author'], environment['publish'], environment['dispatchers']].every((nodes) =>
          objects(nodes, (node) => texts(node['id'], node['url'])),
        ) && isClusterOrAbsent(environment['kubernetes']),
    ) &&
    objects(pipelines, (pipeline) => {
      const { branch, tag, url } = (pipeline['repository'] ?? {}) as Record<string, unknown>;
      const type = pipeline['type'] as Pipeline['type'];
      const paths = [pipeline['dispatcherCacheFlushPaths'], pipeline['dispatcherCacheInvalidationPaths']];
      return (
        findKind({ flavour: flavour as Program['type'], type }) !== undefined &&
        texts(pipeline['id'], pipeline['name'], branch ?? tag, url) &&
        isObject(pipeline['variables']) &&
        (type === 'codeQuality' || paths.every(Array.isArray))
      );
    })
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

function isClusterOrAbsent(value: unknown): boolean {
  const { namespace, rolloutMinutes, replicas } = (value ?? {}) as Record<string, unknown>;
  return (
    value === undefined ||
    (typeof namespace === 'string' && typeof rolloutMinutes === 'number' && isObject(replicas))
  );
}

/** Why an execution may not be started so, or undefined. */
export function startRefusal(
  state: ProgramState,
  { pipelineId, mode, branch, tag, reExecutes }: Omit<Start, 'by'>,
): string | undefined {
  const { definition } = state;
  if (!definition) return 'this program has no definition yet: apply one first';
  const pipeline = definition.pipelines.find(({ id }) => id === pipelineId);
  if (!pipeline) {
    const known = definition.pipelines.map(({ id, name }) => `${id} (${name})`).join(', ') || 'none';
    return `program ${definition.id} has no pipeline ${pipelineId}; it has: ${known}`;
  }
  const choice = { flavour: definition.type, type: pipeline.type };
  const kind = findKind(choice);
  const named = `pipeline ${pipelineId} (${pipeline.name}) is ${kind?.title}`;
  if (mode === 'EMERGENCY' && !kind?.notInEmergency)
    return `emergency mode is for production pipelines of Managed Services; ${named}`;
  if (branch !== undefined && tag !== undefined) return 'name a branch or a tag, not both';
  if ([branch, tag].some((name) => name !== undefined && !isRefName(name)))
    return 'the branch or tag has no valid name';
  if (mode === 'EMERGENCY' && !state.emergency?.activated)
    return `emergency mode is not activated for program ${definition.id}: a Customer Success Engineer activates it per program`;
  if (reExecutes === undefined) return undefined;
  if (!findKind({ ...choice, reExecutes: true }))
    return `only a production deployment can be executed again; ${named}`;
  if (mode === 'EMERGENCY' || branch !== undefined || tag !== undefined)
    return 'a re-execution builds and tests nothing: it has neither emergency mode nor a branch or tag of its own';
  const last = state.latest?.[pipelineId];
  return last === reExecutes
    ? undefined
    : `only the last execution of a pipeline can be executed again: that of pipeline ${pipelineId} is ${last ?? 'none'}, not ${reExecutes}`;
}

/**
 * What an execution is started with: the pipeline and its environments as they are now, with the variables that were
 * set beside the definition, and with another branch or tag where one is named.
 */
export function snapshot(
  state: ProgramState & { readonly definition: Program },
  pipeline: Pipeline,
  { mode, branch, tag, reExecutes, by }: Start,
  executionId: string,
): ExecutionInput {
  const { id, name, type, timeouts, performance, qualityGates, codeScanner, deciders, environments } =
    state.definition;
  const webhooks = (state.definition.webhooks ?? []).map((webhook) => ({
    id: webhook.id,
    events: webhook.events,
  }));
  const set = state.variables?.[pipeline.id] ?? [];
  const plain = set.flatMap((variable) =>
    variable.type === 'string' ? [[variable.name, variable.value] as const] : [],
  );
  const secret = set.flatMap((variable) =>
    variable.type === 'secretString' ? [{ name: variable.name, version: variable.version }] : [],
  );
  const { url } = pipeline.repository;
  const other = branch !== undefined ? { url, branch } : tag !== undefined ? { url, tag } : undefined;
  const configured = sourceText(pipeline.repository);
  const steps = stepsOf({ flavour: type, pipeline, mode, reExecutes: reExecutes !== undefined });
  const used = steps.map((step) => environmentOf(step.id));
  return {
    executionId,
    program: { id, name, type },
    pipeline: {
      ...pipeline,
      repository: other ?? pipeline.repository,
      variables: { ...pipeline.variables, ...Object.fromEntries(plain) },
    },
    environments: Object.fromEntries(
      environmentIds(pipeline).flatMap((wanted) =>
        environments
          .filter((known) => known.id === wanted && used.includes(known.type))
          .map((known) => [known.type, known]),
      ),
    ),
    ...(reExecutes === undefined ? {} : { reExecutes }),
    ...(other && sourceText(other) !== configured ? { configuredBranch: configured } : {}),
    ...(secret.length > 0 ? { secretVariables: secret } : {}),
    ...(codeScanner ? { codeScanner } : {}),
    ...(webhooks.length > 0 ? { webhooks } : {}),
    ...(deciders ? { deciders } : {}),
    ...{ timeouts, performance, qualityGates, mode, startedBy: by },
  };
}

/** The environments that a pipeline names. */
export const environmentIds = (pipeline: Pipeline): readonly string[] =>
  pipeline.type === 'production'
    ? [pipeline.stageEnvironment, pipeline.productionEnvironment]
    : pipeline.type === 'deployment'
      ? [pipeline.devEnvironment]
      : [];

/** What another definition no longer has, and the pipelines whose executions would miss it. */
export function removedBy(
  before: Program | undefined,
  after: Program | undefined,
): { readonly pipelines: readonly string[]; readonly environments: readonly string[] } {
  const gone = (list: 'pipelines' | 'environments') =>
    (before?.[list] ?? []).map(({ id }) => id).filter((id) => !after?.[list].some((kept) => kept.id === id));
  const environments = gone('environments');
  const users = (before?.pipelines ?? [])
    .filter((pipeline) => environmentIds(pipeline).some((id) => environments.includes(id)))
    .map(({ id }) => id);
  return { pipelines: [...new Set([...gone('pipelines'), ...users])], environments };
}

/** The variables of pipelines after one was changed, or why it may not be. */
export function withVariable(
  state: ProgramState,
  { pipelineId, name, variable, by }: ChangeVariable,
  at: string,
): { readonly variables: NonNullable<ProgramState['variables']> } | { readonly refusal: string } {
  const { definition } = state;
  const pipeline = definition?.pipelines.find(({ id }) => id === pipelineId);
  if (!definition || !pipeline) return { refusal: `this program has no pipeline ${pipelineId}` };
  const before = state.variables?.[pipelineId] ?? [];
  const others = before.filter((known) => known.name !== name);
  if (!variable && others.length === before.length)
    return {
      refusal: Object.hasOwn(pipeline.variables, name)
        ? `variable ${name} is part of the definition of pipeline ${pipelineId}: remove it there`
        : `pipeline ${pipelineId} has no variable ${name}`,
    };
  const kind = { flavour: definition.type, type: pipeline.type };
  const useless = variable && uselessVariable(name, kind);
  if (useless !== undefined) return { refusal: `variable ${name}: ${useless}` };
  const after = variable ? [...others, { ...variable, by, at }] : others;
  const names = new Set([...Object.keys(pipeline.variables), ...after.map((known) => known.name)]);
  if (variable && names.size > MAX_VARIABLES)
    return {
      refusal: `pipeline ${pipelineId} has ${MAX_VARIABLES} variables already, the most that it may have`,
    };
  return { variables: { ...state.variables, [pipelineId]: after } };
}

/** Whether a value of unknown origin is a change of a variable. */
export function isChangeVariable(value: unknown): value is ChangeVariable {
  const { pipelineId, name, variable, by } = (value ?? {}) as Record<string, unknown>;
  if (typeof pipelineId !== 'string' || typeof name !== 'string' || !isActor(by)) return false;
  if (variableNameProblem(name) !== undefined) return false;
  if (variable === undefined) return true;
  const { name: itsName, type, value: text, version } = (variable ?? {}) as Record<string, unknown>;
  if (itsName !== name) return false;
  return type === 'string'
    ? typeof text === 'string' && text.length <= MAX_VALUE
    : type === 'secretString' && typeof version === 'string' && /^[A-Za-z0-9-]{1,60}$/.test(version);
}
