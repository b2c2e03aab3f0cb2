import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { FairwayClient } from '../client/fairway-client.ts';
import type { Actor } from '../model/actor.ts';
import type { ProgramInput } from '../model/schema/definition.ts';
import type { WorkerSettingsInput } from '../worker/settings.ts';
import { buildModule } from './dispatcher/build-module.ts';
import { startEnvironment, type LocalEnvironment } from './environment.ts';
import { createRepository, type LocalRepository } from './repository.ts';
import { cacheFolder, prepare } from './setup/prepare.ts';
import { startTemporal, type TemporalServer } from './temporal-server.ts';
import { startWorker, type WorkerProcess } from './worker-process.ts';

/** Everything on this machine: Temporal, a stage and a production environment, a repository, a worker, a program. */
export interface Platform {
  readonly temporal: TemporalServer;
  readonly client: FairwayClient;
  readonly program: ProgramInput;
  readonly pipelineId: string;
  readonly stage: LocalEnvironment;
  readonly production: LocalEnvironment;
  readonly repository: LocalRepository;
  readonly storageFolder: string;
  readonly workerLog: string;
  /** The worker that runs now. */
  worker(): WorkerProcess;
  /** Kills the worker as a crash would; nothing takes tasks until `startWorker`. */
  killWorker(): Promise<void>;
  startWorker(): Promise<void>;
  /** Ends all of it, in order. May be called again. */
  stop(): Promise<void>;
}

export interface PlatformOptions {
  /** Where everything lives. */
  readonly folder: string;
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal;
  /** Changes to the program before it is applied. */
  readonly adjust?: (program: ProgramInput) => ProgramInput;
}

/** What the local platform calls itself where it acts. */
export const platformActor: Actor = { subject: 'local platform', via: 'script', verified: false };

const NEEDS = ['temporal', 'apache2', 'apxs', 'cc', 'haproxy', 'git', 'maven', 'javac'] as const;
const PROGRAM = '1001';
const PIPELINE = '2001';

/** Brings the local platform up; when that fails or is interrupted, nothing of it is left running. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const { folder, report, signal } = options;
  const running: { stop(): Promise<void> }[] = [];
  const stop = async () => {
    for (const thing of running.splice(0).reverse()) await thing.stop();
  };
  const started = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const thing = await starting;
    running.push(thing);
    signal?.throwIfAborted();
    return thing;
  };

  try {
    const tools = await prepare(NEEDS, report, { signal });
    const modulePath = await buildModule(cacheFolder());
    report(`dispatcher module: ${modulePath}`);
    await mkdir(folder, { recursive: true });
    const places = {
      storage: join(folder, 'storage'),
      secrets: join(folder, 'secrets'),
      work: join(folder, 'work'),
    };

    const temporal = await started(
      startTemporal({ folder: join(folder, 'temporal'), executable: tools.temporal }),
    );
    report(`Temporal: ${temporal.address}, Web UI ${temporal.uiUrl}`);

    const common = { programId: PROGRAM, secretsFolder: places.secrets, modulePath };
    const environment = (id: string, name: string, type: 'stage' | 'prod', pairs: number) =>
      started(startEnvironment({ ...common, id, name, type, pairs, folder: join(folder, type) }));
    const stage = await environment('11', 'Stage', 'stage', 1);
    const production = await environment('12', 'Production', 'prod', 2);
    for (const { definition, loadBalancer } of [stage, production])
      report(
        `${definition.name}: ${definition.author.length} author, ${definition.publish.length} publish, ` +
          `${definition.dispatchers.length} dispatchers behind ${loadBalancer.url}`,
      );
    const repository = await createRepository(join(folder, 'repository'));

    const settings: WorkerSettingsInput = {
      temporal: { address: temporal.address },
      build: { engine: 'auto', mavenRepository: join(homedir(), '.m2', 'repository') },
      storage: places.storage,
      secrets: places.secrets,
      workFolder: places.work,
      localRepositories: true,
      shutdownGraceSeconds: 0,
      agents: [...stage.agents, ...production.agents],
    };
    let worker = await startWorker(folder, settings);
    running.push({ stop: () => worker.stop() });
    signal?.throwIfAborted();
    report(`worker: process ${worker.pid}, all roles`);

    const client = await FairwayClient.connect({ address: temporal.address });
    running.push({ stop: () => client.close() });
    const whole = programOf(stage, production, repository);
    const program = options.adjust?.(whole) ?? whole;
    await client.apply(program, 0, platformActor);
    report(`program ${program.id} applied: ${program.name}`);

    return {
      temporal,
      client,
      program,
      pipelineId: PIPELINE,
      stage,
      production,
      repository,
      storageFolder: places.storage,
      workerLog: join(folder, 'worker.log'),
      worker: () => worker,
      killWorker: () => worker.kill(),
      startWorker: async () => void (worker = await startWorker(folder, settings)),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const programOf = (
  stage: LocalEnvironment,
  production: LocalEnvironment,
  repository: LocalRepository,
): ProgramInput => ({
  id: PROGRAM,
  name: 'Example',
  type: 'aem_managed_services',
  environments: [stage.definition, production.definition],
  pipelines: [
    {
      id: PIPELINE,
      name: 'Production',
      type: 'production',
      repository: { url: repository.url, branch: repository.branch },
      stageEnvironment: stage.definition.id,
      productionEnvironment: production.definition.id,
      approval: true,
      schedule: true,
      cse: 'ANY_CSE',
      dispatcherCacheFlushPaths: ['/content/site/en'],
      dispatcherCacheInvalidationPaths: ['/content/site'],
    },
  ],
  // Cloud Manager's load test lasts half an hour; a local one need not.
  performance: { durationSeconds: 5, viewsPerMinute: 600, paths: ['/content/site/en/news.html'] },
});
