import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  defineQuery,
  ParentClosePolicy,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { TestInput } from '../model/activities.ts';
import { unknownActor } from '../model/actor.ts';
import {
  deploymentWorkflowId,
  programWorkflowId,
  type ExecutionInput,
  type ExecutionState,
  type StepState,
} from '../model/execution.ts';
import { imagesInWords } from '../model/images.ts';
import { performanceVariables } from '../model/performance-variables.ts';
import { initialProgress, isProgress, type DeploymentProgress } from '../model/deployment.ts';
import type { Environment } from '../model/schema/definition.ts';
import { sourceInWords } from '../model/source.ts';
import { environmentOf, isTested, type StepId } from '../model/steps.ts';
import { building, quickly, reading, recording, scanning, testing, waiting } from './activities.ts';
import { agentProblems } from './agents.ts';
import { codeScannerProblems } from './code-scanner.ts';
import { PROGRESS } from './deployment-report.ts';
import { environmentDeployment } from './environment-deployment.ts';
import { holding, startWhenFree } from './environment-lease.ts';
import { failure, statusOf, understood } from './failures.ts';
import { functionalTest, productTest, uiTest } from './functional-tests.ts';
import { gate } from './gate.ts';
import { buildImages, registryProblems } from './images.ts';
import { decoded, rawSignal } from './inbox.ts';
import { performanceReport, performanceTest } from './performance-tests.ts';
import { approval, cseSupport, receiveMessages, scheduledTime } from './questions.ts';
import { reExecutedKey, takeArtifacts } from './re-execution.ts';
import { now, Run } from './run.ts';
import { always } from './scopes.ts';

export const executionQuery = defineQuery<ExecutionState>('execution');

/**
 * One execution of a pipeline: the stages and steps of its kind, in their order.
 * Only the program entity starts one, since only it checks emergency activation and allots the id.
 */
export async function pipelineExecution(input: ExecutionInput): Promise<ExecutionState> {
  if (!input?.program || workflowInfo().parent?.workflowId !== programWorkflowId(input.program.id))
    throw failure('Refused', 'an execution is started by the update "start" of its program, not by itself');

  const run = new Run(input, workflowInfo().startTime);
  setHandler(executionQuery, () => run.state, { description: 'The whole state of this execution' });
  void run.keepVisible();
  setHandler(rawSignal(PROGRESS), (raw) => keepReported(run, decoded(raw)), {
    description: 'Sent by a deployment of this execution that does not complete',
  });

  void run.announcements.keepHandingOver((problem) => {
    run.state.warnings = [...run.state.warnings, problem];
  });
  run.announcements.put('executionStarted', run.state);
  const scope = new CancellationScope();
  receiveMessages(run, () => scope.cancel());
  scope.cancelRequested.catch(() => {
    if (run.state.status !== 'RUNNING') return;
    run.state.status = 'CANCELLING';
    run.show();
  });
  try {
    await scope.run(async () => {
      await allSteps(run);
    });
    run.state.status = 'FINISHED';
  } catch (error) {
    run.state.status = run.isCancelled(error) ? 'CANCELLED' : statusOf(understood(error).type);
    if (run.state.status === 'CANCELLED' && !run.cancelledBy)
      run.note('execution', unknownActor('temporal'), 'cancelled');
  }
  run.state.finishedAt = now();
  run.show();
  run.announcements.put('executionEnded', run.state);
  await always(() => record(run));
  await run.announcements.allHandedOver();
  return close(run);
}

/** An execution that cannot be recorded has still ended as it has. */
async function record(run: Run): Promise<void> {
  const options = { summary: 'Keep the record of this execution' };
  const record = { executionKey: run.key, state: run.state };
  const thoroughly = () => recording.recordExecution.executeWithOptions(options, [record]);
  try {
    await (hasJustLetGo(run)
      ? thoroughly()
      : quickly.recordExecution.executeWithOptions(options, [record]).catch(thoroughly));
  } catch (error) {
    run.state.warnings = [
      ...run.state.warnings,
      `there is no record in storage: ${understood(error).message}`,
    ];
  }
}

/** One that fails while it holds an environment lets go of it and may not end before the server has told it so. */
function hasJustLetGo({ state }: Run): boolean {
  const last = state.steps.findLast(({ startedAt }) => startedAt !== undefined);
  const environment = last && environmentOf(last.id);
  return state.status !== 'FINISHED' && environment !== undefined && isTested(environment);
}

