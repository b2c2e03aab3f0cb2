import {
  ChildWorkflowCancellationType,
  CancellationScope,
  condition,
  isCancellation,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  startChild,
  type ChildWorkflowHandle,
} from '@temporalio/workflow';
import { leaseWorkflowId } from '../model/execution.ts';
import type { Environment } from '../model/schema/definition.ts';
import { LEASE_WAIT_MS } from '../model/timeouts.ts';
import { waiting } from './activities.ts';
import { failure, understood } from './failures.ts';
import { rawSignal } from './inbox.ts';

const RELEASE = 'release';

/**
 * Holds an environment for one execution: its id is the environment's, so the server lets only one run. It ends when
 * it is released, and the server ends it with the execution however that ends.
 */
export async function environmentLease(holder: string): Promise<void> {
  let released = false;
  setHandler(rawSignal(RELEASE), () => void (released = true), { description: 'Lets go of the environment' });
  setCurrentDetails(`Held by ${holder}`);
  await condition(() => released);
}

interface Holder {
  readonly programId: string;
  /** Who holds it, for people. */
  readonly who: string;
  /** Told whenever the environment is held by somebody else. */
  readonly onBusy: (holder: string) => void;
}

/**
 * Takes the environment when `acquire` is called, waiting for whoever holds it, and lets go of it when `body` ends,
 * in whatever way.
 */
export async function holding(
  environment: Environment,
  { programId, who, onBusy }: Holder,
  body: (acquire: () => Promise<void>) => Promise<void>,
): Promise<void> {
  let lease: ChildWorkflowHandle<typeof environmentLease> | undefined;
  const acquire = async () => {
    const workflowId = leaseWorkflowId(programId, environment.id);
    lease = await startWhenFree(
      workflowId,
      () =>
        startChild(environmentLease, {
          workflowId,
          parentClosePolicy: ParentClosePolicy.TERMINATE,
          cancellationType: ChildWorkflowCancellationType.ABANDON,
          staticSummary: `${environment.name} held by ${who}`,
          args: [who],
        }),
      `environment ${environment.id} (${environment.name})`,
      onBusy,
    );
  };
  try {
    await body(acquire);
  } finally {
    const held = lease;
    if (held)
      await CancellationScope.nonCancellable(async () => {
        // One that somebody ended by hand is free as well; what became of `body` is what counts.
        await held.signal(RELEASE).catch(() => undefined);
        await held.result().catch(() => undefined);
      });
  }
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
