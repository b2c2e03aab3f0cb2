import assert from 'node:assert/strict';
import { userOf } from '../../src/activities/waits.ts';
import type { NodeRef } from '../../src/model/activities.ts';
import { Failure } from '../../src/systems/failure.ts';
import type { Started } from '../../src/model/program.ts';
import { aemArtifact, definition, dispatcherArtifact } from '../support/definition.ts';
import { gate } from '../support/gate.ts';
import { until } from '../support/until.ts';
import { ann, workflowHarness } from './harness.ts';
import { metric } from './scripted-world.ts';

const production = { approval: false, schedule: false, cse: undefined };
const twoPackages = async () => ({
  artifacts: [
    aemArtifact('site.content', '1.0.0', ['site.apps']),
    aemArtifact('site.apps'),
    dispatcherArtifact,
  ],
  reports: { tests: { run: 3, failed: 0, skipped: 0 } },
  engine: 'local process',
});

describe('a deployment', () => {
  const fairway = workflowHarness('real time');
  const { world } = fairway;
  const deploy = (script: Parameters<typeof fairway.begin>[0] = {}, pipeline = {}) =>
    fairway.begin(script, { pipeline: { ...production, ...pipeline } });
  const inProduction = (state: Awaited<ReturnType<typeof fairway.state>>) => {
    const found = state.deployments.find(({ environmentId }) => environmentId === '12');
    assert.ok(found, 'there is no production deployment');
    return found;
  };
  const closeStatus = async ({ workflowId, runId }: Started) =>
    (await fairway.client.temporal.workflow.getHandle(workflowId, runId).describe()).status.name;

  it('goes to all nodes of stage at once, with all dispatchers out, and to production leg by leg', async () => {
    const started = await deploy({ build: twoPackages });
    const state = await fairway.end(started);
    assert.equal(state.status, 'FINISHED', state.failure?.message);

    const journal = world.journal.slice(world.journal.indexOf('end loadTest'));
    const at = (line: string) => {
      const index = journal.indexOf(line);
      assert.ok(index >= 0, `${line} did not happen`);
      return index;
    };
    const order = [
      'end installPackage author',
      'start detachDispatcher dispatcher1',
      'end detachDispatcher dispatcher1',
      'start installPackage publish1',
      'start flushPaths dispatcher1',
      'start attachDispatcher dispatcher1',
      'end attachDispatcher dispatcher1',
      'start backUpConfiguration dispatcher2',
      'start replaceConfiguration dispatcher2',
      'start attachDispatcher dispatcher2',
    ];
    order
      .slice(1)
      .forEach((line, index) =>
        assert.ok(at(order[index] ?? '') < at(line), `${order[index]} before ${line}`),
      );
    assert.deepEqual(
      inProduction(state).legs.map(({ state: leg }) => leg),
      ['NEW', 'NEW'],
    );
    assert.ok(
      inProduction(state).instances.every(({ packages }) => packages.every(({ state: s }) => s === 'new')),
    );
  });

  it('installs on one instance in the order of dependencies, and on all instances at once', async () => {
    const all = gate();
    const names: string[] = [];
    const started = await deploy({
      build: twoPackages,
      installPackage: async ({ instance, artifact }) => {
        if (instance.id === 'author') names.push(artifact.package.id.name);
        if (world.done('loadTest').length === 0) await all.hold();
        return { how: 'installed', seconds: 0 };
      },
    });
    await until('author and publish install at the same time', () => all.arrivals() === 2);
    all.open();
    assert.equal((await fairway.end(started)).status, 'FINISHED');
    assert.deepEqual(names.slice(0, 2), ['site.apps', 'site.content']);
  });

  it('changes nothing when a preflight finds something wrong, and names all of it', async () => {
    const started = await deploy({
      preflightInstance: async ({ instance }) =>
        instance.id === 'publish1' ? ['example:base is missing'] : [],
      preflightConfiguration: async () => {
        throw new Failure('Rejected', 'config test failed', { details: ['Invalid command NoSuchDirective'] });
      },
    });
    const state = await fairway.end(started);
    assert.equal(state.status, 'FAILED');
    const { message = '' } = state.failure ?? {};
    assert.match(message, /nothing was changed/);
    assert.match(message, /publish1: example:base is missing/);
    assert.match(message, /dispatcher1: config test failed\s+Invalid command NoSuchDirective/);
    assert.deepEqual(world.done('detach', 'install', 'replace', 'attach'), []);
  });

  it('names packages that depend on each other in a circle, before anything is changed', async () => {
    const started = await deploy({
      build: async () => ({
        ...(await twoPackages()),
        artifacts: [aemArtifact('a', '1.0.0', ['b']), aemArtifact('b', '1.0.0', ['a'])],
      }),
    });
    const { failure } = await fairway.end(started);
    assert.match(failure?.message ?? '', /example:a.*example:b|example:b.*example:a/);
    assert.deepEqual(world.done('detach', 'install'), []);
  });

  it('does not touch the load balancer of stage when it is told so, and flushes after all packages', async () => {
    const started = await deploy({}, { skipDetachingDispatchers: true });
    await fairway.end(started);
    const stage = world.journal.slice(0, world.journal.indexOf('start securityTest'));
    assert.ok(!stage.some((line) => line.includes('detach') || line.includes('attach')), stage.join('\n'));
    const flush = stage.indexOf('start flushPaths dispatcher1');
    assert.ok(
      flush > stage.indexOf('end installPackage author') &&
        flush > stage.indexOf('end installPackage publish1'),
    );
    assert.ok(!stage.includes('start outOfService'), 'the load balancer is not even asked');
    assert.ok(world.done('detachDispatcher').length === 2, 'production is always detached');
  });

  it('flushes also when the build has no dispatcher package, and fails naming a path that is refused', async () => {
    const started = await deploy({
      build: async () => ({ ...(await twoPackages()), artifacts: [aemArtifact('site.all')] }),
      flushPaths: async ({ flush }) =>
        flush.map((path) => ({ path, action: 'flush', ok: false, answer: '403' })),
    });
    const { failure } = await fairway.end(started);
    assert.match(failure?.message ?? '', /dispatcher1 did not flush \/content\/site \(403\)/);
    assert.deepEqual(world.done('attachDispatcher'), ['attachDispatcher dispatcher1']);
  });

  const onSecondLeg = (fail: () => never) => ({
    reloadHttpd: async ({ node }: { node: { environmentId: string; nodeId: string } }) => {
      if (node.environmentId === '12' && node.nodeId === 'dispatcher2') fail();
    },
  });

  it('restores a configuration that does not serve, names the leg MIXED and returns it to the visitors', async () => {
    const started = await deploy(
      onSecondLeg(() => {
        throw new Failure('Rejected', 'Apache refused it');
      }),
    );
    const state = await fairway.end(started);
    assert.equal(state.status, 'FAILED');
    assert.match(state.failure?.message ?? '', /dispatcher2: Apache refused it \(configuration now: old\)/);
    const { legs, dispatchers } = inProduction(state);
    assert.deepEqual(
      legs.map((leg) => leg.state),
      ['NEW', 'MIXED'],
    );
    assert.match(legs[1]?.reason ?? '', /publish2 new, dispatcher2 old/);
    assert.ok(dispatchers.every(({ service }) => service === 'in service'));
  });

  const gone = (): never => {
    throw new Failure('Denied', 'no agent is there');
  };
  const isSecond = ({ environmentId, nodeId }: NodeRef) => environmentId === '12' && nodeId === 'dispatcher2';
  let asked = 0;
  const withoutAgent: [string, Parameters<typeof fairway.begin>[0]][] = [
    [
      'its configuration cannot be backed up',
      { backUpConfiguration: async ({ node }) => (isSecond(node) ? gone() : undefined) },
    ],
    [
      'there is nothing to back up',
      {
        build: async () => ({ ...(await twoPackages()), artifacts: [aemArtifact('site.all')] }),
        // The first to ask is the validation.
        checkAgent: async ({ node }) => (isSecond(node) && (asked += 1) > 1 ? gone() : []),
      },
    ],
  ];
  for (const [what, script] of withoutAgent)
    it(`leaves a leg as it was whose agent has gone before it begins; ${what}`, async () => {
      const started = await deploy(script);
      const state = await fairway.end(started);
      assert.match(state.failure?.message ?? '', /dispatcher2: no agent is there \(nothing of its leg/);
      const { legs, dispatchers } = inProduction(state);
      assert.deepEqual(
        legs.map((leg) => leg.state),
        ['NEW', 'OLD'],
      );
      assert.ok(dispatchers.every(({ service }) => service === 'in service'));
      assert.ok(
        !world.journal.slice(world.journal.indexOf('end loadTest')).includes('start installPackage publish2'),
      );
    });

  it('keeps a leg that cannot be made good from the visitors', async () => {
    const started = await deploy({
      ...onSecondLeg(() => {
        throw new Failure('Rejected', 'Apache refused it');
      }),
      restoreConfiguration: async () => 'inconsistent',
    });
    const { legs, dispatchers } = inProduction(await fairway.end(started));
    assert.deepEqual(
      legs.map((leg) => leg.state),
      ['NEW', 'OUT'],
    );
    assert.deepEqual(
      dispatchers.map(({ service }) => service),
      ['in service', 'out'],
    );
  });

  it('keeps a mixed leg out when its probe is not good', async () => {
    const started = await deploy({
      ...onSecondLeg(() => {
        throw new Failure('Rejected', 'Apache refused it');
      }),
      probeDispatcher: async () => ({ good: false, answer: '503 Service Unavailable' }),
    });
    const { legs } = inProduction(await fairway.end(started));
    assert.equal(legs[1]?.state, 'OUT');
    assert.match(legs[1]?.reason ?? '', /503/);
  });

  it('leaves the last dispatcher that could serve in service, whatever its state', async () => {
    const started = await deploy({
      installPackage: async ({ instance }) => {
        if (instance.id === 'publish1') throw new Failure('NotReady', 'bundle site.core is not active');
        return { how: 'installed', seconds: 0 };
      },
    });
    const state = await fairway.end(started);
    assert.equal(state.failure?.step, 'stageDeploy');
    assert.deepEqual(world.done('attachDispatcher'), ['attachDispatcher dispatcher1']);
    assert.match(state.deployments[0]?.legs[0]?.reason ?? '', /nothing else could serve/);
  });

  it('stops at the leg that fails: the next one keeps its version and its service', async () => {
    const started = await deploy({
      installPackage: async ({ instance }) => {
        if (world.done('loadTest').length > 0 && instance.id === 'publish1')
          throw new Failure('Rejected', 'DependencyException');
        return { how: 'installed', seconds: 0 };
      },
    });
    const state = await fairway.end(started);
    const { legs } = inProduction(state);
    assert.deepEqual(
      legs.map((leg) => leg.state),
      ['MIXED', 'OLD'],
    );
    assert.ok(!world.done('detachDispatcher').includes('detachDispatcher dispatcher2'));
  });

  describe('interrupted in the middle of the first leg of production', () => {
    const interrupted = async () => {
      const install = gate();
      const started = await deploy({
        installPackage: async ({ instance }) => {
          if (world.done('loadTest').length > 0 && instance.id === 'publish1') await install.hold();
          return { how: 'installed', seconds: 0 };
        },
      });
      await until('publish1 installs', () => install.arrivals() === 1, 30_000);
      return { started, install };
    };

    it('by "cancel": the leg is finished, nothing more begins, and the execution is CANCELLED', async () => {
      const { started, install } = await interrupted();
      await fairway.client.send('cancel', fairway.address(started), { by: ann, reason: 'wrong branch' });
      assert.equal((await fairway.state()).status, 'CANCELLING');
      install.open();
      const state = await fairway.end(started);
      assert.equal(state.status, 'CANCELLED');
      assert.equal(await closeStatus(started), 'CANCELLED');
      assert.equal(state.steps.at(-1)?.status, 'CANCELLED');
      assert.deepEqual(
        inProduction(state).legs.map((leg) => leg.state),
        ['NEW', 'OLD'],
      );
      assert.ok(inProduction(state).dispatchers.every(({ service }) => service === 'in service'));
      assert.equal(state.decisions.at(-1)?.comment, 'wrong branch');
    });

    it('by a cancellation from the Web UI: the same, by an unknown person', async () => {
      const { started, install } = await interrupted();
      await fairway.client.temporal.workflow.getHandle(started.workflowId).cancel();
      install.open();
      const state = await fairway.end(started);
      assert.equal(state.status, 'CANCELLED');
      assert.equal(await closeStatus(started), 'CANCELLED');
      assert.equal(state.decisions.at(-1)?.by.subject, 'unknown');
    });

    it('by termination: the deployment still cleans up, and the next execution deploys when it has', async () => {
      const { started, install } = await interrupted();
      await fairway.client.temporal.workflow.getHandle(started.workflowId).terminate('test');
      world.change({ installPackage: async () => ({ how: 'installed', seconds: 0 }) });
      const start = { programId: '1', pipelineId: '101', mode: 'NORMAL', by: ann } as const;
      let next: Started | undefined;
      await until('the program knows that it has ended', async () => {
        next = await fairway.client.start(start).catch(() => undefined);
        return next !== undefined;
      });
      assert.ok(next);
      const { executionId } = next;
      await until(
        'the next one waits for production',
        async () => {
          const { steps } = await fairway.state(executionId);
          return /waiting for the environment: .*deploy/.test(steps.at(-1)?.details ?? '');
        },
        30_000,
      );
      assert.equal(world.done('attachDispatcher').length, 2, 'stage, twice');
      install.open();
      assert.equal((await fairway.end(next)).status, 'FINISHED');
      assert.equal(
        world.done('attachDispatcher').length,
        5,
        'and both legs of production, the first one twice',
      );
    });
  });

  it('of an execution that is terminated in its tests: stage is free at once', async () => {
    const test = gate();
    const started = await deploy({
      securityTest: async () => {
        await test.hold();
        return { metrics: [], results: { key: '', sha256: '', size: 0 } };
      },
    });
    await until('stage is tested', () => test.arrivals() === 1, 30_000);
    const lease = fairway.client.temporal.workflow.getHandle('environment-1-11');
    assert.equal((await lease.describe()).status.name, 'RUNNING');
    await fairway.client.temporal.workflow.getHandle(started.workflowId).terminate('test');
    await until('the lease is free', async () => (await lease.describe()).status.name !== 'RUNNING');
    test.open();
    assert.equal((await fairway.end(await deploy())).status, 'FINISHED');
  });

  describe('that begins when somebody cancels', () => {
    const begins = async (step: 'codeQuality' | 'approval', name: string, answer: object) => {
      const metrics = [metric('code_coverage', 'important', step === 'approval')];
      const results = { key: '', sha256: '', size: 0 };
      const started = await deploy({ codeQuality: async () => ({ metrics, results }) }, { approval: true });
      await fairway.waitsAt(step);
      const { workflow } = fairway.client.temporal;
      const execution = workflow.getHandle(started.workflowId, started.runId);
      await execution.signal(name, { executionId: started.executionId, by: ann, ...answer });
      await execution.cancel();
      assert.equal((await fairway.end(started)).status, 'CANCELLED');
    };

    it('lets go of stage', async () => {
      const metrics = [{ kpi: 'code_coverage', override: true }];
      await begins('codeQuality', 'override', { step: 'codeQuality', metrics });
      assert.equal(await userOf(fairway.client.temporal, '1', '11'), undefined);
    });

    it('lets go of production', async () => {
      await begins('approval', 'approve', { approved: true });
      assert.equal(await userOf(fairway.client.temporal, '1', '12'), undefined);
      assert.ok(!world.done('detachDispatcher').includes('detachDispatcher dispatcher2'));
    });
  });

  it('waits for an environment that another pipeline holds, naming it, and goes on when it is free', async () => {
    const test = gate();
    const base = definition(production);
    const pipelines = [...base.pipelines, { ...base.pipelines[0]!, id: '102', name: 'Second pipeline' }];
    const first = await fairway.begin(
      {
        securityTest: async () => (
          await test.hold(),
          { metrics: [], results: { key: '', sha256: '', size: 0 } }
        ),
      },
      { pipeline: production, program: { pipelines } },
    );
    await until('the first one tests on stage', () => test.arrivals() === 1);
    await fairway.client.start({ programId: '1', pipelineId: '102', mode: 'NORMAL', by: ann });
    const second = { programId: '1', pipelineId: '102' };
    await until('the second one waits for stage', async () => {
      const { steps } = await fairway.client.execution(second);
      return /waiting for the environment: .*Production pipeline/.test(
        steps.find(({ id }) => id === 'stageDeploy')?.details ?? '',
      );
    });
    test.open();
    assert.equal((await fairway.end(first)).status, 'FINISHED');
    await until(
      'the second one finishes',
      async () => (await fairway.client.execution(second)).status === 'FINISHED',
      30_000,
    );
  });

  it('returns dispatchers to service that an earlier deployment left out, before it begins', async () => {
    let left = ['dispatcher1'];
    const started = await deploy({
      outOfService: async () => left.splice(0),
      reconcileConfiguration: async () => ({
        state: 'old',
        done: ['restored the configuration of an earlier deployment'],
      }),
    });
    const state = await fairway.end(started);
    assert.equal(state.status, 'FINISHED');
    assert.deepEqual(world.done('attachDispatcher').length, 4);
    assert.ok(state.deployments[0]?.reconciled.includes('dispatcher1: returned to service'));
    left = [];
  });

  it('deploys first to a leg that cannot be returned to service, before another one is taken out', async () => {
    const inProductionNow = () => world.done('loadTest').length > 0;
    const started = await deploy({
      outOfService: async () => (inProductionNow() ? ['dispatcher2'] : []),
      attachDispatcher: async ({ dispatcher }) => {
        // Its publish instance gives no good page before it was deployed to.
        if (inProductionNow() && !world.done('flush').slice(1).includes(`flushPaths ${dispatcher.id}`))
          throw new Failure('Rejected', 'it answers 503');
        return { at: new Date().toISOString() };
      },
    });
    const state = await fairway.end(started);
    assert.equal(state.status, 'FINISHED', state.failure?.message);
    assert.deepEqual(world.done('detach').slice(1), [
      'detachDispatcher dispatcher2',
      'detachDispatcher dispatcher1',
    ]);
    assert.match(
      inProduction(state).remaining?.join() ?? '',
      /dispatcher2: .*does not return: it answers 503/,
    );
  });

  it('asks an instance that does not answer again, and calls it an ERROR when it stays away', async () => {
    let asked = 0;
    const started = await deploy({
      preflightInstance: async ({ instance }) => {
        if (instance.id !== 'publish1') return [];
        asked += 1;
        throw new Failure('Unavailable', 'http://publish1 does not answer');
      },
    });
    const state = await fairway.end(started);
    assert.equal(state.status, 'ERROR');
    assert.match(state.failure?.message ?? '', /nothing was changed: publish1: http:\/\/publish1 does not/);
    assert.ok(asked > 1, `asked ${asked} times`);
  });
});
