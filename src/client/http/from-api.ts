import type { ExecutionState, StepState } from '../../model/execution.ts';
import { isStepId, kindWith, type ExecutionMode, type StepId } from '../../model/steps.ts';
import type { ExecutionSummary } from '../../model/summary.ts';

/** Executions as the API answers them, as far as they are read here. */

export interface ApiStep {
  readonly stepId: string;
  readonly phaseId: string;
  readonly status: StepState['status'];
  readonly startedAt?: string;
  readonly branch?: string;
  readonly details?: { readonly description?: string; readonly waitingUntil?: string };
}

export interface ApiExecution {
  readonly id: string;
  readonly programId: string;
  readonly pipelineId: string;
  readonly status: ExecutionState['status'];
  readonly pipelineExecutionMode: ExecutionMode;
  readonly trigger: ExecutionState['trigger'];
  readonly user: string;
  readonly createdAt: string;
  readonly finishedAt?: string;
  readonly _embedded?: { readonly stepStates?: readonly ApiStep[] };
}

/** What an execution belongs to. */
export interface Place {
  readonly programName: string;
  readonly pipelineName: string;
}

/** `2019-05-23T13:49:47.688+0000` in the form that everything else has. */
const iso = <T extends string | undefined>(time: T): T =>
  (time === undefined ? undefined : new Date(time.replace(/\+0000$/, 'Z')).toISOString()) as T;

export const stepsIn = ({ _embedded }: ApiExecution): readonly ApiStep[] => _embedded?.stepStates ?? [];

export function summaryFrom(execution: ApiExecution, place: Place): ExecutionSummary {
  const { id, programId, pipelineId, status, pipelineExecutionMode: mode, trigger, user } = execution;
  const steps = stepsIn(execution).filter((step): step is ApiStep & { stepId: StepId } =>
    isStepId(step.stepId),
  );
  const waits = steps.find((step) => step.status === 'WAITING');
  const bad = steps.find((step) => step.status === 'FAILED' || step.status === 'ERROR');
  return {
    ...{ executionId: id, programId, pipelineId, ...place, mode, status, trigger },
    // The API calls all of them CI_CD.
    pipelineType: kindWith(steps.map(({ stepId }) => stepId)).type,
    startedBy: { subject: user, via: 'api', verified: true },
    branch: steps.find(({ stepId }) => stepId === 'build')?.branch ?? '',
    createdAt: iso(execution.createdAt),
    finishedAt: iso(execution.finishedAt),
    failure: bad && { step: bad.stepId, message: bad.details?.description ?? bad.status },
    step: steps.findLast(({ startedAt }) => startedAt !== undefined)?.stepId,
    waitingFor: waits && { step: waits.stepId, until: iso(waits.details?.waitingUntil) ?? '' },
  };
}
