import { pause } from '../systems/pause.ts';
import type { FairwayError } from './fairway-error.ts';

/** How long a change, and a question that precedes it, waits while no worker works: one that died is replaced meanwhile. */
export const NO_WORKER_MS = 30_000;
/** How long a change waits while workers work: they come to it, however much is asked of them at once. */
export const BUSY_MS = 600_000;
/** What is not answered is asked again after this. */
export const AGAIN_MS = 500;

/**
 * Asks again, for `NO_WORKER_MS`, while nobody is there to answer: for what must be known before a change is asked for.
 * Whoever only looks is told at once.
 */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  const end = Date.now() + NO_WORKER_MS;
  for (;;)
    try {
      return await ask();
    } catch (error) {
      if (!(error as FairwayError).noWorker || Date.now() >= end) throw error;
      await pause(AGAIN_MS);
    }
}
