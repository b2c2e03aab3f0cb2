import { CancelledFailure, Context } from '@temporalio/activity';
import { alone } from './one-attempt.ts';

const BEAT_MS = 1_000;

/**
 * Runs `work` while heartbeats tell the server that this worker lives, which is also how a cancellation arrives.
 * `beat` replaces the detail that the next heartbeats carry. When the activity is cancelled, or given up for a later
 * attempt, the signal fires and `work` should end, leaving things as the activity promises; its reason is thrown.
 */
export async function whileHeartbeating<T>(
  work: (signal: AbortSignal, beat: (detail: unknown) => void) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  const { workflowExecution, activityId, attempt } = context.info;
  let detail: unknown;
  const timer = setInterval(() => context.heartbeat(detail), BEAT_MS);
  const beat = (next: unknown) => {
    detail = next;
    context.heartbeat(detail);
  };
  try {
    return await alone(
      {
        ...{ activity: `${workflowExecution?.runId}/${activityId}`, attempt },
        ...{
          cancelled: context.cancellationSignal,
          reason: new CancelledFailure('a later attempt has begun'),
        },
      },
      async (signal) => {
        try {
          return await work(signal, beat);
        } catch (error) {
          // Streams and files say with an error of their own that a signal has ended them.
          if (error instanceof Error && error.name === 'AbortError') signal.throwIfAborted();
          throw error;
        }
      },
    );
  } finally {
    clearInterval(timer);
  }
}
