import {
  WorkflowFailedError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowHandle,
} from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { Activities, WaitActivities } from '../model/activities.ts';
import { deploymentWorkflowId, leaseWorkflowId } from '../model/execution.ts';
import { whileHeartbeating } from './heartbeat.ts';

const STATUS = defineSearchAttributeKey('FairwayStatus', 'KEYWORD');
/** An execution that has ended keeps its record within seconds, or not for long. */
const LET_GO_MS = 10_000;

/** What executions and programs ask of Temporal itself. */
export const waitActivities = ({ client }: { client: Client }): WaitActivities => ({
  untilClosed: (workflowId) =>
    whileHeartbeating((signal) => closed(client, client.workflow.getHandle(workflowId), signal)),

  letsGo: (workflowId) =>
    whileHeartbeating(async (signal) => {
      const description = await running(client, workflowId);
      if (!description) return true;
      const status = description.typedSearchAttributes.get(STATUS);
      if (status === 'RUNNING' || status === 'CANCELLING') return false;
      const limit = AbortSignal.timeout(LET_GO_MS);
      try {
        const handle = client.workflow.getHandle(workflowId, description.runId);
        await closed(client, handle, AbortSignal.any([signal, limit]));
        return true;
      } catch (error) {
        if (!limit.aborted) throw error;
        return false;
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

/** Waits for the end of a workflow, whichever it is; one that is unknown has ended. */
async function closed(client: Client, handle: WorkflowHandle, signal: AbortSignal): Promise<void> {
  try {
    await client.connection.withAbortSignal(signal, () => handle.result());
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof WorkflowNotFoundError || error instanceof WorkflowFailedError)) throw error;
  }
}

export const leaseActivities = ({ client }: { client: Client }): Pick<Activities, 'endLease'> => ({
  async endLease(workflowId, runId) {
    try {
      await client.workflow.getHandle(workflowId, runId).terminate('let go by its holder');
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  },
});

/**
 * Who uses an environment, in one line: whoever holds it, a deployment or a repair. A deployment whose execution has
 * ended only cleans up: others may begin, and wait for it when they deploy.
 */
export async function userOf(
  client: Client,
  programId: string,
  environmentId: string,
): Promise<string | undefined> {
  const holder = await describeRunning(client, leaseWorkflowId(programId, environmentId));
  if (holder !== undefined) return holder;
  const workflowId = deploymentWorkflowId(programId, environmentId);
  const deployment = await running(client, workflowId);
  const { workflowId: execution, runId } = deployment?.raw.workflowExecutionInfo?.parentExecution ?? {};
  if (execution && !(await running(client, execution, runId ?? undefined))) return undefined;
  return deployment && ((await deployment.staticSummary()) ?? workflowId);
}

/** What a running workflow says of itself in one line; undefined when none of that id runs. */
export async function describeRunning(client: Client, workflowId: string): Promise<string | undefined> {
  const description = await running(client, workflowId);
  return description && ((await description.staticSummary()) ?? workflowId);
}

async function running(client: Client, workflowId: string, runId?: string) {
  try {
    const description = await client.workflow.getHandle(workflowId, runId).describe();
    return description.status.name === 'RUNNING' ? description : undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
