import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineUpdate,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import { executionWorkflowId, programWorkflowId, type ExecutionInput } from '../model/execution.ts';
import { isActor } from '../model/messages.ts';
import {
  emptyProgram,
  executionIdOf,
  isProgram,
  sameDefinition,
  startRefusal,
  type Apply,
  type ProgramState,
  type SetEmergency,
  type Start,
  type Started,
} from '../model/program.ts';
import { failure } from './failures.ts';
import { always } from './scopes.ts';
import type { pipelineExecution } from './pipeline-execution.ts';

export const applyUpdate = defineUpdate<ProgramState, [Apply]>('apply');
export const setEmergencyUpdate = defineUpdate<ProgramState, [SetEmergency]>('setEmergency');
export const startUpdate = defineUpdate<Started, [Start]>('start');
export const programQuery = defineQuery<ProgramState>('program');

/**
 * A program: its definition, whether emergency mode is activated, and the one door through which executions start.
 * It lives as long as the program does.
 */
export async function program(before: ProgramState = emptyProgram): Promise<void> {
  let state = before;
  /** Running executions by pipeline, as far as this run started them: a second start need not ask the server. */
  const running = new Map<string, string>();

  setHandler(programQuery, () => state, { description: 'Definition, revision and emergency activation' });

  setHandler(
    applyUpdate,
    ({ definition }) => {
      if (!sameDefinition(definition, state.definition))
        state = { ...state, definition, revision: state.revision + 1 };
      describe(state);
      return state;
    },
    {
      description: 'Replaces the definition, if it is still the expected revision that was changed',
      validator: ({ definition, expectedRevision }: Apply) => {
        if (!isProgram(definition) || workflowInfo().workflowId !== programWorkflowId(definition.id))
          throw failure('InvalidInput', `${workflowInfo().workflowId} needs its own, complete definition`);
        if (expectedRevision !== state.revision && !sameDefinition(definition, state.definition))
          throw failure(
            'Conflict',
            `the definition has changed meanwhile: it is at revision ${state.revision}, the change was made from ` +
              `${expectedRevision}. Read it again and repeat the change`,
          );
      },
    },
  );

  setHandler(
    setEmergencyUpdate,
    ({ activated, by }) => {
      state = { ...state, emergency: { activated, by, at: new Date().toISOString() } };
      describe(state);
      return state;
    },
    {
      description: 'Activates or deactivates emergency mode for the program; by a Customer Success Engineer',
      validator: (request: SetEmergency) => {
        if (typeof request?.activated !== 'boolean' || !isActor(request.by))
          throw failure('InvalidInput', 'needs {activated: true or false, by}');
      },
    },
  );

  setHandler(
    startUpdate,
    async (request) => {
      const { executionId, input } = allot(request);
      const { pipelineId } = request;
      running.set(pipelineId, executionId);
      try {
        const workflowId = executionWorkflowId(input.program.id, pipelineId);
        const child = await startChild<typeof pipelineExecution>('pipelineExecution', {
          ...childOptions(input),
          workflowId,
          args: [input],
        });
        const ended = () => running.delete(pipelineId);
        child.result().then(ended, ended);
        return { executionId, workflowId, runId: child.firstExecutionRunId };
      } catch (error) {
        running.delete(pipelineId);
        if (error instanceof Error && error.name === 'WorkflowExecutionAlreadyStartedError')
          throw busy(pipelineId);
        throw error;
      }
    },
    {
      description: 'Starts an execution of a pipeline, in NORMAL or EMERGENCY mode',
      validator: (request: Start) => {
        if (!isActor(request?.by) || !['NORMAL', 'EMERGENCY'].includes(request.mode))
          throw failure('InvalidInput', 'needs {pipelineId, mode: NORMAL or EMERGENCY, by}');
        const refusal = startRefusal(state, request);
        if (refusal) throw failure('Refused', refusal);
        const current = running.get(request.pipelineId);
        if (current) throw busy(request.pipelineId, current);
      },
    },
  );

  function allot({ pipelineId, mode, by }: Start): { executionId: string; input: ExecutionInput } {
    const refusal = startRefusal(state, { pipelineId, mode, by });
    const pipeline = state.definition?.pipelines.find(({ id }) => id === pipelineId);
    const environment = (id?: string) => state.definition?.environments.find((known) => known.id === id);
    const stage = environment(pipeline?.stageEnvironment);
    const production = environment(pipeline?.productionEnvironment);
    if (refusal || !state.definition || !pipeline || !stage || !production)
      throw failure('Refused', refusal ?? `the environments of pipeline ${pipelineId} are not defined`);
    const { id, name, type, timeouts, performance } = state.definition;
    state = { ...state, lastExecution: state.lastExecution + 1 };
    const executionId = executionIdOf(state.lastExecution);
    return {
      executionId,
      input: {
        executionId,
        program: { id, name, type },
        pipeline,
        stage,
        production,
        timeouts,
        performance,
        mode,
        startedBy: by,
      },
    };
  }

  describe(state);
  // A program has no end: cancelling it would lose the definition and begin the execution ids anew.
  await always(() => condition(() => workflowInfo().continueAsNewSuggested));
  await always(() => condition(allHandlersFinished));
  await continueAsNew<typeof program>(state);
}

const busy = (pipelineId: string, executionId = '') =>
  failure(
    'Conflict',
    `pipeline ${pipelineId} has a running execution ${executionId}`.trimEnd() +
      ': wait for its end or cancel it',
  );

function childOptions({ executionId, program: { id, name }, pipeline, mode, startedBy }: ExecutionInput) {
  const emergency = mode === 'EMERGENCY' ? 'EMERGENCY · ' : '';
  const keyword = (key: string, value: string) => ({ key: defineSearchAttributeKey(key, 'KEYWORD'), value });
  return {
    /** The execution is no part of the catalogue: it outlives every change and every new run of this entity. */
    parentClosePolicy: ParentClosePolicy.ABANDON,
    memo: { executionId, mode, startedBy },
    staticSummary: `${emergency}${name} · ${pipeline.name} · execution ${executionId}`,
    typedSearchAttributes: [
      keyword('FairwayProgram', id),
      keyword('FairwayPipeline', pipeline.id),
      keyword('FairwayExecution', executionId),
      keyword('FairwayMode', mode),
      keyword('FairwayStatus', 'RUNNING'),
      keyword('FairwayStep', 'validate'),
      keyword('FairwayWaiting', 'nobody'),
    ],
  };
}

function describe({ definition, revision, emergency, lastExecution }: ProgramState): void {
  setCurrentDetails(
    [
      `**${definition?.name ?? 'No definition yet'}**, revision ${revision}`,
      `Emergency mode: ${emergency?.activated ? `activated by ${emergency.by.subject}` : 'not activated'}`,
      `Last execution: ${lastExecution === 0 ? 'none' : executionIdOf(lastExecution)}`,
    ].join('\n\n'),
  );
}
