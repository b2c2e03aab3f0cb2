import { failureTypes } from '../model/failures.ts';
import { Failure } from '../systems/failure.ts';
import { pause } from '../systems/pause.ts';

const TRIES = 4;
const FIRST_PAUSE_MS = 250;

/** What does not answer is asked again a few times: one refused connection is no reason to end an execution. */
export async function untilAnswered<T>(question: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await question();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Failure) || !failureTypes[error.type].retry || attempt === TRIES) throw error;
    }
    await pause(FIRST_PAUSE_MS * 2 ** (attempt - 1), signal);
  }
}
