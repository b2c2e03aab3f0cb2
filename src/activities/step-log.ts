import type { Storage } from '../systems/storage/storage.ts';

/**
 * Adds lines to a step's log in storage, each with the time and the thing that it concerns:
 * `2026-11-22T18:30:00.000Z publish1  text`.
 */
export const stepLog =
  (storage: Storage, key: string, thing: string): ((line: string) => Promise<void>) =>
  (line) =>
    storage.append(key, `${new Date().toISOString()} ${thing}  ${line.replaceAll('\n', '\n  ')}\n`);
