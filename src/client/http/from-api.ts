import type { ExecutionState, StepState } from '../../model/execution.ts';
import type { Metric } from '../../model/gates.ts';
import { isStepId, kindWith, stepOf, type ExecutionMode, type StepId } from '../../model/steps.ts';
import { summaryOf, type ExecutionSummary } from '../../model/summary.ts';

/** Executions as the API answers them, as far as they are read here. */

export interface ApiStep {
  readonly stepId: string;
  readonly phaseId: string;
  readonly status: StepState['status'];
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly branch?: string;
  readonly commitId?: string;
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
  readonly artifactsVersion?: string;
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

/**
 * What the API says of an execution. It does not say what was decided, which nodes were deployed to, and what
 * emergency mode leaves out. `metrics`: of the step that waits at a gate.
 */
export function stateFrom(
  execution: ApiExecution,
  place: Place,
  metrics: readonly Metric[] = [],
): ExecutionState {
  const { id, programId, pipelineId, status, pipelineExecutionMode: mode, user } = execution;
  const answered = stepsIn(execution).filter((step): step is ApiStep & { stepId: StepId } =>
    isStepId(step.stepId),
  );
  // The API calls all of them CI_CD.
  const kind = kindWith(answered.map(({ stepId }) => stepId));
  const steps = answered.map((step): StepState => ({
    ...stepOf(step.stepId, kind),
    status: step.status,
    startedAt: iso(step.startedAt),
    finishedAt: iso(step.finishedAt),
    details: step.details?.description,
    ...(step.status === 'WAITING' ? { metrics } : {}),
  }));
  const waits = answered.find((step) => step.status === 'WAITING');
  const build = answered.find(({ stepId }) => stepId === 'build');
  const bad = steps.find((step) => step.status === 'FAILED' || step.status === 'ERROR');
  return {
    ...{ executionId: id, programId, pipelineId, ...place, mode, status, steps },
    pipelineType: kind.type,
    type: kind.flavours[0] ?? 'aem_managed_services',
    trigger: execution.trigger,
    startedBy: { subject: user, via: 'api', verified: true },
    branch: build?.branch ?? '',
    commit: build?.commitId,
    artifactsVersion: execution.artifactsVersion,
    createdAt: iso(execution.createdAt),
    finishedAt: iso(execution.finishedAt),
    waitingFor: waits && {
      step: waits.stepId,
      question: waits.details?.description ?? '',
      since: iso(waits.startedAt) ?? '',
      until: iso(waits.details?.waitingUntil) ?? '',
    },
    failure: bad && { step: bad.id, message: bad.details ?? bad.status },
    ...{ warnings: [], decisions: [], artifacts: [], deployments: [], ignoredMessages: [] },
  };
}

export const summaryFrom = (execution: ApiExecution, place: Place): ExecutionSummary =>
  summaryOf(stateFrom(execution, place));
