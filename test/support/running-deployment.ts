import { WorkflowFailedError, type Client, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import { isProgress, type DeploymentInput, type DeploymentProgress } from '../../src/model/deployment.ts';
import { deploymentWorkflowId } from '../../src/model/execution.ts';
import type { Activities, NodeActivities } from '../../src/model/activities.ts';
import type { Release } from './releases.ts';
import { until } from './until.ts';

export type ActivityName = keyof Activities | keyof NodeActivities;
const LIMIT_MS = 60_000;

const isStarted = (state?: number | null): boolean => state === 2; // PENDING_ACTIVITY_STATE_STARTED

/** A deployment that is under way, and what can be seen of it. */
export class RunningDeployment {
  readonly release: Release;
  /** Fingerprints of the configurations before it. */
  readonly before: readonly string[];
  readonly handle: WorkflowHandle;

  private constructor(release: Release, before: readonly string[], handle: WorkflowHandle) {
    this.release = release;
    this.before = before;
    this.handle = handle;
  }

  static async start(
    client: Client,
    release: Release,
    before: readonly string[],
    input: DeploymentInput,
  ): Promise<RunningDeployment> {
    const handle = await client.workflow.start('environmentDeployment', {
      workflowId: deploymentWorkflowId(input.programId, input.environment.id),
      taskQueue: 'fairway',
      args: [input],
    });
    return new RunningDeployment(release, before, handle);
  }

  /** Returns when an activity of that name has been asked for, also where it has ended meanwhile. */
  reached(activity: ActivityName): Promise<void> {
    return until(
      `${activity} is reached`,
      async () => {
        const { events } = await this.handle.fetchHistory();
        return (events ?? []).some(
          (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === activity,
        );
      },
      LIMIT_MS,
    );
  }

  /** Returns when nobody takes an activity of that name. */
  waiting(activity: ActivityName): Promise<void> {
    return this.#pending(`${activity} waits for a worker`, activity, ({ state }) => !isStarted(state));
  }

  /** Returns when so many attempts at an activity of that name have failed. */
  failed(activity: ActivityName, attempts = 1): Promise<void> {
    const what = `${attempts} attempts at ${activity} have failed`;
    return this.#pending(what, activity, ({ attempt }) => (attempt ?? 0) > attempts);
  }

  /** Returns when an attempt at an activity of that name has gone on for so long. */
  busy(activity: ActivityName, ms: number): Promise<void> {
    const time = (stamp?: { seconds?: unknown; nanos?: number | null } | null) =>
      Number(stamp?.seconds ?? 0) * 1000 + (stamp?.nanos ?? 0) / 1e6;
    return this.#pending(
      `${activity} goes on for ${ms} ms`,
      activity,
      ({ lastHeartbeatTime, lastStartedTime }) => time(lastHeartbeatTime) - time(lastStartedTime) > ms,
    );
  }

  async #pending(
    what: string,
    activity: ActivityName,
    is: (pending: temporal.api.workflow.v1.IPendingActivityInfo) => boolean,
  ): Promise<void> {
    await until(
      what,
      async () => {
        const { raw } = await this.handle.describe();
        return (raw.pendingActivities ?? []).some(
          (pending) => pending.activityType?.name === activity && is(pending),
        );
      },
      LIMIT_MS,
    );
  }

  /** How it ended: without a failure when all went well. */
  async end(): Promise<{ readonly progress: DeploymentProgress; readonly failure?: string }> {
    try {
      return { progress: (await this.handle.result()) as DeploymentProgress };
    } catch (error) {
      const cause = error instanceof WorkflowFailedError ? error.cause : undefined;
      const [progress] = cause instanceof ApplicationFailure ? (cause.details ?? []) : [];
      if (!isProgress(progress)) throw error;
      return { progress, failure: cause?.message };
    }
  }
}
