import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { FairwayClient } from '../client/fairway-client.ts';
import { FairwayError } from '../client/fairway-error.ts';
import type { Actor } from '../model/actor.ts';
import type { Flavour, ProgramInput } from '../model/schema/definition.ts';
import type { WorkerSettingsInput } from '../worker/settings.ts';
import { buildModule } from './dispatcher/build-module.ts';
import { startCodecServer } from './codec-server.ts';
import { localTests, startEnvironment, type LocalEnvironment } from './environment.ts';
import { localImages } from './images.ts';
import { anyPorts, type Ports } from './ports.ts';
import { createRepository, type LocalRepository } from './repository.ts';
import { Running } from './running.ts';
import { cacheFolder, prepare } from './setup/prepare.ts';
import { startTemporal, type TemporalServer } from './temporal-server.ts';
import { startWorker, type WorkerProcess } from './worker-process.ts';

/** Everything on this machine: Temporal, environments, a repository, a worker, a program. */
export interface Platform {
  readonly temporal: TemporalServer;
  readonly client: FairwayClient;
  readonly program: ProgramInput;
  /** Of the production pipeline. */
  readonly pipelineId: string;
  readonly stage: LocalEnvironment;
  readonly production: LocalEnvironment;
  /** Where it was asked for, with a pipeline that deploys to it. */
  readonly dev?: { readonly environment: LocalEnvironment; readonly pipelineId: string };
  readonly repository: LocalRepository;
  readonly storageFolder: string;
  readonly secretsFolder: string;
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
  /** Where everything listens; anywhere when absent. */
  readonly ports?: Ports;
  /** Whether the program is applied (it is unless this says no). */
  readonly apply?: boolean;
  /** The flavour of the program; Managed Services when absent. */
  readonly flavour?: Flavour;
  /** Whether there is a dev environment too. */
  readonly dev?: boolean;
  /** Changes to the program before it is applied. */
  readonly adjust?: (program: ProgramInput) => ProgramInput;
}

/** What the local platform calls itself where it acts. */
export const platformActor: Actor = { subject: 'local platform', via: 'script', verified: false };

const NEEDS = ['temporal', 'apache2', 'apxs', 'cc', 'haproxy', 'git', 'maven', 'javac'] as const;
export const PROGRAM = '1001';
const PIPELINE = '2001';
const DEV_PIPELINE = '2002';
const TEMPORAL_PORT = 7233;
const WEB_UI_PORT = 8233;

