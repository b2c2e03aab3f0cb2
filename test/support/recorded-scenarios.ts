import type { MessageName } from '../../src/model/messages.ts';
import type { Started } from '../../src/model/program.ts';
import { Failure } from '../../src/systems/failure.ts';
import { ann, type Harness } from '../workflows/harness.ts';
import { metric, type World } from '../workflows/scripted-world.ts';
import { aemArtifact, clusterEnvironment, definition, dispatcherArtifact, uiTests } from './definition.ts';
import { gate } from './gate.ts';
import { until } from './until.ts';

/** Keeps the history of a workflow, the latest of its id or a certain run, if it is in this status. */
export type Keep = (
  name: string,
  workflowId: string,
  ending: 'RUNNING' | 'COMPLETED' | 'FAILED' | 'CANCELLED' | 'TERMINATED' | 'CONTINUED_AS_NEW',
  runId?: string,
) => Promise<void>;

export type Scenario = (fairway: Harness, keep: Keep) => Promise<void>;

const program = 'program-1';
const stageLease = 'environment-1-11';
const stageDeployment = `${stageLease}-deployment`;
const productionDeployment = 'environment-1-12-deployment';

const noQuestions = { approval: false, schedule: false, cse: undefined };
const results = { key: 'results.json', sha256: '0', size: 2 };
const reports = { tests: { run: 3, failed: 0, skipped: 0 } };
const engine = 'local process';
const DAY = 24 * 60 * 60 * 1000;

const twoPackages: World['build'] = async () => ({
  artifacts: [
    aemArtifact('site.content', '1.0.0', ['site.apps']),
    aemArtifact('site.apps'),
    dispatcherArtifact,
  ],
  reports,
  engine,
});

const send = (fairway: Harness, started: Started, name: MessageName, body: object = {}) =>
  fairway.client.send(name, fairway.address(started), { by: ann, ...body });

async function endsAs(fairway: Harness, started: Started, status: string): Promise<void> {
  const state = await fairway.end(started);
  if (state.status !== status) throw new Error(`it is ${state.status}: ${state.failure?.message}`);
}

async function cancelled(fairway: Harness, started: Started): Promise<void> {
  await send(fairway, started, 'cancel', { reason: 'wrong branch' });
  await endsAs(fairway, started, 'CANCELLED');
}

/** Answers all three questions at once. */
async function answerAll(fairway: Harness, started: Started): Promise<void> {
  await fairway.waitsAt('approval');
  await send(fairway, started, 'approve', { approved: true, comment: 'go' });
  await fairway.waitsAt('schedule');
  await send(fairway, started, 'schedule', { at: 'NOW', timeZone: 'Europe/Berlin' });
  await fairway.waitsAt('managed');
  await send(fairway, started, 'cseSupport', { start: true });
}

const finished: Scenario = async (fairway, keep) => {
  const started = await fairway.begin({ build: twoPackages });
  const { runId } = await fairway.client.temporal.workflow.getHandle(program).describe();
  await keep('first-start', program, 'RUNNING', runId);
  await answerAll(fairway, started);
  await endsAs(fairway, started, 'FINISHED');
  await keep('finished', started.workflowId, 'COMPLETED', started.runId);
  await keep('all-at-once', stageDeployment, 'COMPLETED');
  await keep('rolling', productionDeployment, 'COMPLETED');
  await keep('let-go', stageLease, 'TERMINATED');
};

const emergency: Scenario = async (fairway, keep) => {
  const started = await fairway.begin({}, { mode: 'EMERGENCY' });
  await answerAll(fairway, started);
  await endsAs(fairway, started, 'FINISHED');
  await keep('emergency-finished', started.workflowId, 'COMPLETED', started.runId);
};

const questions: Scenario = async (fairway, keep) => {
  const poor = { metrics: [metric('coverage', 'important', false)], results };
  const started = await fairway.begin({ codeQuality: async () => poor });
  await fairway.waitsAt('codeQuality');
  await keep('waiting-at-gate', started.workflowId, 'RUNNING', started.runId);
  await send(fairway, started, 'override', {
    step: 'codeQuality',
    metrics: [{ kpi: 'coverage', override: true }],
  });
  await fairway.waitsAt('approval');
  await keep('waiting-at-approval', started.workflowId, 'RUNNING', started.runId);
  await send(fairway, started, 'approve', { approved: false, comment: 'not before the holidays' });
  await endsAs(fairway, started, 'FAILED');
  await keep('failed-approval-rejected', started.workflowId, 'FAILED', started.runId);
};