/** What each step does. Which steps there are, and in which order, says the table of the kinds of pipelines. */
const works: Readonly<Record<StepId, (run: Run, step: StepState, log: string) => Promise<void>>> = {
  validate: (run, _, log) => validation(run, log),
  build: (run, step, log) => {
    const earlier = reExecutedKey(run);
    return earlier === undefined
      ? build(run, log, (details) => (step.details = details))
      : takeArtifacts(run, step, earlier, log);
  },
  codeQuality: async (run, step, log) => gate(run, 'codeQuality', step, await scan(run, log)),
  buildImage: (run, step, log) => buildImages(run, step, log),
  devDeploy: (run, step, log) => deployTo(run, 'dev', 'allAtOnce', step, log),
  stageDeploy: (run, step, log) => deployTo(run, 'stage', 'allAtOnce', step, log),
  securityTest: async (run, step, log) => gate(run, 'securityTest', step, await securityTest(run, log)),
  loadTest: (run, step, log) => performanceTest(run, 'loadTest', step, testInput(run, log)),
  assetsTest: async (run, step, log) => {
    if (run.input.performance.assets.uploadsPerMinute === 0) step.details = 'this program uploads no assets';
    else await performanceTest(run, 'assetsTest', step, testInput(run, log));
  },
  reportPerformanceTest: (run, step) => performanceReport(run, step),
  productTest: (run, step, log) => productTest(run, step, log),
  functionalTest: (run, step, log) => functionalTest(run, step, log),
  uiTest: (run, step, log) => uiTest(run, step, log),
  approval: (run) => approval(run),
  schedule: (run) => scheduledTime(run),
  managed: (run) => cseSupport(run),
  prodDeploy: (run, step, log) => deployTo(run, 'prod', 'rolling', step, log),
};

/**
 * Step by step. An environment that is tested is held from its deployment to the end of its tests, also by an execution
 * that leaves them out: another one's may be under way. Otherwise the deployment alone holds it, by its id.
 */
async function allSteps(run: Run): Promise<void> {
  for (const { environment, steps } of spans(run.state.steps)) {
    const each = async (acquire?: () => Promise<void>) => {
      for (const { id, action } of steps)
        await run.step(id, async (step, log) => {
          if (action === 'deploy') await acquire?.();
          await works[id](run, step, log);
        });
    };
    if (environment && isTested(environment)) await holding(run.environment(environment), holder(run), each);
    else await each();
  }
}

interface Span {
  readonly environment: ReturnType<typeof environmentOf>;
  readonly steps: StepState[];
}

/** Steps in a row that concern the same environment, or none. */
function spans(steps: readonly StepState[]): Span[] {
  const all: Span[] = [];
  for (const step of steps) {
    const environment = environmentOf(step.id);
    const last = all.at(-1);
    if (last && last.environment === environment) last.steps.push(step);
    else all.push({ environment, steps: [step] });
  }
  return all;
}

/** What decides about the performance of stage. */
const measuredBy = (input: ExecutionInput) => ({
  gates: input.qualityGates,
  goals: input.performance,
  variables: performanceVariables(input),
});

/** D1: everything that is missing or not available, all of it at once. */
async function validation(run: Run, log: string): Promise<void> {
  const { program, pipeline } = run.input;
  const environments = Object.values(run.input.environments);
  const reExecutes = reExecutedKey(run);
  const what = reExecutes ? `execution ${run.input.reExecutes}` : sourceInWords(pipeline.repository);
  const [{ problems, warnings, commit, reExecuted }, agents, scanner, registry] = await Promise.all([
    reading.validate.executeWithOptions({ summary: `Validate ${what} and the environments` }, [
      {
        ...{ programId: program.id, pipeline, environments, reExecutes, log },
        performance: run.plans('reportPerformanceTest') ? measuredBy(run.input) : undefined,
      },
    ]),
    agentProblems(program.id, environments),
    codeScannerProblems(run, log),
    registryProblems(run, log),
  ]);
  run.state.warnings = warnings;
  run.state.commit = reExecuted ? reExecuted.commit : commit;
  if (reExecuted) run.state.artifactsVersion = reExecuted.artifactsVersion;
  run.reExecuted = reExecuted;
  const all = [...problems, ...agents, ...scanner, ...registry];
  if (all.length > 0)
    throw failure(
      all.every(({ unavailable }) => unavailable) ? 'Unavailable' : 'InvalidInput',
      all.map(({ thing, problem, remedy }) => `${thing}: ${problem} (${remedy})`).join('; '),
    );
}

async function build(run: Run, log: string, say: (details: string) => void): Promise<void> {
  const { program, pipeline, executionId } = run.input;
  const { artifacts, reports, code, engine } = await building.build.executeWithOptions(
    { summary: `Build ${run.state.commit?.slice(0, 10) ?? ''} and run its unit tests` },
    [
      {
        programId: program.id,
        programName: program.name,
        flavour: program.type,
        pipeline,
        executionId,
        commit: run.state.commit ?? '',
        artifactsVersion: run.state.artifactsVersion,
        secretVariables: run.input.secretVariables,
        log,
      },
    ],
  );
  run.state.artifacts = artifacts;
  run.built = { reports, code };
  const deployable = artifacts.filter(({ kind }) => kind !== 'kept').length;
  say(`${reports.tests.run} unit tests, ${deployable} of ${artifacts.length} artifacts to deploy; ${engine}`);
}

