import { setImmediate as yieldOnce } from 'node:timers/promises';
import { pause } from '../pause.ts';

export interface ArrivalOptions {
  readonly perSecond: number;
  /** Ends the arrivals after so long; without it the signal does. */
  readonly durationMs?: number;
  /** Ends the arrivals; what is under way is waited for. */
  readonly signal?: AbortSignal;
}

/** The last arrival may begin so late before that counts as a lower rate. */
const LATE_MS = 250;
const MOST_AT_ONCE = 1_000;

export interface Arrival {
  /** From 0. */
  readonly number: number;
  /** When it should begin, as `performance.now()` counts. */
  readonly due: number;
  /** The same, from the first arrival on. */
  readonly dueMs: number;
  /** So many are under way that this one must not begin: a server that does not answer would use up this machine. */
  readonly tooMany: boolean;
}

/**
 * Begins something at a constant rate, whether or not what began earlier has come to an end: visitors do not wait for
 * each other. Whoever measures should measure from `due`, not from when it got its turn: a server, or a machine, that
 * stalls would otherwise hide its own delays ("coordinated omission").
 *
 * The generators on npm (autocannon among them) send the next request of a connection when the one before has been
 * answered, and offer a rate within that only; this is why the sending is ours.
 * @returns the minutes that the arrivals took
 */
export async function arrivals(
  { perSecond, durationMs = Infinity, signal }: ArrivalOptions,
  begin: (arrival: Arrival) => Promise<void> | void,
): Promise<number> {
  const planned = Math.max(1, Math.round((perSecond * durationMs) / 1000));
  const intervalMs = 1000 / perSecond;
  const underWay = new Set<Promise<void>>();
  const start = performance.now();
  let number = 0;
  let lastMs = 0;
  for (; number < planned && !signal?.aborted; number++) {
    const dueMs = number * intervalMs;
    await until(start + dueMs, signal);
    if (signal?.aborted) break;
    lastMs = performance.now() - start;
    const tooMany = underWay.size >= MOST_AT_ONCE;
    const begun = begin({ number, due: start + dueMs, dueMs, tooMany });
    if (!begun) continue;
    const ended = begun.finally(() => underWay.delete(ended));
    underWay.add(ended);
  }
  await Promise.all(underWay);
  const plannedMs = number * intervalMs;
  return Math.max(plannedMs, lastMs > plannedMs + LATE_MS ? lastMs : 0) / 60_000;
}

/** Timers may fire up to a millisecond early: nothing begins before its time. */
async function until(time: number, signal?: AbortSignal): Promise<void> {
  const ms = time - performance.now();
  if (ms > 0) await pause(ms, signal).catch(() => undefined);
  do await yieldOnce();
  while (performance.now() < time && !signal?.aborted);
}
