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
import type { TestOutcome } from '../model/activities.ts';
import { unknownActor } from '../model/actor.ts';
import {
  deploymentWorkflowId,
  programWorkflowId,
  type ExecutionInput,
  type ExecutionState,
} from '../model/execution.ts';
import { isProgress, type DeploymentProgress } from '../model/deployment.ts';
import type { Environment } from '../model/schema/definition.ts';
import { building, reading, recording, testing, waiting } from './activities.ts';
import { absentAgents } from './agents.ts';
import { PROGRESS } from './deployment-report.ts';
import { environmentDeployment } from './environment-deployment.ts';
import { holding, startWhenFree } from './environment-lease.ts';
import { failure, statusOf, understood } from './failures.ts';
import { gate } from './gate.ts';
import { decoded, rawSignal } from './inbox.ts';
import { approval, cseSupport, receiveMessages, scheduledTime } from './questions.ts';
import { now, Run } from './run.ts';
import { always } from './scopes.ts';

export const executionQuery = defineQuery<ExecutionState>('execution');

/**
 * One execution of a production pipeline: the stages and steps of "Deploy your Code", in their order.
 * Only the program entity starts one, since only it checks emergency activation and allots the id.
 */
export async function pipelineExecution(input: ExecutionInput): Promise<ExecutionState> {
  if (!input?.program || workflowInfo().parent?.workflowId !== programWorkflowId(input.program.id))
    throw failure('Refused', 'an execution is started by the update "start" of its program, not by itself');

  const run = new Run(input, workflowInfo().startTime);
  setHandler(executionQuery, () => run.state, { description: 'The whole state of this execution' });
  setHandler(rawSignal(PROGRESS), (raw) => keepReported(run, decoded(raw)), {
    description: 'Sent by the deployments of this execution',
  });

  const scope = new CancellationScope();
  receiveMessages(run, () => scope.cancel());
  scope.cancelRequested.catch(() => {
    if (run.state.status !== 'RUNNING') return;
    run.state.status = 'CANCELLING';
    run.show();
  });
  try {
    await scope.run(async () => {
      await stageDeploymentAndTesting(run);
      await productionDeployment(run);
    });
    run.state.status = 'FINISHED';
  } catch (error) {
    run.state.status = run.isCancelled(error) ? 'CANCELLED' : statusOf(understood(error).type);
    if (run.state.status === 'CANCELLED' && !run.cancelledBy)
      run.note('execution', unknownActor('temporal'), 'cancelled');
  }
  run.state.finishedAt = now();
  run.show();
  await always(() => record(run));
  return close(run);
}

/** An execution that cannot be recorded has still ended as it has. */
async function record(run: Run): Promise<void> {
  try {
    await recording.recordExecution.executeWithOptions({ summary: 'Keep the record of this execution' }, [
      { executionKey: run.key, state: run.state },
    ]);
  } catch (error) {
    run.state.warnings = [
      ...run.state.warnings,
      `there is no record in storage: ${understood(error).message}`,
    ];
  }
}

/** The environment is held from its deployment to the end of its tests. */
async function stageDeploymentAndTesting(run: Run): Promise<void> {
  const { stage } = run.input;
  await run.step('validate', (_, log) => validation(run, log));
  await run.step('build', (step, log) => build(run, log, (details) => (step.details = details)));
  await run.step('codeQuality', async (step, log) => gate(run, 'codeQuality', step, await scan(run, log)));

  await holding(stage, holder(run), async (acquire) => {
    await run.step('stageDeploy', async (step, log) => {
      await acquire();
      step.details = await deployTo(run, stage, 'allAtOnce', log);
    });

    await run.step('securityTest', async (step, log) =>
      gate(run, 'securityTest', step, await securityTest(run, log)),
    );
    let measured: TestOutcome | undefined;
    await run.step('loadTest', async (step, log) => {
      measured = await loadTest(run, log);
      step.results = measured.results;
    });
    await run.step('reportPerformanceTest', async (step) => {
      if (!measured) throw failure('NotReady', 'there is no measurement to report');
      await gate(run, 'reportPerformanceTest', step, measured);
    });
  });
}

