import type { Storage } from '../systems/storage/storage.ts';
import { liveLog, type LiveLog } from './live-log.ts';

/** Characters that go into the log before it is cut. */
const BEGINNING = 5_000_000;
const LAST_LINES = 200;
const LONGEST_LINE = 2_000;

/**
 * A live log that programs of somebody else write to: of what is too much it keeps the beginning and the last lines,
 * and says how many are missing between.
 */
export function boundedLog(storage: Storage, key: string): LiveLog {
  const log = liveLog(storage, key);
  const last: string[] = [];
  let written = 0;
  let missing = 0;
  return {
    line(text) {
      const line = text.length > LONGEST_LINE ? `${text.slice(0, LONGEST_LINE)} [...]` : text;
      if (written < BEGINNING) {
        written += line.length;
        log.line(line);
      } else if (last.push(line) > LAST_LINES) {
        last.shift();
        missing += 1;
      }
    },
    close() {
      if (missing > 0) log.line(`[... ${missing} lines left out ...]`);
      last.forEach((line) => log.line(line));
      return log.close();
    },
  };
}