const scheduled: Scenario = async (fairway, keep) => {
  const started = await fairway.begin({}, { pipeline: { cse: undefined } });
  const from = (ms: number) => new Date(Date.now() + ms).toISOString();
  await fairway.waitsAt('approval');
  await fairway.client.temporal.workflow.getHandle(started.workflowId).signal('approve');
  await fairway.client.send('approve', fairway.address(started), { by: ann, approved: true }, 'signal');
  await fairway.waitsAt('schedule');
  await send(fairway, started, 'schedule', { at: from(30 * DAY), timeZone: 'Europe/Berlin' });
  await until('it is scheduled', async () => (await fairway.state()).scheduledFor !== undefined);
  await keep('waiting-at-schedule-instant', started.workflowId, 'RUNNING', started.runId);
  await send(fairway, started, 'schedule', { at: from(1500), timeZone: 'Europe/Berlin' });
  await endsAs(fairway, started, 'FINISHED');
  await keep('finished-at-its-instant', started.workflowId, 'COMPLETED', started.runId);
};

const cseRefused: Scenario = async (fairway, keep) => {
  const started = await fairway.begin({}, { pipeline: { approval: false, schedule: false, cse: 'MY_CSE' } });
  await fairway.waitsAt('managed');
  await keep('waiting-at-cse', started.workflowId, 'RUNNING', started.runId);
  await send(fairway, started, 'cseSupport', { start: false, comment: 'no window' });
  await endsAs(fairway, started, 'FAILED');
  await keep('failed-cse-refused', started.workflowId, 'FAILED', started.runId);
};

const timedOut: Scenario = async (fairway, keep) => {
  const started = await fairway.begin({}, { program: { timeouts: { approval: 1000 / DAY } } });
  await endsAs(fairway, started, 'FAILED');
  await keep('timed-out', started.workflowId, 'FAILED', started.runId);
};

/** Steps that fail by themselves: the names of the execution and of the deployment that failed, where it differs. */
const failing =
  (
    name: string | undefined,
    script: Partial<World>,
    deployment?: { readonly name: string; readonly id: string },
    status = 'FAILED',
  ): Scenario =>
  async (fairway, keep) => {
    const started = await fairway.begin({ build: twoPackages, ...script }, { pipeline: noQuestions });
    await endsAs(fairway, started, status);
    if (name) await keep(name, started.workflowId, 'FAILED', started.runId);
    if (deployment) await keep(deployment.name, deployment.id, 'FAILED');
  };

const secondReloadFails: Partial<World> = {
  reloadHttpd: async ({ node }) => {
    if (node.environmentId === '12' && node.nodeId === 'dispatcher2')
      throw new Failure('Rejected', 'Apache refused it');
  },
};

const failures: Scenario[] = [
  failing('failed-validation', {
    validate: async () => ({
      problems: [{ thing: 'branch main', problem: 'does not exist', remedy: 'push it' }],
      warnings: ['production has one leg'],
    }),
    checkAgent: async ({ node }) => (node.nodeId === 'dispatcher2' ? ['the disk is full'] : []),
  }),
  failing('failed-gate', {
    codeQuality: async () => ({ metrics: [metric('security_rating', 'critical', false)], results }),
  }),
  failing(
    'failed-preflight',
    {
      preflightInstance: async ({ instance }) =>
        instance.id === 'publish1' ? ['example:base is missing'] : [],
      preflightConfiguration: async () => {
        throw new Failure('Rejected', 'config test failed', { details: ['Invalid command NoSuchDirective'] });
      },
    },
    { name: 'failed-preflight', id: stageDeployment },
  ),
  failing('failed-mixed', secondReloadFails, { name: 'failed-restored', id: productionDeployment }),
  failing(
    undefined,
    { ...secondReloadFails, restoreConfiguration: async () => 'inconsistent' },
    { name: 'failed-leg-out', id: productionDeployment },
  ),
  failing(
    'failed-installation',
    {
      installPackage: async ({ instance }) => {
        if (instance.id === 'publish1') throw new Failure('NotReady', 'bundle site.core is not active');
        return { how: 'installed', seconds: 1 };
      },
    },
    { name: 'failed-last-leg-in-service', id: stageDeployment },
    'ERROR',
  ),
  failing(
    undefined,
    {
      flushPaths: async ({ flush }) =>
        flush.map((path) => ({ path, action: 'flush', ok: false, answer: '403' })),
    },
    { name: 'failed-flush', id: stageDeployment },
  ),
];

