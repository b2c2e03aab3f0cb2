import assert from 'node:assert/strict';
import { DeterminismViolationError } from '@temporalio/workflow';
import { Worker, type ReplayResult, type ReplayWorkerOptions } from '@temporalio/worker';
import { workflowCode } from '../../src/worker/workflow-code.ts';
import {
  countByType,
  historyOf,
  namesOfMachine,
  readExpectedCounts,
  readHistories,
  workflowIdOf,
  type Recorded,
} from '../support/histories.ts';
import { workflowBundle } from './harness.ts';

/** Replays histories with the workflows as they are now. */
async function replay(
  histories: readonly Recorded[],
  options?: ReplayWorkerOptions,
): Promise<ReplayResult[]> {
  const replays = Worker.runReplayHistories(
    options ?? { workflowBundle: await workflowBundle() },
    histories.map((recorded) => ({ workflowId: workflowIdOf(recorded), history: historyOf(recorded) })),
  );
  const results: ReplayResult[] = [];
  for await (const result of replays) results.push(result);
  return results;
}

describe('recorded histories', function () {
  this.timeout(120_000);
  let all: readonly Recorded[];
  before(async () => {
    all = await readHistories();
  });

  const allReplay = async (options?: ReplayWorkerOptions) => {
    const results = await replay(all, options);
    assert.equal(results.length, all.length);
    const broken = results.flatMap(({ error }, index) =>
      error ? [`${all[index]?.name}: ${error.message}`] : [],
    );
    assert.deepEqual(broken, [], broken.join('\n'));
  };

  it('are all there', async () => {
    assert.deepEqual(countByType(all), await readExpectedCounts());
  });

  it('replay with the workflows of this version', async () => {
    await allReplay();
  });

  it('replay in a worker that traces them as well', async () => {
    const { OpenTelemetryPlugin } = await import('@temporalio/interceptors-opentelemetry');
    const { NoopSpanProcessor } = await import('@opentelemetry/sdk-trace-node');
    const { Resource } = await import('@opentelemetry/resources');
    const plugin = new OpenTelemetryPlugin({
      resource: Resource.empty(),
      spanProcessor: new NoopSpanProcessor(),
    });
    const { workflowsPath, preloadModules } = workflowCode;
    await allReplay({ workflowsPath, bundlerOptions: { preloadModules }, plugins: [plugin] });
  });

  it('do not replay once what a workflow does differs from them', async () => {
    for (const name of ['pipelineExecution-finished', 'environmentDeployment-rolling']) {
      const recorded = structuredClone(all.find((known) => known.name === name));
      assert.ok(recorded, `there is no ${name}`);
      const scheduled = recorded.history.events.findLast(
        ({ eventType }) => eventType === 'EVENT_TYPE_ACTIVITY_TASK_SCHEDULED',
      )?.activityTaskScheduledEventAttributes;
      assert.ok(scheduled);
      scheduled.activityType.name = 'somethingElse';
      const [result] = await replay([recorded]);
      assert.ok(result?.error instanceof DeterminismViolationError, `${name}: ${result?.error}`);
    }
  });

  it('name neither the machine that they were recorded on nor its folders', () => {
    for (const recorded of all) {
      assert.deepEqual(
        namesOfMachine(recorded, ['/node_modules/', 'file:///home/', '.ts:']),
        [],
        recorded.name,
      );
      JSON.stringify(recorded.history, (key, value: unknown) => {
        if (key === 'identity') assert.doesNotMatch(String(value), /\d@/, recorded.name);
        return value;
      });
    }
  });
});
