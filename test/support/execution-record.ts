import type { ProgramInput } from '../../src/model/schema/definition.ts';
import { validProgram } from '../../src/client/catalogue.ts';
import { executionKey, recordKey, type ExecutionState } from '../../src/model/execution.ts';
import { stepsOf, type StepId } from '../../src/model/steps.ts';
import { indexKey, summaryOf } from '../../src/model/summary.ts';
import type { Storage } from '../../src/systems/storage/storage.ts';
import { definition } from './definition.ts';

/** The state of an execution that has come to a step, or to its end. */
export function executionAt(
  at: StepId | 'its end',
  changes: Partial<ExecutionState> & Pick<ExecutionState, 'executionId'>,
  program: ProgramInput = definition(),
): ExecutionState {
  const { id, name, type, pipelines } = validProgram(program);
  const pipeline = pipelines[0]!;
  const time = changes.createdAt ?? '2026-01-02T03:04:05.678Z';
  const planned = stepsOf({ flavour: type, pipeline, mode: changes.mode ?? 'NORMAL' });
  const position = at === 'its end' ? planned.length : planned.findIndex((step) => step.id === at);
  return {
    ...{ programId: id, programName: name, pipelineId: pipeline.id, pipelineName: pipeline.name },
    ...{ pipelineType: pipeline.type, type, mode: 'NORMAL', trigger: 'MANUAL', branch: 'main' },
    ...{ startedBy: { subject: 'ann', via: 'test', verified: false }, createdAt: time },
    ...{ warnings: [], decisions: [], artifacts: [], deployments: [], ignoredMessages: [] },
    ...(at === 'its end' ? { status: 'FINISHED', finishedAt: time } : { status: 'RUNNING' }),
    steps: planned.map((step, index) => {
      if (index > position) return { ...step, status: 'NOT_STARTED' };
      if (index < position) return { ...step, status: 'FINISHED', startedAt: time, finishedAt: time };
      return { ...step, status: 'RUNNING', startedAt: time };
    }),
    ...changes,
  };
}

/** The same, asking a person in its current step. */
export function waiting(state: ExecutionState): ExecutionState {
  const current = state.steps.find(({ status }) => status === 'RUNNING')!;
  const time = state.createdAt;
  return {
    ...state,
    steps: state.steps.map((step) => (step === current ? { ...step, status: 'WAITING' } : step)),
    waitingFor: { step: current.id, question: 'Well?', since: time, until: time },
  };
}

/** Leaves in storage what an execution leaves there when it ends. */
export async function keepRecord(storage: Storage, state: ExecutionState): Promise<void> {
  await storage.put(recordKey(executionKey(state)), JSON.stringify(state));
  await storage.put(indexKey(state), JSON.stringify(summaryOf(state)));
}