const withoutDetaching: Scenario = async (fairway, keep) => {
  const started = await fairway.begin(
    { build: async () => ({ artifacts: [dispatcherArtifact], reports, engine }) },
    { pipeline: { ...noQuestions, skipDetachingDispatchers: true } },
  );
  await endsAs(fairway, started, 'FINISHED');
  await keep('without-detaching', stageDeployment, 'COMPLETED');
  await keep('only-dispatchers', productionDeployment, 'COMPLETED');
};

const reconciled: Scenario = async (fairway, keep) => {
  const left = ['dispatcher1'];
  const started = await fairway.begin(
    {
      outOfService: async () => left.splice(0),
      reconcileConfiguration: async () => ({ state: 'old', done: ['restored the configuration'] }),
    },
    { pipeline: noQuestions },
  );
  await endsAs(fairway, started, 'FINISHED');
  await keep('reconciled', stageDeployment, 'COMPLETED');
};

const repairs: Scenario = async (fairway, keep) => {
  const repair = async (script: Partial<World>) => {
    fairway.world.begin(script);
    await fairway.client.repair('1', '12', ann);
  };
  const left = ['dispatcher1'];
  await repair({ outOfService: async () => left });
  await keep('made-good', productionDeployment, 'COMPLETED');
  await repair({});
  await keep('nothing-to-do', productionDeployment, 'COMPLETED');
  await repair({
    preflightInstance: async ({ instance }) => (instance.id === 'publish2' ? ['its installer is busy'] : []),
    outOfService: async () => ['dispatcher2'],
    reconcileConfiguration: async ({ node }) => ({
      state: node.nodeId === 'dispatcher1' ? 'inconsistent' : 'old',
      done: [],
    }),
  });
  await keep('left-something', productionDeployment, 'FAILED');
};

/** Interrupted while publish1 of production installs. */
const interrupted =
  (name: string, interrupt: (fairway: Harness, started: Started) => Promise<unknown>): Scenario =>
  async (fairway, keep) => {
    const install = gate();
    const { world, client } = fairway;
    const started = await fairway.begin(
      {
        installPackage: async ({ instance }) => {
          if (world.done('loadTest').length > 0 && instance.id === 'publish1') await install.hold();
          return { how: 'installed', seconds: 1 };
        },
      },
      { pipeline: noQuestions },
    );
    await until('publish1 installs', () => install.arrivals() === 1, 30_000);
    await interrupt(fairway, started);
    install.open();
    const deployment = client.temporal.workflow.getHandle(productionDeployment);
    await until('it ends', async () => (await deployment.describe()).status.name === 'CANCELLED', 30_000);
    await keep(`cancelled-${name}`, productionDeployment, 'CANCELLED');
    await fairway.end(started).catch(() => undefined);
    const ended = name === 'by-termination' ? 'TERMINATED' : 'CANCELLED';
    await keep(`cancelled-${name}`, started.workflowId, ended, started.runId);
  };

const interruptions: Scenario[] = [
  interrupted('by-message', (fairway, started) =>
    send(fairway, started, 'cancel', { reason: 'wrong branch' }),
  ),
  interrupted('from-outside', ({ client }, { workflowId }) =>
    client.temporal.workflow.getHandle(workflowId).cancel(),
  ),
  interrupted('by-termination', ({ client }, { workflowId }) =>
    client.temporal.workflow.getHandle(workflowId).terminate('test'),
  ),
];

const cancelledLease: Scenario = async (fairway, keep) => {
  const test = gate();
  const started = await fairway.begin(
    {
      securityTest: async () => {
        await test.hold();
        return { metrics: [], results };
      },
    },
    { pipeline: noQuestions },
  );
  await until('stage is tested', () => test.arrivals() === 1, 30_000);
  await keep('held', stageLease, 'RUNNING');
  const lease = fairway.client.temporal.workflow.getHandle(stageLease);
  await lease.cancel();
  await until('it ends', async () => (await lease.describe()).status.name === 'CANCELLED', 30_000);
  await keep('cancelled-by-hand', stageLease, 'CANCELLED');
  test.open();
  await endsAs(fairway, started, 'FINISHED');
};

/** The storage does not take the record at once. */
const recordedLater: Scenario = async (fairway, keep) => {
  let refusals = 1;
  const started = await fairway.begin(
    {
      recordExecution: async () => {
        if (refusals-- > 0) throw new Failure('Unavailable', 'the storage is away');
        return results;
      },
    },
    { pipeline: noQuestions },
  );
  await endsAs(fairway, started, 'FINISHED');
  await keep('recorded-later', started.workflowId, 'COMPLETED', started.runId);
};

