import { asyncLocalStorage, Context } from '@temporalio/activity';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import { assetsTestActivities } from '../activities/assets-test.ts';
import { buildActivities } from '../activities/build.ts';
import { buildImagesActivities } from '../activities/build-images.ts';
import { checkCodeScannerActivities } from '../activities/check-code-scanner.ts';
import { codeQualityActivities } from '../activities/code-quality.ts';
import { announceActivities, deliveryActivities } from '../activities/events.ts';
import { copyArtifactsActivities } from '../activities/copy-artifacts.ts';
import type { Deps } from '../activities/deps.ts';
import { failureInterceptor } from '../activities/failure-interceptor.ts';
import { functionalTestActivities } from '../activities/functional-test.ts';
import { kubernetesActivities } from '../activities/kubernetes.ts';
import { loadBalancerActivities } from '../activities/load-balancer.ts';
import { loadTestActivities } from '../activities/load-test.ts';
import { nodeActivities } from '../activities/node.ts';
import { packageActivities } from '../activities/packages.ts';
import { preflightActivities } from '../activities/preflight.ts';
import { productFunctionalTestActivities } from '../activities/product-functional-test.ts';
import { recordActivities } from '../activities/record.ts';
import { securityTestActivities } from '../activities/security-test.ts';
import { uiTestActivities } from '../activities/ui-test.ts';
import { validateActivities } from '../activities/validate.ts';
import { leaseActivities, waitActivities } from '../activities/waits.ts';
import { nodeQueue, type ImageActivities } from '../model/activities.ts';
import { Failure } from '../systems/failure.ts';
import { recover } from '../systems/httpd/restore.ts';
import { buildah } from '../systems/images/buildah.ts';
import { secrets } from '../systems/secrets.ts';
import { openStorage, requirePlace } from '../systems/storage/open.ts';
import { destinations } from '../systems/webhooks/destinations.ts';
import { claimNode, refuseSecondAgent, watchForSecondAgent } from './one-agent.ts';
import type { WorkerSettings } from './settings.ts';
import { connectWorker } from './temporal-connection.ts';
import { versionedWorkflowCode, withoutStackTraces, workflowCode } from './workflow-code.ts';

/** Long polls wait for hours and cost nothing: many may wait at once. */
const WAITS_AT_ONCE = 500;
/** Installations and tests mostly wait for others: many at once must not keep a dispatcher from being attached. */
const ACTIVITIES_AT_ONCE = 300;
/** What a cancelled activity has for ending its processes. */
const CLEAN_UP_SECONDS = 10;
/** Few retries are worth more than a storage that is mounted again: activities wait for it. */
const STORAGE_AWAY_MS = 60_000;
/** A build takes all that a machine has. */
const BUILDS_AT_ONCE = 1;

export interface Workers {
  /** Polls until `shutdown`; rejects when a worker fails. */
  run(): Promise<void>;
  /** Takes no more tasks and lets those that run come to an end. */
  shutdown(): void;
  close(): Promise<void>;
  /** How each stands, with what it has in hand. */
  status(): readonly WorkerState[];
  /** @throws Failure `Unavailable` when the Temporal Service does not answer at once */
  askTemporal(): Promise<void>;
}

export interface WorkerState {
  readonly taskQueue: string;
  /** Whether it takes tasks. */
  readonly running: boolean;
  readonly activities: number;
}

/** That of the activity that asks; there is none while a worker starts. */
const cancellation = (): AbortSignal | undefined =>
  asyncLocalStorage.getStore() && Context.current().cancellationSignal;

const secretsOf = (settings: WorkerSettings) => secrets({ env: process.env, folder: settings.secrets });

/**
 * The workers of one process: those of its roles, each on its task queue.
 * @throws Failure when the storage is not there or cannot be used
 */
