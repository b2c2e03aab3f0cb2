import assert from 'node:assert/strict';
import { Failure } from '../../src/systems/failure.ts';
import { definition } from '../support/definition.ts';
import { gate } from '../support/gate.ts';
import { until } from '../support/until.ts';
import { ann, workflowHarness } from './harness.ts';

const production = { approval: false, schedule: false, cse: undefined };

describe('an execution, interfered with', () => {
  const fairway = workflowHarness('real time');
  const { world } = fairway;
  const handle = (workflowId: string) => fairway.client.temporal.workflow.getHandle(workflowId);
  const outOf = (state: Awaited<ReturnType<typeof fairway.state>>, environmentId: string) =>
    state.deployments.find((deployment) => deployment.environmentId === environmentId);

  it('lives on after signals that nobody of its own would send', async () => {
    const started = await fairway.begin();
    await fairway.waitsAt('approval');
    for (const payload of [[], [{}], [null], [{ environmentId: '11' }], ['text']])
      await handle(started.workflowId).signal('deploymentProgress', ...payload);
    assert.equal((await fairway.state()).waitingFor?.step, 'approval');
    await fairway.client.send('approve', fairway.address(started), { by: ann, approved: false });
    assert.equal((await fairway.end(started)).status, 'FAILED');
  });

  it('whose deployment somebody terminates is an ERROR that says so, and is recorded', async () => {
    const install = gate();
    const started = await fairway.begin(
      { installPackage: async () => (await install.hold(), { how: 'installed', seconds: 0 }) },
      { pipeline: production },
    );
    await until('stage installs', () => install.arrivals() === 2);
    await handle('environment-1-11-deployment').terminate('test');
    const state = await fairway.end(started);
    install.open();
    assert.equal(state.status, 'ERROR');
    assert.match(state.failure?.message ?? '', /ended from outside/);
    assert.deepEqual(world.done('recordExecution'), ['recordExecution']);
  });

  it('whose lease somebody cancels ends as it would have', async () => {
    const install = gate();
    const started = await fairway.begin(
      { installPackage: async () => (await install.hold(), { how: 'installed', seconds: 0 }) },
      { pipeline: production },
    );
    await until('stage installs', () => install.arrivals() === 2);
    await handle('environment-1-11').cancel();
    install.open();
    assert.equal((await fairway.end(started)).status, 'FINISHED');
  });

  it('that cannot be recorded still ends as it has', async () => {
    const recordExecution = async (): Promise<never> => {
      throw new Failure('Denied', 'the storage refuses to write');
    };
    const started = await fairway.begin({ recordExecution }, { pipeline: production });
    const state = await fairway.end(started);
    assert.equal(state.status, 'FINISHED');
    assert.match(state.warnings.at(-1) ?? '', /no record in storage: the storage refuses to write/);
  });

  it('does not begin to deploy where a host is neither old nor new', async () => {
    const started = await fairway.begin(
      {
        reconcileConfiguration: async ({ node }) => ({
          state: node.environmentId === '12' && node.nodeId === 'dispatcher2' ? 'inconsistent' : 'old',
          done: [],
        }),
      },
      { pipeline: production },
    );
    const { failure } = await fairway.end(started);
    assert.match(
      failure?.message ?? '',
      /nothing was changed: dispatcher2: its configuration is neither old nor new/,
    );
    assert.equal(world.done('detachDispatcher').length, 1, 'only stage was ever out of service');
  });

  it('cancelled while two dispatchers leave, brings each back only after it has left', async () => {
    const base = definition(production);
    const [stage, prod] = base.environments;
    const first = prod!.dispatchers![0]!;
    const leave = gate();
    const started = await fairway.begin(
      {
        detachDispatcher: async ({ dispatcher }) => {
          if (world.done('loadTest').length > 0 && dispatcher.id === 'dispatcher2') await leave.hold();
          return { at: new Date().toISOString() };
        },
      },
      {
        pipeline: production,
        program: {
          environments: [
            stage!,
            { ...prod!, dispatchers: [first, { ...first, id: 'dispatcher2', server: 'dispatcher2' }] },
          ],
        },
      },
    );
    await until('dispatcher2 leaves', () => leave.arrivals() === 1, 30_000);
    await fairway.client.send('cancel', fairway.address(started), { by: ann });
    leave.open();
    const state = await fairway.end(started);
    assert.equal(state.status, 'CANCELLED');
    const left = world.journal.lastIndexOf('end detachDispatcher dispatcher2');
    const returned = world.journal.lastIndexOf('start attachDispatcher dispatcher2');
    assert.ok(left >= 0 && left < returned, world.journal.slice(-12).join('\n'));
    assert.ok(outOf(state, '12')?.dispatchers.every(({ service }) => service === 'in service'));
  });
});
