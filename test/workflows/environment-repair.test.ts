import assert from 'node:assert/strict';
import { FairwayError } from '../../src/client/fairway-error.ts';
import type { DeploymentProgress } from '../../src/model/deployment.ts';
import { Failure } from '../../src/systems/failure.ts';
import { gate } from '../support/gate.ts';
import { until } from '../support/until.ts';
import { ann, workflowHarness } from './harness.ts';
import type { World } from './scripted-world.ts';

const noQuestions = { approval: false, schedule: false, cse: undefined };

describe('the repair of an environment', () => {
  const fairway = workflowHarness('real time');
  const { world } = fairway;
  before(async () => {
    const started = await fairway.begin({}, { pipeline: noQuestions });
    await fairway.end(started);
  });
  const repair = (script: Partial<World> = {}, told?: (progress: DeploymentProgress) => void) => {
    world.begin(script);
    return fairway.client.repair('1', '12', ann, told);
  };
  const refused = (asked: Promise<unknown>, kind: string, message: RegExp) =>
    assert.rejects(asked, (error) => {
      assert.ok(error instanceof FairwayError && error.kind === kind, String(error));
      assert.match(error.message, message);
      return true;
    });
  const inconsistent =
    (id: string): World['reconcileConfiguration'] =>
    async ({ node }) =>
      node.nodeId === id
        ? { state: 'inconsistent', done: ['the backup is damaged'] }
        : { state: 'old', done: [] };

  it('of one that is well says that nothing was to be done, and does nothing', async () => {
    const progress = await repair();
    assert.deepEqual([progress.reconciled, progress.remaining ?? []], [[], []]);
    assert.match(progress.now, /nothing was to be done/);
    assert.deepEqual(world.done('attach', 'detach', 'install', 'replace', 'restore'), []);
  });

  it('settles configurations, then returns what is out of service, and says so node by node', async () => {
    const shown: string[] = [];
    const progress = await repair(
      {
        reconcileConfiguration: async ({ node }) => ({
          state: 'old',
          done: node.nodeId === 'dispatcher1' ? ['backup put back'] : [],
        }),
        outOfService: async () => ['dispatcher1'],
      },
      ({ now }) => shown.push(now),
    );
    assert.deepEqual(progress.reconciled, [
      'dispatcher1: backup put back',
      'dispatcher1: returned to service',
    ]);
    assert.deepEqual(world.done('attach'), ['attachDispatcher dispatcher1']);
    assert.ok(
      world.journal.indexOf('end reconcileConfiguration dispatcher1') <
        world.journal.indexOf('start attachDispatcher dispatcher1'),
    );
    assert.ok(progress.dispatchers.every(({ service }) => service === 'in service'));
  });

  it('takes out of service what is neither old nor new, as long as another one serves', async () => {
    const progress = await repair({ reconcileConfiguration: inconsistent('dispatcher2') });
    assert.deepEqual(world.done('detach', 'attach'), ['detachDispatcher dispatcher2']);
    assert.match((progress.remaining ?? []).join(), /dispatcher2: .*neither old nor new: see to the host/);

    const last = await repair({
      reconcileConfiguration: inconsistent('dispatcher2'),
      outOfService: async () => ['dispatcher1'],
      attachDispatcher: async () => {
        throw new Failure('Rejected', 'it answers 503');
      },
    });
    assert.deepEqual(world.done('detach'), [], 'the last one that serves stays');
    assert.match((last.remaining ?? []).join(), /dispatcher1: .*does not return: it answers 503/);
  });

  it('does not return what renders from an instance that is not well, unless nothing else serves', async () => {
    const preflightInstance: World['preflightInstance'] = async ({ instance }) =>
      instance.id === 'publish2' ? ['its installer is busy'] : [];
    const one = await repair({ preflightInstance, outOfService: async () => ['dispatcher2'] });
    assert.deepEqual(world.done('attach'), []);
    assert.match((one.remaining ?? []).join(), /publish2: its installer is busy.*dispatcher2: stays out/);

    const both = await repair({
      preflightInstance,
      outOfService: async () => ['dispatcher1', 'dispatcher2'],
    });
    assert.deepEqual(both.reconciled, ['dispatcher1: returned to service']);
    const none = async () => {
      throw new Failure('Rejected', 'it answers 503');
    };
    const last = await repair({
      preflightInstance: async () => ['its installer is busy'],
      outOfService: async () => ['dispatcher1', 'dispatcher2'],
      attachDispatcher: async (input) => {
        if (input.dispatcher.id === 'dispatcher1') return none();
        return { at: new Date().toISOString() };
      },
    });
    assert.deepEqual(last.reconciled, ['dispatcher2: returned to service']);
  });

  it('goes on where the load balancer or an instance does not answer, and names it', async () => {
    const progress = await repair({
      preflightInstance: async () => {
        throw new Failure('Denied', 'refuses the user admin');
      },
      outOfService: async () => {
        throw new Failure('Missing', 'no backend typo');
      },
    });
    const remaining = (progress.remaining ?? []).join('\n');
    assert.match(remaining, /author: refuses the user admin/);
    assert.match(remaining, /load balancer: no backend typo/);
    assert.equal(world.done('reconcileConfiguration').length, 2);
  });

  it('is refused while a deployment runs or an execution holds the environment, and names it', async () => {
    const install = gate();
    const test = gate();
    const started = await fairway.begin(
      {
        installPackage: async () => (await install.hold(), { how: 'installed', seconds: 0 }),
        securityTest: async () => {
          await test.hold();
          return { metrics: [], results: { key: 'r', sha256: '0', size: 1 } };
        },
      },
      { pipeline: noQuestions },
    );
    await until('stage installs', () => install.arrivals() === 2);
    const stage = () => fairway.client.repair('1', '11', ann);
    await refused(stage(), 'refused', /environment 11 \(Stage\) is in use by .*deploy execution 0000000002/);
    install.open();
    await until('stage is tested', () => test.arrivals() === 1, 30_000);
    await refused(stage(), 'refused', /is in use by Stage held by .*execution 0000000002/);
    test.open();
    assert.equal((await fairway.end(started)).status, 'FINISHED');
  });

  it('keeps an execution waiting that wants to deploy meanwhile', async () => {
    const settle = gate();
    const reconcileConfiguration: World['reconcileConfiguration'] = async () => {
      await settle.hold();
      return { state: 'old', done: [] };
    };
    const started = await fairway.begin({ reconcileConfiguration }, { pipeline: noQuestions });
    await until('stage is reconciled', () => settle.arrivals() === 1, 30_000);
    const repairing = fairway.client.repair('1', '12', ann);
    await until('production is repaired', () => settle.arrivals() === 3, 30_000);
    await refused(fairway.client.repair('1', '12', ann), 'refused', /in use by repair of Production by ann/);
    settle.open();
    await repairing;
    assert.equal((await fairway.end(started)).status, 'FINISHED');
  });

  it('is refused for what does not exist, naming what does', async () => {
    await refused(
      fairway.client.repair('1', '99', ann),
      'notFound',
      /no environment "99".*12 \(Production\)/,
    );
    await refused(fairway.client.repair('77', '12', ann), 'notFound', /no program 77/);
  });
});
