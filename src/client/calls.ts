import { randomUUID } from 'node:crypto';
import { WithStartWorkflowOperation, type Client } from '@temporalio/client';
import { pause } from '../systems/pause.ts';
import { pollers, TaskQueueType } from '../systems/temporal/pollers.ts';
import { FairwayError, isUnanswered, translated } from './fairway-error.ts';
import { AGAIN_MS, BUSY_MS, NO_WORKER_MS } from './patiently.ts';

export const QUERY_MS = 5_000;
/** Of one attempt at a change. */
export const UPDATE_MS = 10_000;

/** Calls of Temporal, each with a deadline, with what they throw translated to `FairwayError`. */
export class Calls {
  readonly temporal: Client;

  constructor(temporal: Client) {
    this.temporal = temporal;
  }

  /** `what` names the thing that is asked, for people; `changes`: whether a call without an answer may have had an effect. */
  async within<T>(ms: number, what: string, changes: boolean, call: () => Promise<T>): Promise<T> {
    try {
      return await this.temporal.connection.withDeadline(Date.now() + ms, call);
    } catch (error) {
      throw translated(error, what, changes);
    }
  }

  query<T>(workflowId: string, what: string, name: string, runId?: string): Promise<T> {
    const handle = this.temporal.workflow.getHandle(workflowId, runId);
    return this.within(QUERY_MS, what, false, () => handle.query<T>(name));
  }

  /** Takes effect once, however often it has to be sent. @throws FairwayError as `answered` */
  update<R, A>(workflowId: string, what: string, name: string, argument: A): Promise<R> {
    const handle = this.temporal.workflow.getHandle(workflowId);
    const updateId = randomUUID();
    return this.answered(what, () => handle.executeUpdate<R, [A]>(name, { args: [argument], updateId }));
  }

  /** An update of an entity that is started for it where it does not run yet. @throws FairwayError as `answered` */
  updateWithStart<R, A>(
    entity: { readonly type: string; readonly workflowId: string; readonly summary: string },
    what: string,
    name: string,
    argument: A,
  ): Promise<R> {
    const updateId = randomUUID();
    return this.answered(what, () =>
      this.temporal.workflow.executeUpdateWithStart<() => Promise<void>, R, [A]>(name, {
        startWorkflowOperation: new WithStartWorkflowOperation<() => Promise<void>>(entity.type, {
          workflowId: entity.workflowId,
          taskQueue: WORKFLOWS,
          args: [],
          workflowIdConflictPolicy: 'USE_EXISTING',
          staticSummary: entity.summary,
        }),
        args: [argument],
        updateId,
      }),
    );
  }

  /**
   * Sends a change again, under the id that it has, until it is answered: for `NO_WORKER_MS` while the Temporal Service
   * answers and no worker does, for `BUSY_MS` while workers ask for work.
   * @throws FairwayError `outcomeUnknown` after that, or when the Temporal Service is lost
   */
  private async answered<T>(what: string, send: () => Promise<T>): Promise<T> {
    const begun = Date.now();
    let heard = begun;
    let lastPoll: number | undefined;
    for (;;) {
      try {
        return await this.temporal.connection.withDeadline(Date.now() + UPDATE_MS, send);
      } catch (error) {
        if (!isUnanswered(error)) throw translated(error, what, true);
        const poll = await this.lastPoll().catch(() => {
          throw translated(error, what, true);
        });
        const now = Date.now();
        if (lastPoll !== undefined && poll > lastPoll) heard = now;
        lastPoll = poll;
        if (now - heard >= NO_WORKER_MS || now - begun >= BUSY_MS)
          throw new FairwayError('outcomeUnknown', unanswered(what, now - heard < NO_WORKER_MS), error);
        await pause(AGAIN_MS);
      }
    }
  }

  /** When a worker last asked for work, by the server's clock; 0 when none has of late. */
  private async lastPoll(): Promise<number> {
    const known = await pollers(this.temporal, WORKFLOWS, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW);
    return Math.max(0, ...known.map(({ lastAccess }) => lastAccess));
  }
}

const WORKFLOWS = 'fairway';

const unanswered = (what: string, busy: boolean): string =>
  (busy
    ? `workers are at work, and none has answered about ${what} within ${BUSY_MS / 60_000} minutes`
    : `no worker has answered about ${what} for ${NO_WORKER_MS / 1000} seconds: is one running?`) +
  ' The request may still take effect; look before you repeat it';
