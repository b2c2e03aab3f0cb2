import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { FairwayClient } from '../../src/client/fairway-client.ts';
import { buildModule } from '../../src/local/dispatcher/build-module.ts';
import { siteConfiguration, startDispatcher } from '../../src/local/dispatcher/node.ts';
import { startEnvironment, type LocalEnvironment } from '../../src/local/environment.ts';
import { freePorts } from '../../src/local/ports.ts';
import { Running } from '../../src/local/running.ts';
import { cacheFolder, prepare } from '../../src/local/setup/prepare.ts';
import { startTemporal } from '../../src/local/temporal-server.ts';
import { startWorker } from '../../src/local/worker-process.ts';
import type { DeploymentProgress } from '../../src/model/deployment.ts';
import { deploymentWorkflowId } from '../../src/model/execution.ts';
import type { Environment } from '../../src/model/schema/definition.ts';
import { loadBalancerOf } from '../../src/systems/load-balancer/choose.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import type { Storage } from '../../src/systems/storage/storage.ts';
import type { WorkerSettingsInput } from '../../src/worker/settings.ts';
import { RunningDeployment, type ActivityName } from './running-deployment.ts';
import { storeRelease, treeOf, type Release } from './releases.ts';
import type { SmallDisk } from './small-disk.ts';
import { until } from './until.ts';

const PROGRAM = '1001';
const PRODUCTION = '12';
const tester = { subject: 'tester', via: 'test', verified: false };

/** A process of the platform that a test may end and start again. */
export class Restartable {
  readonly #launch: () => Promise<{ pid: number; stop(): Promise<void> }>;
  #running: { pid: number; stop(): Promise<void> } | undefined;

  constructor(
    launch: () => Promise<{ pid: number; stop(): Promise<void> }>,
    running?: { pid: number; stop(): Promise<void> },
  ) {
    this.#launch = launch;
    this.#running = running;
  }

  async start(): Promise<void> {
    this.#running = await this.#launch();
  }

  /** In good order. */
  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }

  /** SIGKILL to it and all that it started. */
  async kill(): Promise<void> {
    if (this.#running) process.kill(-this.#running.pid, 'SIGKILL');
    await this.stop();
  }
}

/**
 * A production environment of two legs with real servers, Temporal, a worker and an agent for each dispatcher, each a
 * process of its own, for the enclosing `describe`.
 */
export function faultPlatform(disk?: SmallDisk): FaultPlatform {
  const platform = new FaultPlatform(disk);
  before(async function () {
    this.timeout(120_000);
    await platform.start();
  });
  after(async function () {
    this.timeout(60_000);
    await platform.stop();
  });
  return platform;
}

export class FaultPlatform {
  readonly #running = new Running();
  readonly #disk: SmallDisk | undefined;
  #releases = 0;
  folder = '';
  storage!: Storage;
  client!: FairwayClient;
  environment!: LocalEnvironment;
  definition!: Environment;
  temporal!: Restartable;
  worker!: Restartable;
  /** Of dispatcher1 and dispatcher2. */
  agents!: readonly Restartable[];
  httpds!: readonly Restartable[];

  /** @param disk where dispatcher1 is to live */
  constructor(disk?: SmallDisk) {
    this.#disk = disk;
  }

  get storageFolder(): string {
    return join(this.folder, 'storage');
  }

