import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import { nodeQueue } from '../model/activities.ts';
import type {
  Activities,
  BuildActivities,
  NodeActivities,
  NodeRef,
  WaitActivities,
} from '../model/activities.ts';

/**
 * Activities, grouped by what a repetition means. Whoever throws decides whether a failure may be retried at all
 * (`failureTypes`); these policies say how long it is worth trying. A worker that dies is noticed by its heartbeat.
 */
const HEARTBEAT = '10 seconds';

/** What a cancelled activity still does, killing a build or restoring a node, is waited for. */
const cancellationType = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED;

/** Questions that change nothing: a few quick tries, then a person should know. */
export const reading = proxyActivities<
  Pick<
    Activities,
    'validate' | 'preflightInstance' | 'preflightLoadBalancer' | 'outOfService' | 'probeDispatcher'
  >
>({
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout: HEARTBEAT,
  cancellationType,
  retry: { initialInterval: '500 ms', maximumInterval: '5 seconds', maximumAttempts: 4 },
});

/** A build starts anew from the commit; more than a few tries would hide a sick build host. */
export const building = proxyActivities<BuildActivities>({
  taskQueue: 'fairway-build',
  startToCloseTimeout: '3 hours',
  heartbeatTimeout: HEARTBEAT,
  cancellationType,
  retry: { initialInterval: '1 second', maximumAttempts: 3 },
});

/** Tests start anew; the environment is still held, so a repetition measures the same. */
export const testing = proxyActivities<Pick<Activities, 'codeQuality' | 'securityTest' | 'loadTest'>>({
  startToCloseTimeout: '3 hours',
  heartbeatTimeout: HEARTBEAT,
  cancellationType,
  retry: { initialInterval: '1 second', maximumAttempts: 3 },
});

/** AEM restarts its package manager, or itself, after big packages: wait for it for minutes, not seconds. */
export const installing = proxyActivities<Pick<Activities, 'installPackage'>>({
  startToCloseTimeout: '2 hours',
  scheduleToCloseTimeout: '3 hours',
  heartbeatTimeout: HEARTBEAT,
  cancellationType,
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
  heartbeatTimeout: HEARTBEAT,
  cancellationType,
  retry: { initialInterval: '250 ms', backoffCoefficient: 1.6, maximumInterval: '5 seconds' },
});

/** The record is worth an hour of trying: it is what remains when Temporal's retention is over. */
export const recording = proxyActivities<Pick<Activities, 'recordExecution'>>({
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '1 hour',
});

/** Long polls. They hold a slot each, so they have a queue of their own. */
export const waiting = proxyActivities<WaitActivities>({
  taskQueue: 'fairway-waits',
  startToCloseTimeout: '2 hours',
  heartbeatTimeout: HEARTBEAT,
  cancellationType,
  retry: { initialInterval: '1 second', backoffCoefficient: 1 },
});

/** How long a task waits for the agent of a node before the node counts as absent. */
const AGENT_ABSENT = '5 minutes';

/** Work of the agent on one dispatcher host. */
export const onNode = (node: NodeRef) =>
  proxyActivities<Omit<NodeActivities, 'checkAgent'>>({
    taskQueue: nodeQueue(node),
    scheduleToStartTimeout: AGENT_ABSENT,
    startToCloseTimeout: '10 minutes',
    heartbeatTimeout: HEARTBEAT,
    cancellationType,
    retry: {
      initialInterval: '500 ms',
      backoffCoefficient: 1.6,
      maximumInterval: '10 seconds',
      maximumAttempts: 20,
    },
  });

/** Whether the agent of a node listens at all: answered at once or not at all. */
export const askAgent = (node: NodeRef) =>
  proxyActivities<Pick<NodeActivities, 'checkAgent'>>({
    taskQueue: nodeQueue(node),
    scheduleToStartTimeout: '10 seconds',
    startToCloseTimeout: '2 minutes',
    heartbeatTimeout: HEARTBEAT,
    cancellationType,
    retry: { maximumAttempts: 2 },
  });
