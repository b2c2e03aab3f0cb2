import { randomUUID } from 'node:crypto';
import { WithStartWorkflowOperation, type Client } from '@temporalio/client';
import { translated } from './fairway-error.ts';

export const QUERY_MS = 5_000;
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

  update<R, A>(workflowId: string, what: string, name: string, argument: A, ms = UPDATE_MS): Promise<R> {
    const handle = this.temporal.workflow.getHandle(workflowId);
    return this.within(ms, what, true, () =>
      handle.executeUpdate<R, [A]>(name, { args: [argument], updateId: randomUUID() }),
    );
  }

  /** An update of an entity that is started for it where it does not run yet. */
  updateWithStart<R, A>(
    entity: { readonly type: string; readonly workflowId: string; readonly summary: string },
    what: string,
    name: string,
    argument: A,
  ): Promise<R> {
    const startWorkflowOperation = new WithStartWorkflowOperation<() => Promise<void>>(entity.type, {
      workflowId: entity.workflowId,
      taskQueue: 'fairway',
      args: [],
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: entity.summary,
    });
    return this.within(UPDATE_MS, what, true, () =>
      this.temporal.workflow.executeUpdateWithStart<() => Promise<void>, R, [A]>(name, {
        startWorkflowOperation,
        args: [argument],
        updateId: randomUUID(),
      }),
    );
  }
}
