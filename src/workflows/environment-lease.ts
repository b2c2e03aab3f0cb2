import {
  CancellationScope,
  condition,
  isCancellation,
  ParentClosePolicy,
  setCurrentDetails,
  startChild,
  type ChildWorkflowHandle,
} from '@temporalio/workflow';
import { leaseWorkflowId } from '../model/execution.ts';
import type { Environment } from '../model/schema/definition.ts';
import { LEASE_WAIT_MS } from '../model/timeouts.ts';
import { leasing, quickly, waiting } from './activities.ts';
import { failure, understood } from './failures.ts';
import { always, heedCancellation } from './scopes.ts';

/**
 * Holds an environment for one execution: its id is the environment's, so the server lets only one run. It has nothing
 * to do, and nothing to clean up: it ends when its holder ends it, and the server ends it with the execution however
 * that ends.
 */
export async function environmentLease(holder: string): Promise<void> {
  setCurrentDetails(`Held by ${holder}`);
  await condition(() => false);
}

interface Holder {
  readonly programId: string;
  /** Who holds it, for people. */
  readonly who: string;
  /** Told whenever the environment is held by somebody else. */
  readonly onBusy: (holder: string) => void;
  /** Nothing follows: the holder ends when it has let go. */
  readonly endsNext?: boolean;
}

/**
 * Takes the environment when `acquire` is called, waiting for whoever holds it, and lets go of it when `body` ends,
 * in whatever way.
 */
export async function holding(
  environment: Environment,
  { programId, who, onBusy, endsNext }: Holder,
  body: (acquire: () => Promise<void>) => Promise<void>,
): Promise<void> {
  let lease: ChildWorkflowHandle<typeof environmentLease> | undefined;
  const acquire = async () => {
    await heedCancellation();
    const workflowId = leaseWorkflowId(programId, environment.id);
    lease = await startWhenFree(
      workflowId,
      // Not cancelled while it starts, or nobody would hear of its start any more; whoever holds it lets go of it.
      () =>
        always(() =>
          startChild(environmentLease, {
            workflowId,
            parentClosePolicy: ParentClosePolicy.TERMINATE,
            staticSummary: `${environment.name} held by ${who}`,
            args: [who],
          }),
        ),
      `environment ${environment.id} (${environment.name})`,
      onBusy,
    );
  };
  try {
    await body(acquire);
  } finally {
    if (lease) await letGo(environment, lease, endsNext);
  }
}

async function letGo(
  { name }: Environment,
  lease: ChildWorkflowHandle<typeof environmentLease>,
  endsNext = false,
): Promise<void> {
  // However it ended it is free; what became of the work is what counts.
  lease.result().catch(() => undefined);
  const end = (by: typeof quickly | typeof leasing) =>
    by.endLease.executeWithOptions({ summary: `Let go of ${name}` }, [
      lease.workflowId,
      lease.firstExecutionRunId,
    ]);
  // The server tells the holder that the lease has ended. It would refuse the end of a holder that has not heard of it
  // yet, and have the quick call made again.
  if (endsNext) return always(() => end(leasing));
  // What is next need not wait: should this fail, the server ends the lease with its holder.
  void always(() => end(quickly).catch(() => end(leasing))).catch(() => undefined);
}

/**
 * Starts a child whose fixed id admits one at a time, waiting for the one that runs. First come is not first served.
 * @throws ApplicationFailure `Unavailable` naming the holder when the wait is longer than the limit.
 */
export async function startWhenFree<T>(
  workflowId: string,
  start: () => Promise<T>,
  what: string,
  onBusy: (holder: string) => void,
): Promise<T> {
  const deadline = Date.now() + LEASE_WAIT_MS;
  let holder = 'another execution';
  while (Date.now() < deadline) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'WorkflowExecutionAlreadyStartedError') throw error;
    }
    holder = (await waiting.describeRunning(workflowId)) ?? holder;
    onBusy(holder);
    await untilClosed(workflowId, `Wait for ${what}: ${holder}`, deadline - Date.now());
  }
  throw failure('Unavailable', `${what} was not free within ${LEASE_WAIT_MS / 60_000} minutes: ${holder}`);
}

/** Returns when the workflow is closed, or when the time is over. */
async function untilClosed(workflowId: string, summary: string, limitMs: number): Promise<void> {
  const scope = new CancellationScope();
  let over = false;
  const ended = scope
    .run(() => waiting.untilClosed.executeWithOptions({ summary }, [workflowId]))
    .catch((error: unknown) => {
      // The next try to start tells what matters; only a bug is passed on.
      if (!isCancellation(error)) understood(error);
    })
    .finally(() => (over = true));
  try {
    await condition(() => over, Math.max(limitMs, 1), { summary: `${summary}: limit` });
  } finally {
    scope.cancel();
    await ended;
  }
}
