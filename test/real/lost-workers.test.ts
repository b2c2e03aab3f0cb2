import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sendVisitors } from '../../src/local/demo/visitors.ts';
import { startWorker, type WorkerProcess } from '../../src/local/worker-process.ts';
import type { ExecutionState } from '../../src/model/execution.ts';
import type { Started } from '../../src/model/program.ts';
import type { WorkerSettingsInput } from '../../src/worker/settings.ts';
import { localPlatform, tester } from '../end-to-end/harness.ts';
import { switchedProxy, type SwitchedProxy } from '../support/switched-proxy.ts';
import { until } from '../support/until.ts';

const LIMIT_MS = 120_000;
const CUT_OFF_MS = 60_000;
const QUALITY = '2099';

describe('a production pipeline whose workers, a process for each role, are lost', function () {
  this.timeout(900_000);
  const fairway = localPlatform();
  /** The network between the workers and Temporal. */
  let network: SwitchedProxy;
  let start: Record<'orchestrator' | 'build' | 'agents', () => Promise<WorkerProcess>>;
  const running = new Set<WorkerProcess>();
  /** While it is there no httpd is reloaded. */
  let noReload = '';

  before(async () => {
    const { platform } = fairway;
    const folder = dirname(platform.workerLog);
    const { build, agents, ...settings } = JSON.parse(
      await readFile(join(folder, 'worker.json'), 'utf8'),
    ) as WorkerSettingsInput;
    await platform.worker().stop();
    noReload = join(folder, 'no-reload');
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
      agents: role('agents', { orchestrator: false, agents: agents?.map(heldBy(noReload)) }),
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
  /** Starts a pipeline that builds and scans, and nothing else, beside the one that deploys. */
  const beginQuality = async () => {
    const { client, program } = fairway.platform;
    const [{ repository } = { repository: undefined }] = program.pipelines;
    const quality = { id: QUALITY, name: 'Quality', type: 'codeQuality' as const, repository: repository! };
    const { revision = 0 } = (await client.program(program.id)) ?? {};
    await client.apply({ ...program, pipelines: [...program.pipelines, quality] }, revision, tester);
    return client.start({ programId: program.id, pipelineId: QUALITY, mode: 'NORMAL', by: tester });
  };
  /** Of an execution or a deployment: the attempts at an activity that somebody is at, or that wait for somebody. */
  const attempts = async (workflowId: string, activity: string) => {
    const handle = fairway.platform.client.temporal.workflow.getHandle(workflowId);
    const { raw } = await handle.describe();
    return (raw.pendingActivities ?? []).filter(({ activityType }) => activityType?.name === activity);
  };
  const isAtWork = async (workflowId: string, activity: string) => {
    const [attempt] = await attempts(workflowId, activity);
    return attempt?.lastHeartbeatTime !== undefined && attempt.lastHeartbeatTime !== null;
  };
  const builds = ({ workflowId }: Started) => isAtWork(workflowId, 'build');

  it('orchestrator and build worker killed and replaced, then all at work and Temporal out of reach for a minute: it ends as it would have', async () => {
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
      const author = production.author.faults.installs;
      author.hold();
      await start.orchestrator();

      await author.waiting(1);
      await writeFile(noReload, '');
      author.release();
      await publish.waiting(1);
      const deployment = fairway.deployment('12').workflowId;
      await until('an agent reloads', () => isAtWork(deployment, 'reloadHttpd'), LIMIT_MS);
      const quality = await beginQuality();
      await until('another one builds', () => builds(quality), LIMIT_MS);
      network.cut();
      const cut = Date.now();
      await until('a minute has passed', () => Date.now() - cut > CUT_OFF_MS, 2 * CUT_OFF_MS);
      for (const [workflowId, activity] of [
        [deployment, 'installPackage'],
        [deployment, 'reloadHttpd'],
        [quality.workflowId, 'build'],
      ] as const)
        assert.ok(
          (await attempts(workflowId, activity)).some(({ attempt }) => Number(attempt) > 1),
          `the server has given up the attempt at ${activity} of a worker that it does not hear`,
        );
      await rm(noReload);
      publish.release();
      network.mend();

      const { workflow } = fairway.platform.client.temporal;
      const scanned = await workflow.getHandle<() => Promise<ExecutionState>>(quality.workflowId).result();
      assert.equal(scanned.status, 'FINISHED');
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

/** An agent whose httpd reloads as soon as a file is gone. */
const heldBy =
  (file: string) =>
  (agent: NonNullable<WorkerSettingsInput['agents']>[number]): typeof agent => {
    const { program, args } = agent.host.graceful;
    const waits = 'while [ -e "$0" ]; do sleep 0.1; done; exec "$@"';
    return {
      ...agent,
      host: { ...agent.host, graceful: { program: 'sh', args: ['-c', waits, file, program, ...args] } },
    };
  };
