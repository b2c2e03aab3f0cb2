import type { Actor } from './actor.ts';
import type { Program } from './schema/definition.ts';
import type { ExecutionMode } from './steps.ts';

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

export interface Start {
  readonly pipelineId: string;
  readonly mode: ExecutionMode;
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
  const { id, name, environments, pipelines, timeouts, performance } = (value ?? {}) as Record<
    string,
    unknown
  >;
  const objects = (list: unknown, isGood: (item: Record<string, unknown>) => boolean) =>
    Array.isArray(list) &&
    list.every(
      (item: unknown) => typeof item === 'object' && item !== null && isGood(item as Record<string, unknown>),
    );
  const texts = (...all: unknown[]) => all.every((text) => typeof text === 'string');
  return (
    texts(id, name) &&
    typeof timeouts === 'object' &&
    typeof performance === 'object' &&
    objects(environments, (environment) =>
      [environment['author'], environment['publish'], environment['dispatchers']].every((nodes) =>
        objects(nodes, (node) => texts(node['id'], node['url'])),
      ),
    ) &&
    objects(pipelines, (pipeline) => {
      const { branch, url } = (pipeline['repository'] ?? {}) as Record<string, unknown>;
      const paths = [pipeline['dispatcherCacheFlushPaths'], pipeline['dispatcherCacheInvalidationPaths']];
      return texts(pipeline['id'], pipeline['name'], branch, url) && paths.every(Array.isArray);
    })
  );
}

/** Why an execution may not be started so, or undefined. */
export function startRefusal(state: ProgramState, { pipelineId, mode }: Start): string | undefined {
  const { definition } = state;
  if (!definition) return 'this program has no definition yet: apply one first';
  const pipeline = definition.pipelines.find(({ id }) => id === pipelineId);
  if (!pipeline) {
    const known = definition.pipelines.map(({ id, name }) => `${id} (${name})`).join(', ') || 'none';
    return `program ${definition.id} has no pipeline ${pipelineId}; it has: ${known}`;
  }
  if (mode === 'EMERGENCY' && !state.emergency?.activated)
    return `emergency mode is not activated for program ${definition.id}: a Customer Success Engineer activates it per program`;
  return undefined;
}