  async start(): Promise<void> {
    this.folder = await mkdtemp(join(tmpdir(), 'fairway-faults-'));
    const tools = await prepare(['temporal', 'apache2', 'apxs', 'cc', 'haproxy'], () => undefined);
    const [port = 0, uiPort = 0] = await freePorts(2);
    const address = `127.0.0.1:${port}`;
    const folder = join(this.folder, 'temporal');
    this.temporal = new Restartable(() =>
      startTemporal({ folder, executable: tools.temporal, port, uiPort }),
    );
    await this.#start(this.temporal);
    await this.#startEnvironment();

    const settings: WorkerSettingsInput = {
      temporal: { address },
      storage: this.storageFolder,
      secrets: join(this.folder, 'secrets'),
      workFolder: join(this.folder, 'work'),
      shutdownGraceSeconds: 0,
    };
    this.worker = new Restartable(() => startWorker(this.folder, settings));
    this.agents = this.environment.agents.map(
      (agent) =>
        new Restartable(() =>
          startWorker(
            this.folder,
            { ...settings, orchestrator: false, agents: [agent] },
            { name: `agent-${agent.node.nodeId}` },
          ),
        ),
    );
    await Promise.all([this.worker, ...this.agents].map((process) => this.#start(process)));

    this.storage = fileStorage(this.storageFolder);
    this.client = await FairwayClient.connect({ address });
    this.#running.add({ stop: () => this.client.close() });
    const program = {
      id: PROGRAM,
      name: 'Example',
      type: 'aem_managed_services' as const,
      environments: [this.environment.definition],
      pipelines: [],
    };
    await this.client.apply(program, 0, tester);
    this.definition = (await this.client.program(PROGRAM))!.definition.environments[0]!;
  }

  async stop(): Promise<void> {
    await this.#running.stop();
    if (this.folder) await rm(this.folder, { recursive: true, force: true });
  }

  async #start(process: Restartable): Promise<void> {
    await process.start();
    this.#running.add(process);
  }

  async #startEnvironment(): Promise<void> {
    const modulePath = await buildModule(cacheFolder());
    if (this.#disk) {
      await this.#disk.mount(join(this.folder, 'prod', 'dispatcher1'));
      this.#running.add(this.#disk);
    }
    this.environment = await startEnvironment({
      ...{ programId: PROGRAM, id: PRODUCTION, name: 'Production', type: 'prod', pairs: 2, modulePath },
      ...{ folder: join(this.folder, 'prod'), secretsFolder: join(this.folder, 'secrets') },
    });
    this.#running.add(this.environment);
    const { author, publish, dispatchers } = this.environment;
    this.httpds = await Promise.all(
      dispatchers.map(async (dispatcher, index) => {
        const launch = async () =>
          startDispatcher({
            folder: dirname(dispatcher.serverRoot),
            port: Number(new URL(dispatcher.url).port),
            publishUrl: publish[index]!.url,
            authorUrl: author.url,
            modulePath,
            nodeId: `dispatcher${index + 1}`,
            configuration: siteConfiguration(),
          });
        const pid = async () => Number(await readFile(join(dispatcher.serverRoot, 'run/httpd.pid'), 'utf8'));
        return new Restartable(async () => ({ ...(await launch()), pid: await pid() }), {
          ...dispatcher,
          pid: await pid(),
        });
      }),
    );
    this.httpds.forEach((httpd) => this.#running.add(httpd));
  }

  /** One that is on no node yet. @param ballast bytes of its dispatcher configuration, besides the usual */
  release(ballast = 0): Promise<Release> {
    const version = `1.0.${(this.#releases += 1)}`;
    return storeRelease(this.storage, join(this.folder, 'releases', version), version, ballast);
  }

  /** A rolling deployment, of a new release unless one is given. */
  async deploy(given?: Release): Promise<RunningDeployment> {
    const release = given ?? (await this.release());
    return RunningDeployment.start(this.client.temporal, release, await this.trees(), {
      programId: PROGRAM,
      executionId: '0000000001',
      environment: this.definition,
      artifacts: release.artifacts,
      order: 'rolling',
      skipDetachingDispatchers: false,
      flush: ['/content/site/en'],
      invalidate: ['/content/site'],
      log: `${PROGRAM}/faults/${release.version}.log`,
    });
  }

  /** Nothing is left of a deployment whose test has failed. */
  async endDeployment(): Promise<void> {
    const id = deploymentWorkflowId(PROGRAM, PRODUCTION);
    await this.client.temporal.workflow
      .getHandle(id)
      .terminate()
      .catch(() => undefined);
  }

  /** Whether a deployment or a repair waits for an activity of that name. */
  async pending(activity: ActivityName): Promise<boolean> {
    const id = deploymentWorkflowId(PROGRAM, PRODUCTION);
    const described = await this.client.temporal.workflow
      .getHandle(id)
      .describe()
      .catch(() => undefined); // neither has ever run
    return (described?.raw.pendingActivities ?? []).some(
      ({ activityType }) => activityType?.name === activity,
    );
  }

  repair(): Promise<DeploymentProgress> {
    return this.client.repair(PROGRAM, PRODUCTION, tester);
  }

  /** Fingerprints of the configurations of both dispatchers. */
  trees(): Promise<string[]> {
    return Promise.all(this.environment.dispatchers.map(({ serverRoot }) => treeOf(serverRoot)));
  }

  /** How the load balancer sees the dispatchers. */
  async service(): Promise<string[]> {
    const servers = await loadBalancerOf(
      this.definition.loadBalancer!,
      this.definition.dispatchers,
    ).servers();
    return servers.map(({ name, status }) => `${name} ${status}`);
  }

  /** The release is on every node, whole, and both dispatchers take visitors. */
  async deployedEverywhere({ release }: RunningDeployment): Promise<void> {
    assert.deepEqual(await this.trees(), [release.tree, release.tree]);
    for (const instance of [this.environment.author, ...this.environment.publish])
      assert.equal(
        instance
          .installed()
          .filter(({ name }) => name === 'site.release')
          .at(-1)?.version,
        release.version,
      );
    await this.bothInService();
  }

  bothInService(): Promise<void> {
    return until('both dispatchers are in service', async () =>
      (await this.service()).every((server) => server.endsWith(' up')),
    );
  }
}
