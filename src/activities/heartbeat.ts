import { Context } from '@temporalio/activity';

const BEAT_MS = 1_000;

/**
 * Runs `work` while heartbeats tell the server that this worker lives, which is also how a cancellation arrives.
 * `beat` replaces the detail that the next heartbeats carry. When the activity is cancelled the signal fires and
 * `work` should throw its reason, leaving things as the activity promises.
 */
export async function whileHeartbeating<T>(
  work: (signal: AbortSignal, beat: (detail: unknown) => void) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  let detail: unknown;
  const timer = setInterval(() => context.heartbeat(detail), BEAT_MS);
  try {
    return await work(context.cancellationSignal, (next) => {
      detail = next;
      context.heartbeat(detail);
    });
  } finally {
    clearInterval(timer);
  }
}