const waitedForEnvironment: Scenario = async (fairway, keep) => {
  const test = gate();
  const { pipelines } = definition(noQuestions);
  const securityTest: World['securityTest'] = async () => {
    await test.hold();
    return { metrics: [], results };
  };
  const first = await fairway.begin(
    { securityTest },
    {
      pipeline: noQuestions,
      program: { pipelines: [...pipelines, { ...pipelines[0]!, id: '102', name: 'Second pipeline' }] },
    },
  );
  await until('the first one tests on stage', () => test.arrivals() === 1);
  const second = await fairway.client.start({ programId: '1', pipelineId: '102', mode: 'NORMAL', by: ann });
  const address = { programId: '1', pipelineId: '102' };
  const detailsOfDeploy = async () =>
    (await fairway.client.execution(address)).steps.find(({ id }) => id === 'stageDeploy')?.details ?? '';
  await until('the second one waits', async () =>
    (await detailsOfDeploy()).startsWith('waiting for the env'),
  );
  await keep('waiting-for-environment', second.workflowId, 'RUNNING', second.runId);
  test.open();
  await endsAs(fairway, first, 'FINISHED');
  await fairway.client.temporal.workflow.getHandle(second.workflowId, second.runId).result();
  await keep('waited-for-environment', second.workflowId, 'COMPLETED', second.runId);
};

/** The other kinds of pipelines; they leave the program again while nothing of them runs. */
const notForProduction: Scenario = async (fairway, keep) => {
  const repository = { url: 'file:///nowhere', branch: 'main' };
  const { environments, pipelines } = definition(noQuestions);
  const dev = { ...environments[0]!, id: '10', name: 'Dev', type: 'dev' as const };
  await fairway.apply({
    environments: [dev, ...environments],
    pipelines: [
      ...pipelines,
      { id: '103', name: 'Dev', type: 'deployment', repository, devEnvironment: '10' },
      { id: '104', name: 'Quality', type: 'codeQuality', repository: { url: 'file:///nowhere', tag: '1.0' } },
    ],
  });
  for (const [pipelineId, name] of [
    ['103', 'deployed-to-dev'],
    ['104', 'judged'],
  ] as const) {
    const started = await fairway.client.start({ programId: '1', pipelineId, mode: 'NORMAL', by: ann });
    await fairway.client.temporal.workflow.getHandle(started.workflowId, started.runId).result();
    await keep(name, started.workflowId, 'COMPLETED', started.runId);
  }
};

/** A program that waits with an execution until the one before has kept its record. */
const keepsItsRecord: Scenario = async (fairway, keep) => {
  const kept = gate();
  const recordExecution = async () => {
    await kept.hold();
    return results;
  };
  const first = await fairway.begin({ recordExecution });
  await send(fairway, first, 'cancel');
  await until('it has ended', async () => (await fairway.state()).status === 'CANCELLED');
  const next = fairway.client.start({ programId: '1', pipelineId: '101', mode: 'NORMAL', by: ann });
  kept.open();
  await cancelled(fairway, await next);
  await keep('waited-for-record', program, 'RUNNING');
};

/** A program that is continued as new while an execution runs: only the server then knows that it does. */
const continued: Scenario = async (fairway, keep) => {
  const { client } = fairway;
  const started = await fairway.begin();
  await fairway.waitsAt('approval');
  const handle = client.temporal.workflow.getHandle(program);
  const { runId } = await handle.describe();
  const refused = () =>
    client.start({ programId: '1', pipelineId: '101', mode: 'NORMAL', by: ann }).then(
      () => Promise.reject(new Error('a second execution was started')),
      () => undefined,
    );
  await refused();
  for (let change = 0; (await handle.describe()).runId === runId; change += 1) {
    const { revision = 0 } = (await client.program('1')) ?? {};
    await client.apply(definition({ name: `Changed ${change}` }), revision, ann);
  }
  await keep('continued', program, 'CONTINUED_AS_NEW', runId);
  await refused();
  await client.setEmergency('1', true, ann);
  await client.setEmergency('1', false, ann);
  await client
    .start({ programId: '1', pipelineId: '101', mode: 'EMERGENCY', by: ann })
    .catch(() => undefined);
  await cancelled(fairway, started);
  const next = await client.start({ programId: '1', pipelineId: '101', mode: 'NORMAL', by: ann });
  await fairway.waitsAt('approval');
  await cancelled(fairway, next);
  await keep('cancelled-while-waiting', next.workflowId, 'CANCELLED', next.runId);
  await keep('after-continuation', program, 'RUNNING');
};

