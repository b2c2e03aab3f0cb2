import assert from 'node:assert/strict';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { msToTs } from '@temporalio/common/lib/time.js';
import { Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { FairwayClient } from '../../src/client/fairway-client.ts';
import { sendVisitors } from '../../src/local/demo/visitors.ts';
import { localTests, startEnvironment, type LocalEnvironment } from '../../src/local/environment.ts';
import type { LocalRepository } from '../../src/local/repository.ts';
import { startWorker, type WorkerProcess } from '../../src/local/worker-process.ts';
import type { BuildOutput } from '../../src/model/activities.ts';
import { packageLabel } from '../../src/model/artifacts.ts';
import { deploymentWorkflowId, type ExecutionState } from '../../src/model/execution.ts';
import { searchAttributes } from '../../src/model/search-attributes.ts';
import { hashTree, immutableTest } from '../../src/systems/httpd/tree.ts';
import { loadBalancerOf } from '../../src/systems/load-balancer/choose.ts';
import type { LoadResult } from '../../src/systems/load/http-load.ts';
import type { WorkerSettingsInput } from '../../src/worker/settings.ts';
import { workflowCode } from '../../src/worker/workflow-code.ts';
import type { KillPlan } from './killable-worker.ts';
import { activitiesOf, type KillPoint, type RecordedActivity } from './kill-points.ts';
import { until } from './until.ts';

const PROGRAM = '1001';
const PIPELINE = '2001';
const tester = { subject: 'tester', via: 'test', verified: false };
/** Temporal's numbers for the types of search attributes. */
const attributeTypes = { Keyword: 2, Datetime: 6 } as const;

export interface Surroundings {
  readonly temporalAddress: string;
  readonly repository: LocalRepository;
  readonly modulePath: string;
  readonly workflowBundle: string;
  /** Program of the workers. */
  readonly worker: string;
  readonly folder: string;
}

/** Bundled once: a worker that is started a hundred times should not do it a hundred times. */
export async function bundleWorkflows(folder: string): Promise<string> {
  const { code } = await bundleWorkflowCode({
    ...workflowCode,
    logger: new DefaultLogger('ERROR', () => undefined),
  });
  const path = join(folder, 'workflows.js');
  await writeFile(path, code);
  return path;
}

/** What is the same after every run that finished, however it was disturbed. */
export interface Ending {
  readonly trees: readonly string[];
  /** Kinds of files in the state folders of the agents. */
  readonly left: readonly string[];
}

export interface RunOutcome {
  readonly state: ExecutionState;
  readonly visitors: LoadResult;
  readonly before: readonly string[];
  readonly ending: Ending;
  readonly activities: readonly RecordedActivity[];
  /** Names of the points at which an activity has died. */
  readonly reached: readonly string[];
  readonly kills: number;
}

/** A namespace with a stage and a production of its own, a worker and agents in processes of their own, supervised. */
export async function disturbedRun(
  name: string,
  around: Surroundings,
  points: readonly KillPoint[],
  earlier?: { readonly built: BuildOutput; readonly storage: string },
): Promise<RunOutcome> {
  const folder = join(around.folder, name);
  const reachedFolder = join(folder, 'reached');
  await mkdir(reachedFolder, { recursive: true });
  const storage = join(folder, 'storage');
  for (const { file } of earlier?.built.artifacts ?? [])
    await cp(join(earlier!.storage, file.key), join(storage, file.key));
  await createNamespace(around.temporalAddress, name);

  const running: { stop(): Promise<unknown> }[] = [];
  const started = <T extends { stop(): Promise<unknown> }>(thing: T): T => (running.push(thing), thing);
  try {
    const common = {
      programId: PROGRAM,
      secretsFolder: join(folder, 'secrets'),
      modulePath: around.modulePath,
    };
    const environment = async (id: string, type: 'stage' | 'prod', pairs: number) =>
      started(await startEnvironment({ ...common, id, name: type, type, pairs, folder: join(folder, type) }));
    const [stage, production] = [await environment('11', 'stage', 1), await environment('12', 'prod', 2)];

    const plan: KillPlan = {
      points,
      reachedFolder,
      workflowBundle: around.workflowBundle,
      built: earlier?.built,
    };
    await writeFile(join(folder, 'plan.json'), JSON.stringify(plan));
    const settings: WorkerSettingsInput = {
      temporal: { address: around.temporalAddress, namespace: name },
      storage,
      secrets: common.secretsFolder,
      workFolder: join(folder, 'work'),
      localRepositories: true,
      shutdownGraceSeconds: 0,
    };
    const agents = [...stage.agents, ...production.agents];
    const mavenRepository = join(homedir(), '.m2', 'repository');
    const worker = { ...settings, build: { engine: 'local' as const, mavenRepository } };
    const processes = await Promise.all([
      supervised(around.worker, folder, 'worker', worker),
      supervised(around.worker, folder, 'agents', { ...settings, orchestrator: false, agents }),
    ]);
    processes.forEach(started);

    const address = around.temporalAddress;
    const client = await FairwayClient.connect({ address, namespace: name, storage });
    running.push({ stop: () => client.close() });
    const program = definition(stage, production, around.repository);
    // A new namespace may take long to answer; applying the same again changes nothing.
    const applied = () =>
      client.apply(program, 0, tester).then(
        () => true,
        () => false,
      );
    await until('the program is applied', applied, 60_000);
    const before = await treesOf(stage, production);
    const visitors = sendVisitors(production.loadBalancer.url, 20);
    running.push(visitors);
    const handle = await client.start({
      ...{ programId: PROGRAM, pipelineId: PIPELINE },
      ...{ mode: 'NORMAL' as const, by: tester },
    });
    await client.temporal.workflow
      .getHandle(handle.workflowId, handle.runId)
      .result()
      .catch(() => undefined);
    await allServe(production);
    const load = await visitors.stop();

    const histories = [
      handle.workflowId,
      deploymentWorkflowId(PROGRAM, '11'),
      deploymentWorkflowId(PROGRAM, '12'),
    ].map(async (id) => activitiesOf(id, await client.temporal.workflow.getHandle(id).fetchHistory()));
    const { executionId } = handle;
    const state = await client.execution({ programId: PROGRAM, pipelineId: PIPELINE, executionId });
    if (state.status === 'FINISHED') assertDeployed(state, stage, production);
    return {
      state,
      visitors: load,
      before,
      ending: {
        trees: await treesOf(stage, production),
        left: await leftIn(
          agents.map(({ host }) => host.stateFolder),
          settings.workFolder,
        ),
      },
      activities: points.length > 0 ? [] : (await Promise.all(histories)).flat(),
      reached: await readdir(reachedFolder),
      kills: processes.reduce((sum, { deaths }) => sum + deaths(), 0),
    };
  } finally {
    for (const thing of running.reverse()) await thing.stop();
    if (earlier) await rm(folder, { recursive: true, force: true });
  }
}

/** Every package of the build is on every instance, and its pages are what the instance answers. */
function assertDeployed(state: ExecutionState, ...environments: readonly LocalEnvironment[]): void {
  const labels = state.artifacts.flatMap((artifact) =>
    artifact.kind === 'aem' ? [packageLabel(artifact.package.id)] : [],
  );
  assert.ok(labels.length > 0);
  for (const { author, publish, definition: of } of environments)
    for (const instance of [author, ...publish]) {
      const installed = instance.installed().map(packageLabel);
      for (const label of labels) {
        const count = installed.filter((other) => other === label).length;
        assert.equal(count, 1, `${label} is ${count} times on an instance of ${of.name}`);
      }
    }
}

/** A worker that is started again whenever it has died, as systemd would. */
async function supervised(file: string, folder: string, name: string, settings: WorkerSettingsInput) {
  const program = [file, join(folder, 'plan.json')] as const;
  let stopping = false;
  let deaths = 0;
  let process: WorkerProcess | undefined;
  const start = async (): Promise<void> => {
    process = await startWorker(folder, settings, { name, program });
    void process.ended.then(async () => {
      if (stopping) return;
      deaths += 1;
      starting = start().catch(start);
    });
  };
  let starting = start();
  await starting;
  return {
    deaths: () => deaths,
    async stop() {
      stopping = true;
      await starting.catch(() => undefined);
      await process?.stop();
    },
  };
}

async function createNamespace(address: string, namespace: string): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs('1 day'),
    });
    const attributes = Object.fromEntries(
      Object.entries(searchAttributes).map(([attribute, type]) => [attribute, attributeTypes[type]]),
    );
    // A server takes a moment to know its new namespace everywhere.
    await until(
      `namespace ${namespace} is there`,
      () =>
        connection.operatorService.addSearchAttributes({ namespace, searchAttributes: attributes }).then(
          () => true,
          () => false,
        ),
      30_000,
    );
  } finally {
    await connection.close();
  }
}

