import { Failure, messageOf } from '../systems/failure.ts';
import type { Storage } from '../systems/storage/storage.ts';
import { whileHeartbeating } from './heartbeat.ts';
import { hidden, hiding } from './hiding.ts';
import { liveLog, type LiveLog } from './live-log.ts';

/** Characters of a line that go anywhere but into the log. */
const LONGEST_DETAIL = 300;
const START = 100;

/** A line for anywhere but the log. Of a long one the start and the end: Maven says what failed first, and why last. */
export const shortened = (line: string): string =>
  line.length <= LONGEST_DETAIL
    ? line
    : `${line.slice(0, START)} … ${line.slice(START + 3 - LONGEST_DETAIL)}`;

export interface Spoken {
  readonly signal: AbortSignal;
  /** Adds a line to the log; the next heartbeats carry it. */
  readonly say: (line: string) => void;
  /** From now on these values appear nowhere: not in the log, not in a heartbeat, not in a failure. */
  readonly conceal: (values: readonly string[]) => void;
  /** The text without them, for what is kept elsewhere. */
  readonly hide: (text: string) => string;
}

/**
 * Runs `work` under heartbeats, with a log in storage at that key. What it fails of ends the log.
 * @param open which kind of log
 */
export const whileSpeaking = <T>(
  storage: Storage,
  key: string,
  work: (spoken: Spoken) => Promise<T>,
  open: (storage: Storage, key: string) => LiveLog = liveLog,
): Promise<T> =>
  whileHeartbeating(async (signal, beat) => {
    const log = open(storage, key);
    let concealed = (text: string) => text;
    const hide = (text: string) => concealed(text);
    const say = (line: string) => {
      log.line(hide(line));
      beat(shortened(hide(line)));
    };
    const conceal = (values: readonly string[]) => void (concealed = hiding(values));
    try {
      return await work({ signal, say, conceal, hide });
    } catch (thrown) {
      const error = thrown instanceof Failure ? hidden(thrown, hide) : thrown;
      say(signal.aborted ? 'cancelled' : messageOf(error));
      if (error instanceof Failure) error.details.forEach((detail) => log.line(`  ${detail}`));
      throw error;
    } finally {
      await log.close();
    }
  });
