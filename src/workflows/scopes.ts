import { CancellationScope } from '@temporalio/workflow';
import { failure, understood } from './failures.ts';

/** Runs what must be done however the workflow ends, cancelled or not. */
export const always = <T>(work: () => Promise<T>): Promise<T> => CancellationScope.nonCancellable(work);

/** Goes no further when the workflow was asked to cancel: where nothing is half done, after work that is not cancelled. */
export async function heedCancellation(): Promise<void> {
  const scope = CancellationScope.current();
  if (scope.consideredCancelled) await scope.cancelRequested;
}

/** Waits for all, also when some fail: a node is never left while it is being changed. Fails with all their messages. */
export async function allOf(works: readonly Promise<void>[]): Promise<void> {
  const ends = await Promise.allSettled(works);
  const reasons = ends.flatMap((end): unknown[] => (end.status === 'rejected' ? [end.reason] : []));
  if (reasons.length === 1) throw reasons[0];
  if (reasons.length === 0) return;
  const all = reasons.map(understood);
  throw failure(all[0]?.type ?? 'Unavailable', all.map(({ message }) => message).join('; '));
}
