import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { workerFindings } from '../../src/client/doctor/temporal.ts';
import { FairwayClient } from '../../src/client/fairway-client.ts';
import { prepare } from '../../src/local/setup/prepare.ts';
import type { Started } from '../../src/model/program.ts';
import { run } from '../../src/systems/process.ts';
import { makeStorage } from '../../src/systems/storage/file-storage.ts';
import type { WorkerSettingsInput } from '../../src/worker/settings.ts';
import { applied } from '../support/applied.ts';
import { definition } from '../support/definition.ts';
import { scriptedWorkers } from '../support/scripted-workers.ts';
import { localEnvironment } from '../support/temporal.ts';
import { until } from '../support/until.ts';
import { ann } from '../workflows/harness.ts';

describe('workers of two versions', function () {
  this.timeout(120_000);
  let folder = '';
  let temporal = '';
  let env: TestWorkflowEnvironment;
  let client: FairwayClient;
  const running = new Set<Awaited<ReturnType<typeof scriptedWorkers>>>();

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fairway-versions-'));
    ({ temporal } = await prepare(['temporal'], () => undefined));
    env = await localEnvironment();
    client = new FairwayClient(env.client);
    await makeStorage(join(folder, 'storage'));
  });
  after(async () => {
    await Promise.all([...running].map((workers) => workers.stop()));
    await env.teardown();
    await rm(folder, { recursive: true, force: true });
  });

  async function start(settings: Partial<WorkerSettingsInput>) {
    const workers = await scriptedWorkers({
      temporal: { address: env.address },
      storage: join(folder, 'storage'),
      workFolder: join(folder, 'work'),
      ...settings,
    });
    running.add(workers);
    return workers;
  }
  const version = (buildId: string) => start({ build: {}, versioning: { buildId } });
  const agent = (environmentId: string, nodeId: string) => {
    const nothing = { program: 'true', args: [] };
    return {
      node: { programId: '1', environmentId, nodeId },
      host: {
        ...{ serverRoot: join(folder, 'httpd'), stateFolder: join(folder, environmentId, nodeId) },
        ...{ environment: {}, configTest: nothing, graceful: nothing },
        baseline: { url: 'http://127.0.0.1:9', path: '/' },
        flush: { url: 'http://127.0.0.1:9', host: 'flush' },
      },
    };
  };

  /** As docs/operations.md says; the server knows a version some time after its workers began to ask. */
  const makeCurrent = (buildId: string) =>
    until(
      `version ${buildId} is current`,
      async () => {
        const command = 'worker deployment set-current-version --deployment-name fairway --yes --build-id';
        const { code } = await run(temporal, [...command.split(' '), buildId, '--address', env.address]);
        return code === 0;
      },
      30_000,
    );

  async function begin(pipelineId: string): Promise<Started> {
    const started = await client.start({ programId: '1', pipelineId, mode: 'NORMAL', by: ann });
    await until(
      'it waits for an approval',
      async () => {
        const address = { programId: '1', pipelineId, executionId: started.executionId };
        return (await client.execution(address)).waitingFor?.step === 'approval';
      },
      30_000,
    );
    return started;
  }

  async function finish(pipelineId: string, { executionId, workflowId, runId }: Started): Promise<void> {
    await client.send('approve', { programId: '1', pipelineId, executionId }, { by: ann, approved: true });
    await env.client.workflow.getHandle(workflowId, runId).result();
  }

  /** The versions whose workers carried the workflow on, in their order. */
  async function versionsOf(workflowId: string, runId?: string): Promise<string[]> {
    const { events } = await env.client.workflow.getHandle(workflowId, runId).fetchHistory();
    const all = (events ?? []).flatMap(
      ({ workflowTaskCompletedEventAttributes: task }) => task?.deploymentVersion?.buildId ?? [],
    );
    return [...new Set(all)];
  }

  it('an execution that waits ends with the version it began with, the next one has the new one, and so has its program', async () => {
    const agents = [agent('11', 'dispatcher1'), agent('12', 'dispatcher1'), agent('12', 'dispatcher2')];
    const hosts = await start({ orchestrator: false, agents });
    const without = await start({ build: {} });
    const [pipeline] = definition({ schedule: false, cse: undefined }).pipelines;
    const pipelines = ['101', '102', '103'].map((id) => ({ ...pipeline!, id, name: `Pipeline ${id}` }));
    const program = { ...definition(), pipelines };
    await applied(client, program);
    const before = await begin('103');

    const first = await version('1');
    await makeCurrent('1');
    await without.stop();
    running.delete(without);
    await finish('103', before);
    assert.deepEqual(await versionsOf(before.workflowId, before.runId), ['1']);
    first.world.begin();
    const waiting = await begin('101');

    const second = await version('2');
    await makeCurrent('2');
    const next = await begin('102');
    await finish('101', waiting);
    const deployment = 'environment-1-12-deployment';
    assert.deepEqual(await versionsOf(deployment), ['1']);
    await finish('102', next);
    assert.deepEqual(await versionsOf(deployment), ['2']);
    assert.deepEqual(await versionsOf(waiting.workflowId, waiting.runId), ['1']);
    assert.deepEqual(await versionsOf(next.workflowId, next.runId), ['2']);
    assert.deepEqual(await versionsOf('program-1'), ['1', '2']);

    // Activities belong to the version of their workflow, those of agents to whoever serves the node.
    for (const { world } of [first, second])
      assert.deepEqual(world.done('build', 'recordExecution'), ['build', 'recordExecution']);
    assert.equal(hosts.world.done('replaceConfiguration').length, 9);
    // Back to the version before.
    await makeCurrent('1');
    const last = await begin('103');
    await finish('103', last);
    assert.deepEqual(await versionsOf(last.workflowId, last.runId), ['1']);
    const findings = await workerFindings(env.client, [program as never]);
    assert.deepEqual(
      findings.filter(({ state }) => state !== 'good'),
      [],
    );
  });
});
