import { ActivityCancellationType, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import { nodeQueue } from '../model/activities.ts';
import { DELIVERY_MS } from '../model/events.ts';
import type {
  Activities,
  AnnounceActivities,
  BuildActivities,
  DeliveryActivities,
  ImageActivities,
  KubernetesActivities,
  NodeActivities,
  NodeRef,
  WaitActivities,
} from '../model/activities.ts';
import type { Kubernetes } from '../model/schema/kubernetes.ts';

/**
 * Activities, grouped by what a repetition means. Whoever throws decides whether a failure may be retried at all
 * (`failureTypes`); these policies say how long it is worth trying. A worker that dies is noticed by its heartbeat.
 */
const HEARTBEAT = '5 seconds';

/** What a cancelled activity still does, killing a build or restoring a node, is waited for. */
const watched = {
  heartbeatTimeout: HEARTBEAT,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
};

const whereBuildsRun = { taskQueue: 'fairway-build' };

/** Questions that change nothing: a few quick tries, then a person should know. */
const asked = {
  ...watched,
  startToCloseTimeout: '5 minutes',
  retry: { initialInterval: '500 ms', maximumInterval: '5 seconds', maximumAttempts: 4 },
} as const;

/** What takes long and starts anew: more than a few tries would hide a sick host. */
const begunAnew = {
  ...watched,
  startToCloseTimeout: '3 hours',
  retry: { initialInterval: '1 second', maximumAttempts: 3 },
} as const;

/** The same with a storage, a registry or a server that may be away for minutes. */
const untilThere = {
  ...begunAnew,
  retry: { initialInterval: '1 second', maximumInterval: '1 minute', maximumAttempts: 8 },
} as const;

export const reading =
  proxyActivities<Pick<Activities, 'validate' | 'preflightEnvironment' | 'probeDispatcher'>>(asked);

export const readingWhereBuildsRun = proxyActivities<
  Pick<BuildActivities, 'checkCodeScanner'> & Pick<ImageActivities, 'checkRegistry'>
>({ ...asked, ...whereBuildsRun });

/** From the commit. */
export const building = proxyActivities<Pick<BuildActivities, 'build'>>({ ...begunAnew, ...whereBuildsRun });

/** What was built lies in storage: it is copied again until the storage takes it. */
export const copying = proxyActivities<Pick<Activities, 'copyArtifacts'>>(untilThere);

/** The same input gives the same images; the registry with a base image may be away. */
export const imaging = proxyActivities<Pick<ImageActivities, 'buildImages'>>({
  ...untilThere,
  ...whereBuildsRun,
});

/** From what the build left; a server that analyses may be restarting. */
export const scanning = proxyActivities<Pick<BuildActivities, 'codeQuality'>>({
  ...untilThere,
  ...whereBuildsRun,
});

/** The environment is still held, so a repetition measures the same. */
export const testing =
  proxyActivities<Pick<Activities, 'securityTest' | 'loadTest' | 'assetsTest' | 'productFunctionalTest'>>(
    begunAnew,
  );

export const testingWhereBuildsRun = proxyActivities<Pick<BuildActivities, 'functionalTest'>>({
  ...begunAnew,
  ...whereBuildsRun,
});

/** The registry with a base image may be away; what has once run is not run again. */
export const testingWithImages = proxyActivities<Pick<BuildActivities, 'uiTest'>>({
  ...untilThere,
  ...whereBuildsRun,
});

/** AEM restarts its package manager, or itself, after big packages: wait for it for minutes, not seconds. */
export const installing = proxyActivities<Pick<Activities, 'installPackage'>>({
  startToCloseTimeout: '2 hours',
  scheduleToCloseTimeout: '3 hours',
  ...watched,
  retry: {
    initialInterval: '500 ms',
    backoffCoefficient: 1.6,
    maximumInterval: '15 seconds',
    maximumAttempts: 30,
  },
});

/** A dispatcher out of service is lost capacity: bringing it back is tried for half an hour before anybody is told. */
export const balancing = proxyActivities<Pick<Activities, 'detachDispatcher' | 'attachDispatcher'>>({
  startToCloseTimeout: '10 minutes',
  scheduleToCloseTimeout: '30 minutes',
  ...watched,
  retry: { initialInterval: '250 ms', backoffCoefficient: 1.6, maximumInterval: '5 seconds' },
});

/** The record is worth an hour of trying: it is what remains when Temporal's retention is over. */
export const recording = proxyActivities<Pick<Activities, 'recordExecution' | 'keepReport'>>({
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '1 hour',
  heartbeatTimeout: HEARTBEAT,
});

/**
 * What takes a moment, may be repeated and need not be seen: a local activity costs one event instead of six. What does
 * not succeed at once is no longer quick, and left to an activity that is seen waiting.
 */
export const quickly = proxyLocalActivities<Pick<Activities, 'endLease' | 'recordExecution' | 'keepReport'>>({
  startToCloseTimeout: '3 seconds',
  retry: { maximumAttempts: 1 },
});

/** The server ends a lease with its holder anyway; until then others would wait for nothing. */
export const leasing = proxyActivities<Pick<Activities, 'endLease'>>({
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '1 second', maximumInterval: '10 seconds' },
});

