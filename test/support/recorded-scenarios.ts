import type { MessageName } from '../../src/model/messages.ts';
import type { Started } from '../../src/model/program.ts';
import { Failure } from '../../src/systems/failure.ts';
import { ann, type Harness } from '../workflows/harness.ts';
import { metric, type World } from '../workflows/scripted-world.ts';
import { aemArtifact, definition, dispatcherArtifact } from './definition.ts';
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
const productionLease = 'environment-1-12';
const stageDeployment = `${stageLease}-deployment`;
const productionDeployment = `${productionLease}-deployment`;

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
  await keep('released', stageLease, 'COMPLETED');
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
    await keep(`cancelled-${name}`, productionLease, ended === 'TERMINATED' ? 'TERMINATED' : 'COMPLETED');
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
  const second = await fairway.client.start('1', '102', 'NORMAL', ann);
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

/** A program that is continued as new while an execution runs: only the server then knows that it does. */
const continued: Scenario = async (fairway, keep) => {
  const { client } = fairway;
  const started = await fairway.begin();
  await fairway.waitsAt('approval');
  const handle = client.temporal.workflow.getHandle(program);
  const { runId } = await handle.describe();
  const refused = () =>
    client.start('1', '101', 'NORMAL', ann).then(
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
  await client.start('1', '101', 'EMERGENCY', ann).catch(() => undefined);
  await cancelled(fairway, started);
  const next = await client.start('1', '101', 'NORMAL', ann);
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
  ...interruptions,
  waitedForEnvironment,
  continued,
  beside,
];
