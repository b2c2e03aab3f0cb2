import type { Storage } from '../systems/storage/storage.ts';

const EVERY_MS = 250;

export interface LiveLog {
  /** Adds a line; it is in storage soon after. */
  line(text: string): void;
  /** Returns once everything is in storage. */
  close(): Promise<void>;
}

/** Lines for a log in storage, brought there while the work goes on, in batches. */
export function liveLog(storage: Storage, key: string): LiveLog {
  let waiting = '';
  let timer: NodeJS.Timeout | undefined;
  let writing = Promise.resolve();
  let trouble: Error | undefined;

  const write = () => {
    timer = undefined;
    const batch = waiting;
    waiting = '';
    writing = writing
      .then(() => (batch ? storage.append(key, batch) : undefined))
      .catch((error: Error) => void (trouble ??= error));
  };
  return {
    line(text) {
      waiting += `${text}\n`;
      timer ??= setTimeout(write, EVERY_MS);
    },
    async close() {
      clearTimeout(timer);
      write();
      await writing;
      if (trouble) throw trouble;
    },
  };
}