async function productionDeployment(run: Run): Promise<void> {
  const { production } = run.input;
  await run.step('approval', () => approval(run));
  await run.step('schedule', () => scheduledTime(run));
  await run.step('managed', () => cseSupport(run));
  await holding(production, holder(run), (acquire) =>
    run.step('prodDeploy', async (step, log) => {
      await acquire();
      step.details = await deployTo(run, production, 'rolling', log);
    }),
  );
}

/** D1: everything that is missing or not available, all of it at once. */
async function validation(run: Run, log: string): Promise<void> {
  const { program, pipeline, stage, production } = run.input;
  const [{ problems, warnings, commit }, agents] = await Promise.all([
    reading.validate.executeWithOptions(
      { summary: `Validate branch ${pipeline.repository.branch} and the environments` },
      [{ programId: program.id, pipeline, environments: [stage, production], log }],
    ),
    absentAgents(program.id, [stage, production]),
  ]);
  run.state.warnings = warnings;
  run.state.commit = commit;
  const all = [...problems, ...agents];
  if (all.length > 0)
    throw failure(
      all.every(({ unavailable }) => unavailable) ? 'Unavailable' : 'InvalidInput',
      all.map(({ thing, problem, remedy }) => `${thing}: ${problem} (${remedy})`).join('; '),
    );
}

async function build(run: Run, log: string, say: (details: string) => void): Promise<void> {
  const { program, pipeline, executionId } = run.input;
  const { artifacts, reports, engine } = await building.build.executeWithOptions(
    { summary: `Build ${run.state.commit?.slice(0, 10) ?? ''} and run its unit tests` },
    [
      {
        programId: program.id,
        programName: program.name,
        pipeline,
        executionId,
        commit: run.state.commit ?? '',
        artifactsVersion: run.state.artifactsVersion,
        log,
      },
    ],
  );
  run.state.artifacts = artifacts;
  run.reports = reports;
  const deployable = artifacts.filter(({ kind }) => kind !== 'kept').length;
  say(`${reports.tests.run} unit tests, ${deployable} of ${artifacts.length} artifacts to deploy; ${engine}`);
}

const scan = (run: Run, log: string) =>
  testing.codeQuality.executeWithOptions({ summary: 'Scan code quality' }, [
    { executionKey: run.key, reports: run.reports, log },
  ]);

const securityTest = (run: Run, log: string) =>
  testing.securityTest.executeWithOptions({ summary: `Security checks of ${run.input.stage.name}` }, [
    { executionKey: run.key, environment: run.input.stage, log },
  ]);

const loadTest = (run: Run, log: string) =>
  testing.loadTest.executeWithOptions({ summary: `Load test of ${run.input.stage.name}` }, [
    { executionKey: run.key, environment: run.input.stage, goals: run.input.performance, log },
  ]);

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
 * @returns how it ended, for people
 */
async function deployTo(
  run: Run,
  environment: Environment,
  order: 'allAtOnce' | 'rolling',
  log: string,
): Promise<string> {
  const { program, pipeline, executionId } = run.input;
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
            order,
            skipDetachingDispatchers: order === 'allAtOnce' && pipeline.skipDetachingDispatchers,
            flush: pipeline.dispatcherCacheFlushPaths,
            invalidate: pipeline.dispatcherCacheInvalidationPaths,
            log,
          },
        ],
      }),
    `environment ${environment.id} (${environment.name})`,
    holder(run).onBusy,
  );
  const progress = await child.result();
  keepProgress(run, progress);
  return progress.legs.map(({ name, state }) => `${name} ${state}`).join(', ');
}

/** Anybody can send a signal: only what has the form of a progress of one of this execution's environments is kept. */
function keepReported(run: Run, reported: unknown): void {
  const { stage, production } = run.input;
  if (isProgress(reported) && [stage.id, production.id].includes(reported.environmentId))
    keepProgress(run, reported);
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
