import {
  allHandlersFinished,
  condition,
  continueAsNew,
  currentUpdateInfo,
  defineQuery,
  defineUpdate,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import {
  deploymentWorkflowId,
  executionWorkflowId,
  programWorkflowId,
  triggerOf,
  type ExecutionInput,
} from '../model/execution.ts';
import { isActor } from '../model/messages.ts';
import { unknownActor } from '../model/actor.ts';
import { unverifiedRefusal } from '../model/deciders.ts';
import {
  emptyProgram,
  executionIdOf,
  isChangeVariable,
  isProgram,
  removedBy,
  sameDefinition,
  snapshot,
  startRefusal,
  withVariable,
  type Apply,
  type ChangeVariable,
  type DeleteProgram,
  type ProgramState,
  type SetEmergency,
  type Start,
  type Started,
} from '../model/program.ts';
import type { Program } from '../model/schema/definition.ts';
import { sourceText } from '../model/source.ts';
import { asking, waiting } from './activities.ts';
import { failure, understood } from './failures.ts';
import { always } from './scopes.ts';
import type { pipelineExecution } from './pipeline-execution.ts';

export const applyUpdate = defineUpdate<ProgramState, [Apply]>('apply');
export const setEmergencyUpdate = defineUpdate<ProgramState, [SetEmergency]>('setEmergency');
export const startUpdate = defineUpdate<Started, [Start]>('start');
export const deleteProgramUpdate = defineUpdate<ProgramState, [DeleteProgram]>('deleteProgram');
export const changeVariableUpdate = defineUpdate<ProgramState, [ChangeVariable]>('changeVariable');
export const programQuery = defineQuery<ProgramState>('program');

/**
 * A program: its definition, whether emergency mode is activated, and the one door through which executions start.
 * It lives as long as the program does.
 */
export async function program(
  before: ProgramState = emptyProgram,
  startedBefore: readonly AnsweredStart[] = [],
): Promise<void> {
  let state = before;
  /** By the id of the update: one that is sent again after this run is known to the server no longer. */
  const answered = new Map(startedBefore);
  /** Executions by pipeline that this run started and that it has not heard the end of: for a refusal, to name the one. */
  const running = new Map<string, string>();
  /** Pipelines that are being removed: none of them is started. */
  const leaving = new Set<string>();

  setHandler(programQuery, () => state, { description: 'Definition, revision and emergency activation' });

  setHandler(
    applyUpdate,
    async ({ definition, expectedRevision }) => {
      await refuseWhileInUse(removedBy(state.definition, definition));
      refuseStale({ definition, expectedRevision }); // somebody may have been faster meanwhile
      define(definition);
      describe(state);
      return state;
    },
    {
      description: 'Replaces the definition, if it is still the expected revision that was changed',
      validator: (request: Apply) => {
        if (
          !isProgram(request?.definition) ||
          workflowInfo().workflowId !== programWorkflowId(request.definition.id)
        )
          throw failure('InvalidInput', `${workflowInfo().workflowId} needs its own, complete definition`);
        refuseUnverified(request.by);
        refuseStale(request);
      },
    },
  );

  setHandler(
    deleteProgramUpdate,
    async () => {
      await refuseWhileInUse(removedBy(state.definition, undefined));
      define(undefined);
      describe(state);
      return state;
    },
    {
      description: 'Removes the definition; execution ids are never used again',
      validator: (request: DeleteProgram) => {
        if (!isActor(request?.by)) throw failure('InvalidInput', 'needs {by}');
        refuseUnverified(request.by);
        if (!state.definition) throw failure('Refused', 'this program has no definition');
      },
    },
  );

  setHandler(
    changeVariableUpdate,
    (request) => {
      const changed = withVariable(state, request, new Date().toISOString());
      if ('refusal' in changed) throw failure('Refused', changed.refusal);
      state = { ...state, variables: changed.variables };
      return state;
    },
    {
      description: 'Sets or removes a variable of a pipeline; of a secret one only the name and the version',
      validator: (request: ChangeVariable) => {
        if (!isChangeVariable(request))
          throw failure('InvalidInput', 'needs {pipelineId, name, variable?, by}');
        refuseUnverified(request.by);
        const changed = withVariable(state, request, '');
        if ('refusal' in changed) throw failure('Refused', changed.refusal);
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
        refuseUnverified(request.by);
      },
    },
  );

  setHandler(
    startUpdate,
    async (request) => {
      const { id: updateId = '' } = currentUpdateInfo() ?? {};
      const earlier = answered.get(updateId);
      if (earlier) return earlier;
      const started =
        (await begin(request)) ?? ((await letsGo(request.pipelineId)) && (await begin(request)));
      if (!started) throw busy(request.pipelineId, running.get(request.pipelineId));
      answered.set(updateId, started);
      return started;
    },
    {
      description: 'Starts an execution of a pipeline, in NORMAL or EMERGENCY mode',
      validator: (request: Start) => {
        if (!isActor(request?.by) || !['NORMAL', 'EMERGENCY'].includes(request.mode))
          throw failure('InvalidInput', 'needs {pipelineId, mode: NORMAL or EMERGENCY, by}');
        refuseUnverified(request.by);
        const refusal = startRefusal(state, request);
        if (refusal) throw failure('Refused', refusal);
        refuseLeaving(request.pipelineId);
      },
    },
  );

  /** Starts an execution; undefined when one is running. Whether one is, only the server knows: the program hears of its end later. */
  async function begin(request: Start): Promise<Started | undefined> {
    const { pipelineId } = request;
    const { executionId, input } = allot(request);
    try {
      const workflowId = executionWorkflowId(input.program.id, pipelineId);
      const child = await always(() =>
        startChild<typeof pipelineExecution>('pipelineExecution', {
          ...childOptions(input),
          workflowId,
          args: [input],
        }),
      );
      state = { ...state, latest: { ...state.latest, [pipelineId]: executionId } };
      running.set(pipelineId, executionId);
      const ended = () => void (running.get(pipelineId) === executionId && running.delete(pipelineId));
      child.result().then(ended, ended);
      return { executionId, workflowId, runId: child.firstExecutionRunId };
    } catch (error) {
      takeBack(executionId);
      if (error instanceof Error && error.name === 'WorkflowExecutionAlreadyStartedError') return undefined;
      throw error;
    }
  }

  /** Whether the execution of a pipeline has ended and, its record kept, makes room for the next one. */
  async function letsGo(pipelineId: string): Promise<boolean> {
    const summary = `Whether the execution of pipeline ${pipelineId} has ended`;
    const workflowId = executionWorkflowId(state.definition?.id ?? '', pipelineId);
    try {
      return await always(() => asking.letsGo.executeWithOptions({ summary }, [workflowId]));
    } catch (error) {
      understood(error); // where that cannot be found out, the refusal is what is known
      return false;
    }
  }

  function refuseLeaving(pipelineId: string): void {
    if (leaving.has(pipelineId)) throw failure('Conflict', `pipeline ${pipelineId} is just being removed`);
  }

  /** As the definition says now: it takes somebody verified to let others in. */
  function refuseUnverified(by: unknown): void {
    const actor = isActor(by) ? by : unknownActor('temporal');
    const refusal = unverifiedRefusal(state.definition?.deciders, actor);
    if (refusal) throw failure('Refused', refusal);
  }

  function allot(request: Start): { executionId: string; input: ExecutionInput } {
    const { definition } = state;
    const refusal = startRefusal(state, request);
    const pipeline = definition?.pipelines.find(({ id }) => id === request.pipelineId);
    if (refusal || !definition || !pipeline)
      throw failure('Refused', refusal ?? `pipeline ${request.pipelineId} is not defined`);
    refuseLeaving(pipeline.id);
    const lastExecution = state.lastExecution + 1;
    const executionId = executionIdOf(lastExecution);
    state = { ...state, lastExecution };
    return { executionId, input: snapshot({ ...state, definition }, pipeline, request, executionId) };
  }

  /** An id that nothing has, and nobody knows, goes to the next execution, unless that has one already. */
  function takeBack(executionId: string): void {
    const { lastExecution } = state;
    if (executionIdOf(lastExecution) === executionId) state = { ...state, lastExecution: lastExecution - 1 };
  }

  /** What is in use stays: an execution keeps its snapshot, but a person would look in vain for what it belongs to. */
  async function refuseWhileInUse(removed: ReturnType<typeof removedBy>): Promise<void> {
    const { programId = '' } = PROGRAM_ID.exec(workflowInfo().workflowId)?.groups ?? {};
    const uses = [
      ...removed.pipelines.map((id) => [`pipeline ${id}`, executionWorkflowId(programId, id)] as const),
      ...removed.environments.map(
        (id) => [`environment ${id}`, deploymentWorkflowId(programId, id)] as const,
      ),
    ];
    if (uses.length === 0) return;
    removed.pipelines.forEach((id) => leaving.add(id));
    try {
      const found = await Promise.all(
        uses.map(async ([what, workflowId]) => {
          const summary = `Whether ${what} is in use`;
          const user = await always(() =>
            waiting.describeRunning.executeWithOptions({ summary }, [workflowId]),
          );
          return user === undefined ? [] : [`${what} is in use by ${user}`];
        }),
      );
      if (found.flat().length > 0)
        throw failure('Conflict', `${found.flat().join('; ')}: wait for its end or cancel it`);
    } finally {
      removed.pipelines.forEach((id) => leaving.delete(id));
    }
  }

  function refuseStale({
    definition,
    expectedRevision,
  }: Pick<Apply, 'definition' | 'expectedRevision'>): void {
    const isFirst = !state.definition && expectedRevision === 0;
    if (isFirst || expectedRevision === state.revision || sameDefinition(definition, state.definition))
      return;
    throw failure(
      'Conflict',
      `the definition has changed meanwhile: it is at revision ${state.revision}, the change was made from ` +
        `${expectedRevision}. Read it again and repeat the change`,
    );
  }

  function define(definition: Program | undefined): void {
    if (sameDefinition(definition, state.definition)) return;
    const variables = Object.entries(state.variables ?? {}).filter(([id]) =>
      definition?.pipelines.some((pipeline) => pipeline.id === id),
    );
    state = { ...state, definition, revision: state.revision + 1, variables: Object.fromEntries(variables) };
  }

  describe(state);
  // A program has no end: cancelling it would lose the definition and begin the execution ids anew. Nor does that reach what
  // it does for whoever asks: without "always" all of it would fail from then on, and its executions be cancelled as well.
  await always(() => condition(() => workflowInfo().continueAsNewSuggested));
  await always(() => condition(allHandlersFinished));
  await continueAsNew<typeof program>(state, [...answered].slice(-ANSWERS_KEPT));
}

type AnsweredStart = readonly [updateId: string, started: Started];
const ANSWERS_KEPT = 50;

const PROGRAM_ID = /^program-(?<programId>.+)$/;

const busy = (pipelineId: string, executionId = '') =>
  failure(
    'Conflict',
    `pipeline ${pipelineId} has a running execution ${executionId}`.trimEnd() +
      ': wait for its end or cancel it',
  );

function childOptions({
  executionId,
  program: { id, name },
  pipeline,
  mode,
  startedBy,
  reExecutes,
}: ExecutionInput) {
  const emergency = mode === 'EMERGENCY' ? 'EMERGENCY · ' : '';
  const again = reExecutes === undefined ? '' : ` · re-execution of ${reExecutes}`;
  const keyword = (key: string, value: string) => ({ key: defineSearchAttributeKey(key, 'KEYWORD'), value });
  return {
    /** The execution is no part of the catalogue: it outlives every change and every new run of this entity. */
    parentClosePolicy: ParentClosePolicy.ABANDON,
    memo: {
      ...{ executionId, mode, startedBy },
      programName: name,
      pipelineName: pipeline.name,
      pipelineType: pipeline.type,
      trigger: triggerOf(reExecutes),
      branch: sourceText(pipeline.repository),
    },
    staticSummary: `${emergency}${name} · ${pipeline.name} · execution ${executionId}${again}`,
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