/** Brings the local platform up; when that fails or is interrupted, nothing of it is left running. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const { folder, report, signal } = options;
  const running = new Running();
  const { stop } = running;
  const started = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const thing = await running.started(starting);
    signal?.throwIfAborted();
    return thing;
  };

  try {
    const { flavour = 'aem_managed_services' } = options;
    const isCloud = flavour === 'aem_cloud_service';
    const tools = await prepare(NEEDS, report, { signal });
    const builder = isCloud ? (await prepare(['buildah'], report, { signal })).buildah : undefined;
    const modulePath = await buildModule(cacheFolder());
    report(`dispatcher module: ${modulePath}`);
    await mkdir(folder, { recursive: true });
    const places = {
      storage: join(folder, 'storage'),
      secrets: join(folder, 'secrets'),
      work: join(folder, 'work'),
    };

    const ports = options.ports ?? anyPorts();
    const uiPort = await ports("Temporal's Web UI", WEB_UI_PORT);
    const codec = await startCodecServer({ secretsFolder: places.secrets, uiPort, ports });
    if (codec) running.add(codec);
    const temporal = await started(
      startTemporal({
        folder: join(folder, 'temporal'),
        executable: tools.temporal,
        port: await ports('Temporal', TEMPORAL_PORT),
        ...{ uiPort, codecUrl: codec?.url },
      }),
    );
    report(`Temporal: ${temporal.address}, Web UI ${temporal.uiUrl}`);

    const common = { programId: PROGRAM, secretsFolder: places.secrets, modulePath, ports };
    const environment = (id: string, name: string, type: 'dev' | 'stage' | 'prod', pairs: number) =>
      started(startEnvironment({ ...common, id, name, type, pairs, folder: join(folder, type) }));
    const stage = await environment('11', 'Stage', 'stage', 1);
    const production = await environment('12', 'Production', 'prod', 2);
    const dev = options.dev ? await environment('10', 'Dev', 'dev', 1) : undefined;
    const environments = [...(dev ? [dev] : []), stage, production];
    for (const { definition, loadBalancer } of environments)
      report(
        `${definition.name}: ${definition.author.length} author, ${definition.publish.length} publish, ` +
          `${definition.dispatchers.length} dispatchers behind ${loadBalancer.url}`,
      );
    const repository = await createRepository(join(folder, 'repository'), flavour);

    const [dispatcher] = stage.dispatchers;
    const images =
      builder && dispatcher
        ? await localImages({ folder: join(folder, 'images'), program: builder, modulePath, dispatcher })
        : undefined;
    const settings: WorkerSettingsInput = {
      temporal: { address: temporal.address },
      build: {
        engine: 'auto',
        mavenRepository: join(homedir(), '.m2', 'repository'),
        analysers: join(cacheFolder(), 'analysers'),
      },
      images,
      storage: places.storage,
      secrets: places.secrets,
      workFolder: places.work,
      localRepositories: true,
      events: { networks: ['127.0.0.0/8', '::1/128'] },
      shutdownGraceSeconds: 0,
      agents: environments.flatMap(({ agents }) => agents),
    };
    let worker = await startWorker(folder, settings);
    running.add({ stop: () => worker.stop() });
    signal?.throwIfAborted();
    report(`worker: process ${worker.pid}, all roles`);

    const client = await FairwayClient.connect({ address: temporal.address, secrets: places.secrets });
    running.add({ stop: () => client.close() });
    const whole = programOf(flavour, environments, repository);
    const program = options.adjust?.(whole) ?? whole;
    if (options.apply ?? true) {
      await applied(client, program);
      report(`program ${program.id} applied: ${program.name}`);
    }

    return {
      temporal,
      client,
      program,
      pipelineId: PIPELINE,
      stage,
      production,
      ...(dev ? { dev: { environment: dev, pipelineId: DEV_PIPELINE } } : {}),
      repository,
      storageFolder: places.storage,
      secretsFolder: places.secrets,
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

/** The worker is there: on a busy machine its first answer may take longer than a client waits. Applying again changes nothing. */
async function applied(client: FairwayClient, program: ProgramInput, tries = 6): Promise<void> {
  try {
    await client.apply(program, 0, platformActor);
  } catch (error) {
    if (
      tries === 1 ||
      !(error instanceof FairwayError) ||
      !['unavailable', 'outcomeUnknown'].includes(error.kind)
    )
      throw error;
    await applied(client, program, tries - 1);
  }
}

/** The program of the example site on local environments. */
export function programOf(
  flavour: Flavour,
  environments: readonly LocalEnvironment[],
  { url, branch }: Pick<LocalRepository, 'url' | 'branch'>,
): ProgramInput {
  const idOf = (wanted: string) =>
    environments.find(({ definition: { type } }) => type === wanted)?.definition.id;
  const [dev, stage = '', production = ''] = ['dev', 'stage', 'prod'].map(idOf);
  const common = {
    repository: { url, branch },
    dispatcherCacheFlushPaths: ['/content/site/en'],
    dispatcherCacheInvalidationPaths: ['/content/site'],
  };
  return {
    id: PROGRAM,
    name: 'Example',
    type: flavour,
    environments: environments.map(({ definition }) => definition),
    pipelines: [
      {
        ...{ id: PIPELINE, name: 'Production', type: 'production', ...common },
        ...{ stageEnvironment: stage, productionEnvironment: production },
        ...{ approval: true, schedule: true },
        ...(flavour === 'aem_managed_services' ? { cse: 'ANY_CSE' as const } : {}),
      },
      ...(dev === undefined
        ? []
        : [{ id: DEV_PIPELINE, name: 'Dev', type: 'deployment' as const, ...common, devEnvironment: dev }]),
    ],
    ...(flavour === 'aem_managed_services' ? localTests : {}),
  };
}
