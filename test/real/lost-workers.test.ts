import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sendVisitors } from '../../src/local/demo/visitors.ts';
import { startWorker, type WorkerProcess } from '../../src/local/worker-process.ts';
import type { Started } from '../../src/model/program.ts';
import type { WorkerSettingsInput } from '../../src/worker/settings.ts';
import { localPlatform } from '../end-to-end/harness.ts';
import { switchedProxy, type SwitchedProxy } from '../support/switched-proxy.ts';
import { until } from '../support/until.ts';

const LIMIT_MS = 120_000;

describe('a production pipeline whose workers, a process for each role, are lost', function () {
  this.timeout(300_000);
  const fairway = localPlatform();
  /** The network between the workers and Temporal. */
  let network: SwitchedProxy;
  let start: Record<'orchestrator' | 'build' | 'agents', () => Promise<WorkerProcess>>;
  const running = new Set<WorkerProcess>();

  before(async () => {
    const { platform } = fairway;
    const folder = dirname(platform.workerLog);
    const { build, agents, ...settings } = JSON.parse(
      await readFile(join(folder, 'worker.json'), 'utf8'),
    ) as WorkerSettingsInput;
    await platform.worker().stop();
    network = await switchedProxy(platform.temporal.address);
    const temporal = { address: network.address };
    const role = (name: string, own: Partial<WorkerSettingsInput>) => async () => {
      const worker = await startWorker(folder, { ...settings, temporal, ...own }, { name });
      running.add(worker);
      return worker;
    };
    start = {
      orchestrator: role('orchestrator', {}),
      build: role('build', { orchestrator: false, build }),
      agents: role('agents', { orchestrator: false, agents }),
    };
  });
  after(async () => {
    for (const worker of running) await worker.stop();
    await network?.close();
  });

  const replaced = async (worker: WorkerProcess, role: keyof typeof start) => {
    await worker.kill();
    running.delete(worker);
    return start[role]();
  };
  /** Of an execution or a deployment: the attempts at an activity that somebody is at, or that wait for somebody. */
  const attempts = async (workflowId: string, activity: string) => {
    const handle = fairway.platform.client.temporal.workflow.getHandle(workflowId);
    const { raw } = await handle.describe();
    return (raw.pendingActivities ?? []).filter(({ activityType }) => activityType?.name === activity);
  };
  const builds = async ({ workflowId }: Started) => {
    const [attempt] = await attempts(workflowId, 'build');
    return attempt?.lastHeartbeatTime !== undefined && attempt.lastHeartbeatTime !== null;
  };

  it('orchestrator and build worker killed and replaced, then Temporal out of reach of all: it ends as it would have', async () => {
    const { stage, production } = fairway.platform;
    const [orchestrator, builder] = await Promise.all([start.orchestrator(), start.build(), start.agents()]);
    const visitors = sendVisitors(production.loadBalancer.url, 50);
    try {
      stage.author.faults.installs.hold();
      const started = await fairway.begin();
      await until('it builds', () => builds(started), LIMIT_MS);
      await replaced(builder, 'build');

      await stage.author.faults.installs.waiting(1);
      const publish = production.publish[0]!.faults.installs;
      publish.hold();
      await orchestrator.kill();
      running.delete(orchestrator);
      stage.author.faults.installs.release();
      await start.orchestrator();

      await publish.waiting(1);
      const deployment = fairway.deployment('12').workflowId;
      network.cut();
      // Longer than it takes to believe that those who were at work are dead.
      await until(
        'the server gives up the attempt of a worker that it does not hear',
        async () => (await attempts(deployment, 'installPackage')).some(({ attempt }) => Number(attempt) > 1),
        LIMIT_MS,
      );
      publish.release();
      network.mend();

      const state = await fairway.end(started);
      assert.equal(state.status, 'FINISHED', state.failure?.message);
      assert.deepEqual(
        fairway.production(state).legs.map((leg) => leg.state),
        ['NEW', 'NEW'],
      );
      for (const instance of [stage, production].flatMap(({ author, publish }) => [author, ...publish])) {
        const installed = instance.actions.filter(
          ({ what, path }) => what === 'install' && path.includes('site.all'),
        );
        assert.equal(installed.length, 1, 'each instance installed the package once');
      }
      const [first, second] = await fairway.trees();
      assert.equal(first, second);
      await fairway.bothInService();
      const { failed, failures } = await visitors.stop();
      assert.deepEqual([failed, failures], [0, []]);
    } finally {
      await visitors.stop();
    }
  });
});