const definition = (
  stage: LocalEnvironment,
  production: LocalEnvironment,
  { url, branch }: LocalRepository,
) => ({
  id: PROGRAM,
  name: 'Example',
  type: 'aem_managed_services',
  environments: [stage.definition, production.definition],
  pipelines: [
    {
      id: PIPELINE,
      name: 'Production',
      type: 'production',
      repository: { url, branch },
      stageEnvironment: '11',
      productionEnvironment: '12',
      approval: false,
      schedule: false,
      importantMetricsFailureBehavior: 'CONTINUE',
      dispatcherCacheFlushPaths: ['/content/site/en'],
      dispatcherCacheInvalidationPaths: ['/content/site'],
    },
  ],
  ...localTests,
  performance: { ...localTests.performance, durationSeconds: 1 },
});

const treesOf = (...environments: readonly LocalEnvironment[]): Promise<string[]> =>
  Promise.all(
    environments
      .flatMap(({ dispatchers }) => dispatchers)
      .map(({ serverRoot }) => hashTree(serverRoot, immutableTest([]))),
  );

async function allServe({ definition: { loadBalancer, dispatchers } }: LocalEnvironment): Promise<void> {
  assert.ok(loadBalancer);
  let states: string[] = [];
  await until('every dispatcher is in service', async () => {
    const servers = await loadBalancerOf(loadBalancer, dispatchers).servers();
    states = servers.map(({ name, status }) => `${name} ${status}`);
    return servers.every(({ status }) => status === 'up');
  }).catch((error: Error) => {
    throw new Error(`${error.message}: ${states.join(', ')}`);
  });
}

/** Names of what is left, without what differs from run to run; how far each deployment came on its host. */
async function leftIn(stateFolders: readonly string[], workFolder: string): Promise<string[]> {
  const names = await Promise.all(stateFolders.map((folder) => readdir(folder)));
  const phases = await Promise.all(
    stateFolders.map(async (folder) => {
      const text = await readFile(join(folder, 'journal.json'), 'utf8').catch(() => '{"phase":"not begun"}');
      return (JSON.parse(text) as { phase: string }).phase;
    }),
  );
  const work = (await readdir(workFolder).catch(() => [])).map((name) => `work ${name}`);
  const kinds = names.flat().map((name) => name.replace(/-[0-9a-f].*$/, ''));
  return [...new Set([...kinds, ...phases, ...work])].sort();
}
