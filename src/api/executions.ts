import type { ExecutionState, StepState } from '../model/execution.ts';
import { gateSteps } from '../model/messages.ts';
import { phaseOf } from '../model/steps.ts';
import type { ExecutionSummary } from '../model/summary.ts';
import { links, paths, timestamp } from './hal.ts';

/** Executions and their steps in Cloud Manager's form. */

type Identified = Pick<ExecutionSummary, 'programId' | 'pipelineId' | 'executionId'>;

/** What is known without asking the execution itself. */
export function executionOutline(
  execution: Identified &
    Pick<ExecutionSummary, 'mode' | 'status' | 'startedBy' | 'createdAt' | 'finishedAt'> &
    Partial<Pick<ExecutionState, 'trigger'>>,
) {
  const { programId, pipelineId, executionId, mode, status, startedBy, createdAt, finishedAt } = execution;
  const { trigger = 'MANUAL' } = execution;
  return {
    ...{ id: executionId, programId, pipelineId, status, trigger, user: startedBy.subject },
    ...{ pipelineExecutionMode: mode, pipelineType: 'CI_CD' },
    ...{ createdAt: timestamp(createdAt), finishedAt: timestamp(finishedAt) },
    _links: links(paths.execution(programId, pipelineId, executionId), {
      program: paths.program(programId),
      pipeline: paths.pipeline(programId, pipelineId),
    }),
  };
}

export const executionOf = (state: ExecutionState) => ({
  ...executionOutline(state),
  artifactsVersion: state.artifactsVersion,
  updatedAt: timestamp(lastChange(state)),
  _embedded: { stepStates: stepsIn(state).map((step) => stepStateOf(state, step)) },
});

/**
 * Steps that this execution has. What emergency mode leaves out is left out here too: clients take the first step that
 * is not finished for the current one.
 */
export const stepsIn = ({ steps }: ExecutionState): readonly StepState[] =>
  steps.filter(({ notRun }) => notRun === undefined);

export const isOpen = ({ status }: Pick<ExecutionState, 'status'>): boolean =>
  status === 'RUNNING' || status === 'CANCELLING';

/** Whether this is what the execution does or waits for now. */
export const isCurrent = (state: ExecutionState, { status }: StepState): boolean =>
  isOpen(state) && (status === 'RUNNING' || status === 'WAITING');

const isGate = ({ id }: StepState) => gateSteps.some((gate) => gate === id);

export function stepStateOf(state: ExecutionState, step: StepState) {
  const { programId, pipelineId, executionId } = state;
  const phaseId = phaseOf(step);
  const execution = paths.execution(programId, pipelineId, executionId);
  const self = paths.step(execution, phaseId, step.id);
  const waits = isCurrent(state, step) && state.waitingFor?.step === step.id;
  // Until its instant a date may be moved.
  const mayMove = isCurrent(state, step) && step.id === 'schedule';
  const began = step.startedAt !== undefined;
  const builds = step.phase === 'BUILD';
  return {
    ...{ id: `${executionId}-${step.id}`, stepId: step.id, phaseId, executionId, pipelineId, programId },
    ...{ action: step.action, status: step.status, environmentType: step.environmentType },
    ...(builds ? { branch: state.branch, commitId: state.commit } : {}),
    ...{ startedAt: timestamp(step.startedAt), finishedAt: timestamp(step.finishedAt) },
    updatedAt: timestamp(step.finishedAt ?? step.startedAt ?? state.createdAt),
    ...(step.details
      ? {
          details: {
            description: step.details,
            waitingUntil: waits ? timestamp(state.waitingFor?.until) : undefined,
          },
        }
      : {}),
    _links: links(self, {
      execution,
      pipeline: paths.pipeline(programId, pipelineId),
      program: paths.program(programId),
      'pipeline/logs': began && `${self}/logs`,
      'pipeline/metrics': began && isGate(step) && `${self}/metrics`,
      'pipeline/advance': (waits || mayMove) && `${self}/advance`,
      'pipeline/reExecute':
        began &&
        step.id === 'prodDeploy' &&
        !isOpen(state) &&
        `${paths.pipeline(programId, pipelineId)}/execution?stepId=${executionId}-${step.id}`,
      'pipeline/cancel': isCurrent(state, step) && state.status === 'RUNNING' && `${self}/cancel`,
    }),
  };
}

export const metricsOf = ({ id, metrics = [] }: StepState) => ({
  metrics: metrics.map((metric, index) => ({ id: `${id}-${index + 1}`, ...metric })),
});

const lastChange = ({ steps, createdAt, finishedAt }: ExecutionState): string =>
  [createdAt, finishedAt, ...steps.flatMap((step) => [step.startedAt, step.finishedAt])]
    .filter((time) => time !== undefined)
    .sort()
    .at(-1) ?? createdAt;