export async function createWorkers(
  settings: WorkerSettings,
  log: (line: string) => void,
  /** Has the last word on the options of each worker. */
  adjust: (options: WorkerOptions) => WorkerOptions = (options) => options,
): Promise<Workers> {
  await requirePlace(settings.storage);
  const opened: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const each of opened.splice(0).reverse()) await each();
  };
  try {
    const temporal = await connectWorker(settings.temporal, secretsOf(settings));
    opened.push(temporal.close);
    for (const { node, host } of settings.agents) {
      await refuseSecondAgent(temporal.client, node);
      opened.push(await claimNode(node, host.stateFolder));
    }
    return await assembled(settings, temporal, log, adjust, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function assembled(
  settings: WorkerSettings,
  { connection, client, namespace, converter, plugins, ask }: Awaited<ReturnType<typeof connectWorker>>,
  log: (line: string) => void,
  adjust: (options: WorkerOptions) => WorkerOptions,
  close: () => Promise<void>,
): Promise<Workers> {
  const deps = {
    client,
    storage: openStorage(settings.storage, { patienceMs: STORAGE_AWAY_MS, interruption: cancellation }),
    secret: secretsOf(settings),
    workFolder: settings.workFolder,
    allowFileRepositories: settings.localRepositories,
  };
  const { apiUrl, networks } = settings.events;
  const delivering = {
    ...deps,
    apiUrl: apiUrl.replace(/\/$/, ''),
    destinations: destinations(networks),
  };
  const common = {
    ...converter,
    ...plugins,
    connection,
    namespace,
    interceptors: { activity: [() => ({ inbound: failureInterceptor })] },
    /** How fast a cancellation reaches an activity. */
    maxHeartbeatThrottleInterval: '1 second',
    /** How long an execution waits for a worker that remembers it, and may be dead, before another one takes it over. */
    stickyQueueScheduleToStartTimeout: '3 seconds',
    shutdownGraceTime: settings.shutdownGraceSeconds * 1000,
    shutdownForceTime: (settings.shutdownGraceSeconds + CLEAN_UP_SECONDS) * 1000,
  } satisfies Partial<WorkerOptions>;

  const { versioning } = settings;
  const code = versioning ? versionedWorkflowCode : workflowCode;
  const versions: Partial<WorkerOptions> = versioning
    ? {
        workerDeploymentOptions: {
          version: versioning,
          useWorkerVersioning: true,
          // Workflows that are not say so (src/workflows/versioned.ts).
          defaultVersioningBehavior: 'PINNED',
        },
      }
    : {};

  const create = (options: WorkerOptions) => Worker.create(adjust(options));
  const planned: Promise<Worker>[] = [];
  if (settings.orchestrator)
    planned.push(
      create({
        ...common,
        ...versions,
        taskQueue: 'fairway',
        workflowsPath: code.workflowsPath,
        bundlerOptions: { preloadModules: [withoutStackTraces, ...code.preloadModules] },
        maxConcurrentActivityTaskExecutions: ACTIVITIES_AT_ONCE,
        activities: {
          ...validateActivities(deps),
          ...preflightActivities(deps),
          ...packageActivities(deps),
          ...loadBalancerActivities(deps),
          ...securityTestActivities(deps),
          ...loadTestActivities(deps),
          ...assetsTestActivities(deps),
          ...productFunctionalTestActivities(deps),
          ...kubernetesActivities(deps),
          ...recordActivities(deps),
          ...copyArtifactsActivities(deps),
          ...leaseActivities(deps),
          ...announceActivities(deps),
        },
      }),
      create({
        ...common,
        ...versions,
        taskQueue: 'fairway-waits',
        activities: { ...waitActivities(deps), ...deliveryActivities(delivering) },
        maxConcurrentActivityTaskExecutions: WAITS_AT_ONCE,
      }),
    );
  if (settings.build) {
    const building = { ...deps, ...settings.build, engine: settings.build };
    planned.push(
      create({
        ...common,
        ...versions,
        taskQueue: 'fairway-build',
        activities: {
          ...buildActivities(building),
          ...checkCodeScannerActivities(building),
          ...codeQualityActivities(building),
          ...functionalTestActivities(building),
          ...uiTestActivities({ ...deps, images: uiTestImages(settings) }),
          ...imageActivities(settings, deps),
        },
        maxConcurrentActivityTaskExecutions: BUILDS_AT_ONCE,
      }),
    );
  }
  for (const { node, host } of settings.agents) {
    // What a dead agent left half done is made good before its successor takes tasks.
    const say = async (line: string) => log(`${node.nodeId}: ${line}`);
    await recover(host, say);
    const activities = nodeActivities({ node, host, storage: deps.storage });
    planned.push(create({ ...common, taskQueue: nodeQueue(node), activities }));
  }
  const workers = await Promise.all(planned);
  const shutdown = () =>
    workers.filter((worker) => worker.getState() === 'RUNNING').forEach((worker) => worker.shutdown());
  return {
    // One that fails takes the others along: the process must end, so that its supervisor starts it again.
    run: async () => {
      const ended = new AbortController();
      const orAllEnd = (error: unknown) => {
        shutdown();
        throw error;
      };
      const running = workers.map((worker) => worker.run().catch(orAllEnd));
      const nodes = settings.agents.map(({ node }) => node);
      const watching = watchForSecondAgent(client, nodes, log, ended.signal).catch(orAllEnd);
      const ends = await Promise.allSettled(running);
      ended.abort();
      const failed = [...ends, ...(await Promise.allSettled([watching]))].find(
        (end) => end.status === 'rejected',
      );
      if (failed) throw failed.reason;
    },
    shutdown,
    close,
    status: () =>
      workers.map((worker) => ({
        taskQueue: worker.options.taskQueue,
        running: worker.getState() === 'RUNNING',
        activities: worker.getStatus().numInFlightActivities,
      })),
    askTemporal: ask,
  };
}

const uiTestImages = ({ images }: WorkerSettings) =>
  images && { builder: buildah(images), uiTests: images.uiTests };

/** A worker that builds but makes no images says so: the task would be tried again for ever. */
function imageActivities({ images, workFolder }: WorkerSettings, { storage, secret }: Deps): ImageActivities {
  if (!images) {
    const [problem, remedy] = [
      'this worker makes no images',
      'add "images" to its settings (docs/cloud-service.md)',
    ];
    return {
      buildImages: async () => {
        throw new Failure('Missing', `${problem}: ${remedy}`);
      },
      checkRegistry: async () => [{ thing: 'images', problem, remedy }],
    };
  }
  const { base, repository, push, httpd } = images;
  return buildImagesActivities({
    storage,
    workFolder,
    builder: buildah(images),
    base,
    repository,
    push: push && { ...push, secret },
    dispatcher: httpd,
  });
}
