import { setTimeout as pause } from 'node:timers/promises';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type WorkflowHandleWithFirstExecutionRunId,
} from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, defineSearchAttributeKey } from '@temporalio/common';
import { isProgress, type DeploymentProgress, type RepairInput } from '../model/deployment.ts';
import { deploymentWorkflowId } from '../model/execution.ts';
import { QUERY_MS, UPDATE_MS, type Calls } from './calls.ts';
import { FairwayError, translated } from './fairway-error.ts';

const ASK_EVERY_MS = 500;

type Repair = WorkflowHandleWithFirstExecutionRunId<(input: RepairInput) => Promise<DeploymentProgress>>;

/** Starts the repair of an environment and waits for its end; `FairwayClient.repair` says what it means. */
export async function repairEnvironment(
  calls: Calls,
  input: RepairInput,
  onProgress: (progress: DeploymentProgress) => void = () => undefined,
): Promise<DeploymentProgress> {
  const { id, name } = input.environment;
  const what = `environment ${id} (${name})`;
  const repair = await start(calls, input, what);
  const outcome = repair.result().then(
    (progress) => ({ progress, error: undefined }),
    (error: unknown) => ({ progress: undefined, error }),
  );
  // Without a worker the result would be waited for without end; the question shows that there is one.
  await calls.within(QUERY_MS, `the repair of ${what}`, true, () =>
    repair.query<DeploymentProgress>('deployment'),
  );
  for (;;) {
    const ended = await Promise.race([pause(ASK_EVERY_MS), outcome]);
    if (ended?.progress) return ended.progress;
    if (ended) return rest(ended.error, what);
    await repair
      .query<DeploymentProgress>('deployment')
      .then(onProgress)
      .catch(() => undefined); // the worker is being restarted; the end will be known
  }
}

async function start(calls: Calls, input: RepairInput, what: string): Promise<Repair> {
  const { temporal } = calls;
  const workflowId = deploymentWorkflowId(input.programId, input.environment.id);
  const inUse = async (error: unknown) => {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const description = await temporal.workflow.getHandle(workflowId).describe();
    const who = (await description.staticSummary()) ?? workflowId;
    throw new FairwayError('refused', `${what} is in use by ${who}: wait for its end, or cancel it`, error);
  };
  return calls.within(UPDATE_MS, `the repair of ${what}`, true, () =>
    temporal.workflow
      .start<(input: RepairInput) => Promise<DeploymentProgress>>('environmentRepair', {
        workflowId,
        taskQueue: 'fairway',
        args: [input],
        staticSummary: `repair of ${input.environment.name} by ${input.by.subject}`,
        typedSearchAttributes: [
          { key: defineSearchAttributeKey('FairwayProgram', 'KEYWORD'), value: input.programId },
        ],
      })
      .catch(inUse),
  );
}

/** What is to be seen to after a repair that did not make everything good. */
function rest(error: unknown, what: string): DeploymentProgress {
  const cause = error instanceof WorkflowFailedError ? error.cause : undefined;
  if (cause instanceof ApplicationFailure) {
    const [progress] = cause.details ?? [];
    if (isProgress(progress)) return progress;
    throw new FairwayError('refused', cause.message, error);
  }
  if (cause instanceof CancelledFailure)
    throw new FairwayError('refused', `the repair of ${what} was cancelled`, error);
  throw translated(error, `the repair of ${what}`, true);
}