const beside: Scenario = async ({ client }, keep) => {
  const { temporal } = client;
  const handle = await temporal.workflow.start('pipelineExecution', {
    taskQueue: 'fairway',
    workflowId: 'pipeline-1-777',
    args: [{ executionId: '0000000777', program: { id: '1' } }],
  });
  await handle.result().catch(() => undefined);
  await keep('refused-without-program', handle.workflowId, 'FAILED');
};

/** Of Cloud Service: to production, and to its end by tests of stage that fail. */
const cloudService: Scenario = async (fairway, keep) => {
  const program = { type: 'aem_cloud_service' } as const;
  const good = await fairway.begin({ build: twoPackages }, { pipeline: noQuestions, program });
  await endsAs(fairway, good, 'FINISHED');
  await keep('cloud-service', good.workflowId, 'COMPLETED', good.runId);
  const functionalTest: World['functionalTest'] = async () => ({
    ...{ passed: false, result: '1 of 2 tests failed: PagesIT.home', failures: [], report: results },
    tests: { run: 2, failed: 1, skipped: 0 },
  });
  const bad = await fairway.begin({ functionalTest }, { pipeline: noQuestions, program });
  await endsAs(fairway, bad, 'FAILED');
  await keep('failed-functional-test', bad.workflowId, 'FAILED', bad.runId);
};

/** The same with UI tests, which the build need not bring. */
const uiTested: Scenario = async (fairway, keep) => {
  const build: World['build'] = async (input) => {
    const built = await twoPackages(input);
    return { ...built, artifacts: [...built.artifacts, uiTests] };
  };
  const program = { type: 'aem_cloud_service' } as const;
  const good = await fairway.begin({ build }, { pipeline: noQuestions, program });
  await endsAs(fairway, good, 'FINISHED');
  await keep('ui-tested', good.workflowId, 'COMPLETED', good.runId);
};

/** To namespaces of a cluster; and undone, because production never becomes ready. */
const toCluster: Scenario = async (fairway, keep) => {
  const environments = [
    clusterEnvironment('11', 'Stage', 'stage'),
    clusterEnvironment('12', 'Production', 'prod'),
  ];
  const program = { type: 'aem_cloud_service', environments } as const;
  const good = await fairway.begin({}, { pipeline: noQuestions, program });
  await endsAs(fairway, good, 'FINISHED');
  await keep('to-cluster', good.workflowId, 'COMPLETED', good.runId);
  await keep('to-cluster', 'environment-1-12-deployment', 'COMPLETED');
  const waitForRollout: World['waitForRollout'] = async ({ cluster }) => {
    if (cluster.namespace === 'site-prod') throw new Failure('NotReady', 'publish: 1 of 2 ready');
  };
  const bad = await fairway.begin({ waitForRollout }, { pipeline: noQuestions, program });
  await endsAs(fairway, bad, 'ERROR');
  await keep('undone-on-cluster', 'environment-1-12-deployment', 'FAILED');
};

const reExecuted: Scenario = async (fairway, keep) => {
  const first = await fairway.begin({ build: twoPackages, ...secondReloadFails }, { pipeline: noQuestions });
  await endsAs(fairway, first, 'FAILED');
  const { commit, artifactsVersion, artifacts } = await fairway.state(first.executionId);
  fairway.world.begin({
    validate: async () => ({
      problems: [],
      warnings: [],
      reExecuted: { commit, artifactsVersion, artifacts },
    }),
  });
  const again = await fairway.client.start({
    ...{ programId: '1', pipelineId: '101', mode: 'NORMAL', by: ann },
    reExecutes: first.executionId,
  });
  await endsAs(fairway, again, 'FINISHED');
  await keep('re-executed', again.workflowId, 'COMPLETED', again.runId);
};

export const scenarios: readonly Scenario[] = [
  finished,
  emergency,
  questions,
  scheduled,
  cseRefused,
  timedOut,
  ...failures,
  withoutDetaching,
  reconciled,
  repairs,
  ...interruptions,
  cancelledLease,
  recordedLater,
  waitedForEnvironment,
  notForProduction,
  cloudService,
  uiTested,
  toCluster,
  reExecuted,
  keepsItsRecord,
  continued,
  beside,
];