/** Long polls. They hold a slot each, so they have a queue of their own. */
export const waiting = proxyActivities<WaitActivities>({
  taskQueue: 'fairway-waits',
  startToCloseTimeout: '2 hours',
  ...watched,
  retry: { initialInterval: '1 second', backoffCoefficient: 1 },
});

/** A person waits for the answer. */
export const asking = proxyActivities<Pick<WaitActivities, 'letsGo'>>({
  taskQueue: 'fairway-waits',
  scheduleToCloseTimeout: '20 seconds',
  ...watched,
});

/** A cluster that is away, or busy with what is to be changed, is asked for half an hour. */
export const applying = proxyActivities<Pick<KubernetesActivities, 'applyKubernetes'>>({
  startToCloseTimeout: '10 minutes',
  scheduleToCloseTimeout: '30 minutes',
  ...watched,
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds' },
});

/**
 * The time that an environment gives its cluster is the activity's to watch, through all attempts; these limits are beyond
 * it.
 */
export const rollingOut = ({ rolloutMinutes }: Pick<Kubernetes, 'rolloutMinutes'>) =>
  proxyActivities<Pick<KubernetesActivities, 'waitForRollout' | 'undoRollout'>>({
    startToCloseTimeout: `${rolloutMinutes + 10} minutes`,
    scheduleToCloseTimeout: `${rolloutMinutes + 30} minutes`,
    ...watched,
    retry: { initialInterval: '1 second', maximumInterval: '30 seconds' },
  });

/** How long a task waits for the agent of a node before the node counts as absent. */
const AGENT_ABSENT = '5 minutes';

/** Work of the agent on one dispatcher host. */
export const onNode = (node: NodeRef) =>
  proxyActivities<NodeActivities>({
    taskQueue: nodeQueue(node),
    scheduleToStartTimeout: AGENT_ABSENT,
    startToCloseTimeout: '10 minutes',
    ...watched,
    retry: {
      initialInterval: '500 ms',
      backoffCoefficient: 1.6,
      maximumInterval: '10 seconds',
      maximumAttempts: 20,
    },
  });

/** Whether the agent of a node listens at all: at once, or as soon as its supervisor has started it again. */
export const askAgent = (node: NodeRef) =>
  proxyActivities<Pick<NodeActivities, 'checkAgent'>>({
    taskQueue: nodeQueue(node),
    scheduleToStartTimeout: '20 seconds',
    startToCloseTimeout: '2 minutes',
    ...watched,
    retry: { maximumAttempts: 3 },
  });

/** One event of the history; whoever announces goes on at once. */
export const announcingQuickly = proxyLocalActivities<AnnounceActivities>({
  startToCloseTimeout: '3 seconds',
  retry: { maximumAttempts: 1 },
});

/** What did not succeed at once, seen waiting; nothing waits for it longer than this. */
export const announcing = proxyActivities<AnnounceActivities>({
  startToCloseTimeout: '10 seconds',
  scheduleToCloseTimeout: '1 minute',
  retry: { initialInterval: '1 second', maximumInterval: '5 seconds' },
});

/** Receivers restart, and are down over night: an event is tried for as long as it is worth delivering, ever more rarely. */
export const deliveringUntil = (publishedAt: string) =>
  proxyActivities<DeliveryActivities>({
    taskQueue: 'fairway-waits',
    startToCloseTimeout: '1 minute',
    scheduleToCloseTimeout: Math.max(60_000, Date.parse(publishedAt) + DELIVERY_MS - Date.now()),
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '10 minutes' },
  });