const testInput = (run: Run, log: string): TestInput => ({
  executionKey: run.key,
  gates: run.input.qualityGates,
  log,
});

const scan = (run: Run, log: string) =>
  scanning.codeQuality.executeWithOptions({ summary: 'Scan code quality' }, [
    {
      ...{ ...testInput(run, log), flavour: run.input.program.type, scanner: run.input.codeScanner },
      names: { program: run.input.program.name, pipeline: run.input.pipeline.name },
      ...{ ...run.built, artifacts: run.state.artifacts },
    },
  ]);

const securityTest = (run: Run, log: string) =>
  testing.securityTest.executeWithOptions(
    { summary: `Security checks of ${run.environment('stage').name}` },
    [{ ...testInput(run, log), environment: run.environment('stage') }],
  );

const holder = (run: Run) => ({
  programId: run.input.program.id,
  who: `${run.input.program.name}, ${run.input.pipeline.name}, execution ${run.input.executionId}`,
  onBusy: (other: string) => {
    const step = run.state.steps.find(({ status }) => status === 'RUNNING');
    if (step) step.details = `waiting for the environment: ${other}`;
    run.show();
  },
});

/**
 * D6, X4: deploys as a child of its own, which still cleans up when this execution is terminated. Its fixed id keeps
 * the next one out until it has.
 */
async function deployTo(
  run: Run,
  type: Environment['type'],
  order: 'allAtOnce' | 'rolling',
  step: StepState,
  log: string,
): Promise<void> {
  const environment = run.environment(type);
  const { program, pipeline: options, executionId } = run.input;
  if (options.type === 'codeQuality')
    throw failure('InvalidInput', 'a code quality pipeline deploys nothing');
  const workflowId = deploymentWorkflowId(program.id, environment.id);
  const child = await startWhenFree(
    workflowId,
    () =>
      startChild(environmentDeployment, {
        workflowId,
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        staticSummary: `${program.name} · deploy execution ${executionId} to ${environment.name}`,
        args: [
          {
            programId: program.id,
            executionId,
            environment,
            artifacts: run.state.artifacts,
            images: environment.kubernetes && run.state.images,
            order,
            skipDetachingDispatchers: type === run.kind.mayKeepInBalancer && options.skipDetachingDispatchers,
            flush: options.dispatcherCacheFlushPaths,
            invalidate: options.dispatcherCacheInvalidationPaths,
            log,
          },
        ],
      }),
    `environment ${environment.id} (${environment.name})`,
    holder(run).onBusy,
  );
  const begun = { ...initialProgress(environment, [], []), now: `under way, see workflow ${workflowId}` };
  keepProgress(run, begun);
  run.show();
  try {
    const progress = await child.result();
    keepProgress(run, progress);
    const images = progress.images ? `${imagesInWords(progress.images)}: ` : '';
    step.details = `${images}${progress.legs.map(({ name, state }) => `${name} ${state}`).join(', ')}`;
  } finally {
    begun.now = `ended, see workflow ${workflowId}`; // nobody told more, if this is still what is known
  }
}

/** Anybody can send a signal: only what has the form of a progress of one of this execution's environments is kept. */
function keepReported(run: Run, reported: unknown): void {
  const environments = Object.values(run.input.environments).map(({ id }) => id);
  if (isProgress(reported) && environments.includes(reported.environmentId)) keepProgress(run, reported);
}

function keepProgress(run: Run, progress: DeploymentProgress): void {
  const others = run.state.deployments.filter(
    ({ environmentId }) => environmentId !== progress.environmentId,
  );
  run.state.deployments = [...others, progress];
}

/** FINISHED closes the workflow as completed, CANCELLED as cancelled, FAILED and ERROR as failed by their step. */
async function close({ state, cancelledBy }: Run): Promise<ExecutionState> {
  if (state.status === 'FINISHED') return state;
  if (state.status !== 'CANCELLED')
    throw ApplicationFailure.create({
      type: state.failure?.step ?? 'execution',
      message: `${state.status} in ${state.failure?.step ?? 'the execution'}: ${state.failure?.message ?? ''}`,
      nonRetryable: true,
    });
  // The server calls a workflow cancelled only if it was asked to cancel it: whatever else cancelled it, ask for that.
  if (!CancellationScope.current().consideredCancelled)
    await always(() => waiting.requestCancellation(workflowInfo().workflowId, workflowInfo().runId));
  throw new CancelledFailure(`cancelled by ${cancelledBy?.subject ?? 'unknown'}`);
}
