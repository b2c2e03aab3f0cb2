import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { WorkflowFailedError } from '@temporalio/client';
import type { WaitActivities } from '../model/activities.ts';
import { whileHeartbeating } from './heartbeat.ts';

/** What executions ask of Temporal itself. */
export const waitActivities = ({ client }: { client: Client }): WaitActivities => ({
  untilClosed: (workflowId) =>
    whileHeartbeating(async (signal) => {
      try {
        await client.connection.withAbortSignal(signal, () => client.workflow.getHandle(workflowId).result());
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof WorkflowNotFoundError || error instanceof WorkflowFailedError)) throw error;
      }
    }),

  async requestCancellation(workflowId, runId) {
    try {
      await client.workflow.getHandle(workflowId, runId).cancel();
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  },

  describeRunning: (workflowId) => describeRunning(client, workflowId),
});

/** What a running workflow says of itself in one line; undefined when none of that id runs. */
export async function describeRunning(client: Client, workflowId: string): Promise<string | undefined> {
  try {
    const description = await client.workflow.getHandle(workflowId).describe();
    if (description.status.name !== 'RUNNING') return undefined;
    return (await description.staticSummary()) ?? workflowId;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
