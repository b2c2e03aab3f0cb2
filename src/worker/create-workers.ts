import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { buildActivities } from '../activities/build.ts';
import { failureInterceptor } from '../activities/failure-interceptor.ts';
import { loadBalancerActivities } from '../activities/load-balancer.ts';
import { nodeActivities } from '../activities/node.ts';
import { packageActivities } from '../activities/packages.ts';
import { recordActivities } from '../activities/record.ts';
import { testActivities } from '../activities/tests.ts';
import { validateActivities } from '../activities/validate.ts';
import { waitActivities } from '../activities/waits.ts';
import { nodeQueue } from '../model/activities.ts';
import { recover } from '../systems/httpd/restore.ts';
import { secrets } from '../systems/secrets.ts';
import { fileStorage } from '../systems/storage/file-storage.ts';
import type { WorkerSettings } from './settings.ts';

/** Long polls wait for hours and cost nothing: many may wait at once. */
const WAITS_AT_ONCE = 500;
/** Installations and tests mostly wait for others: many at once must not keep a dispatcher from being attached. */
const ACTIVITIES_AT_ONCE = 300;
/** What a cancelled activity has for ending its processes. */
const CLEAN_UP_SECONDS = 10;
/** A build takes all that a machine has. */
const BUILDS_AT_ONCE = 1;

export interface Workers {
  /** Polls until `shutdown`; rejects when a worker fails. */
  run(): Promise<void>;
  /** Takes no more tasks and lets those that run come to an end. */
  shutdown(): void;
  close(): Promise<void>;
}

/** The workers of one process: those of its roles, each on its task queue. */
export async function createWorkers(settings: WorkerSettings, log: (line: string) => void): Promise<Workers> {
  const { address, namespace } = settings.temporal;
  const connection = await NativeConnection.connect({ address });
  const clientConnection = await Connection.connect({ address });
  const client = new Client({ connection: clientConnection, namespace });
  const deps = {
    client,
    storage: fileStorage(settings.storage),
    secret: secrets({ env: process.env, folder: settings.secrets }),
    workFolder: settings.workFolder,
    allowFileRepositories: settings.localRepositories,
  };
  const common = {
    connection,
    namespace,
    interceptors: { activity: [() => ({ inbound: failureInterceptor })] },
    /** How fast a cancellation reaches an activity. */
    maxHeartbeatThrottleInterval: '1 second',
    shutdownGraceTime: settings.shutdownGraceSeconds * 1000,
    shutdownForceTime: (settings.shutdownGraceSeconds + CLEAN_UP_SECONDS) * 1000,
  } satisfies Partial<WorkerOptions>;

  const planned: Promise<Worker>[] = [];
  if (settings.orchestrator)
    planned.push(
      Worker.create({
        ...common,
        taskQueue: 'fairway',
        workflowsPath: fileURLToPath(new URL('../workflows/index.ts', import.meta.url)),
        maxConcurrentActivityTaskExecutions: ACTIVITIES_AT_ONCE,
        activities: {
          ...validateActivities(deps),
          ...packageActivities(deps),
          ...loadBalancerActivities(deps),
          ...testActivities(deps),
          ...recordActivities(deps),
        },
      }),
      Worker.create({
        ...common,
        taskQueue: 'fairway-waits',
        activities: waitActivities(deps),
        maxConcurrentActivityTaskExecutions: WAITS_AT_ONCE,
      }),
    );
  if (settings.build)
    planned.push(
      Worker.create({
        ...common,
        taskQueue: 'fairway-build',
        activities: buildActivities({ ...deps, ...settings.build, engine: settings.build }),
        maxConcurrentActivityTaskExecutions: BUILDS_AT_ONCE,
      }),
    );
  for (const { node, host } of settings.agents) {
    // What a dead agent left half done is made good before its successor takes tasks.
    const say = async (line: string) => log(`${node.nodeId}: ${line}`);
    await recover(host, say);
    const activities = nodeActivities({ node, host, storage: deps.storage });
    planned.push(Worker.create({ ...common, taskQueue: nodeQueue(node), activities }));
  }
  const workers = await Promise.all(planned);
  const shutdown = () =>
    workers.filter((worker) => worker.getState() === 'RUNNING').forEach((worker) => worker.shutdown());
  return {
    // One that fails takes the others along: the process must end, so that its supervisor starts it again.
    run: async () => {
      const ends = await Promise.allSettled(
        workers.map((worker) =>
          worker.run().catch((error: unknown) => {
            shutdown();
            throw error;
          }),
        ),
      );
      const failed = ends.find((end) => end.status === 'rejected');
      if (failed) throw failed.reason;
    },
    shutdown,
    close: async () => {
      await clientConnection.close();
      await connection.close();
    },
  };
}
