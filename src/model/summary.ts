import type { ExecutionState, ExecutionStatus } from './execution.ts';
import { kinds, stepTitle, type ExecutionMode, type Kind, type StepId } from './steps.ts';

/** What a list of executions shows of one of them. */
export interface ExecutionSummary extends Pick<
  ExecutionState,
  | 'executionId'
  | 'programId'
  | 'programName'
  | 'pipelineId'
  | 'pipelineName'
  | 'pipelineType'
  | 'trigger'
  | 'mode'
  | 'status'
  | 'branch'
  | 'startedBy'
  | 'createdAt'
  | 'finishedAt'
  | 'failure'
> {
  /** The current step; of a closed execution the last one that began. */
  readonly step?: StepId;
  /** The step that waits for a person, and until when. */
  readonly waitingFor?: { readonly step: StepId; readonly until: string };
}

export function summaryOf(state: ExecutionState): ExecutionSummary {
  const { executionId, programId, programName, pipelineId, pipelineName, pipelineType, trigger } = state;
  const { mode, status, branch, startedBy, createdAt, finishedAt, waitingFor, failure } = state;
  return {
    ...{ executionId, programId, programName, pipelineId, pipelineName, pipelineType, trigger },
    ...{ mode, status, branch, startedBy, createdAt, finishedAt, failure },
    step: state.steps.findLast(({ startedAt }) => startedAt !== undefined)?.id,
    waitingFor: waitingFor && { step: waitingFor.step, until: waitingFor.until },
  };
}

/** What the step is called that an execution is at. */
export function currentStepTitle({
  pipelineType,
  trigger,
  step,
  waitingFor,
}: Pick<ExecutionSummary, 'pipelineType' | 'trigger' | 'step' | 'waitingFor'>): string | undefined {
  const again = trigger === 'RE_EXECUTE';
  const kind = (kinds as readonly Kind[]).find(
    ({ type, reExecutes = false }) => type === pipelineType && reExecutes === again,
  );
  return stepTitle(waitingFor?.step ?? step, kind);
}

/** What a closed execution can be chosen by without reading its record. */
export interface IndexEntry {
  readonly programId: string;
  readonly createdAt: string;
  readonly executionId: string;
  readonly pipelineId: string;
  readonly mode: ExecutionMode;
  readonly status: ExecutionStatus;
}

/**
 * Storage prefix of the index of a program's closed executions: one small file each, an `ExecutionSummary`, in a folder
 * for each month.
 */
export const indexPrefix = (programId: string): string => `${programId}/executions/`;

/** The folder of that index for what was started at this time: `2026-11`. */
export const indexMonth = (createdAt: string): string => createdAt.slice(0, 7);

/**
 * The key of an execution in that index. Keys sort by time, and say all that lists are filtered by, so that a page
 * reads no more months than it reaches into and no more files than it shows.
 */
export const indexKey = ({
  programId,
  createdAt,
  executionId,
  pipelineId,
  mode,
  status,
}: IndexEntry): string =>
  `${indexPrefix(programId)}${indexMonth(createdAt)}/${[createdAt.replaceAll(/[-:.]/g, ''), executionId, pipelineId, mode, status].join('-')}.json`;

const KEY =
  /^(\d+)\/executions\/\d{4}-\d\d\/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-(\d+)-(\d+)-(NORMAL|EMERGENCY)-([A-Z]+)\.json$/;

/** What a key of the index says; undefined for a key of another kind. */
export function indexEntry(key: string): IndexEntry | undefined {
  const [, programId, year, month, day, hour, minute, second, ms, executionId, pipelineId, mode, status] =
    KEY.exec(key) ?? [];
  if (programId === undefined) return undefined;
  return {
    programId,
    createdAt: `${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`,
    executionId: executionId ?? '',
    pipelineId: pipelineId ?? '',
    mode: mode as ExecutionMode,
    status: status as ExecutionStatus,
  };
}
