import { timings } from './timings.ts';
import type { LoadMeasurement } from '../../model/performance.ts';

/** What came of one request. */
export interface Result {
  /** When it was to be sent, ISO. */
  readonly at: string;
  /** The same, in milliseconds since the first one. */
  readonly dueMs: number;
  readonly path: string;
  /** From when it was to be sent until its answer was there. */
  readonly ms: number;
  readonly answered: boolean;
  readonly failure?: string;
}

export interface Tallied<R extends Result> extends LoadMeasurement {
  /** The first of them. */
  readonly failures: readonly R[];
  readonly p50Ms?: number;
  /** Requests sent. */
  readonly perMinute: number;
}

const FAILURES_KEPT = 20;

/** Sums up results. A refused connection says nothing about response times; an answer that never came does. */
export function tally<R extends Result>(timeOutMs: number) {
  const times = timings(timeOutMs);
  const failures: R[] = [];
  let [total, failed, unanswered] = [0, 0, 0];
  return {
    add(result: R): void {
      total++;
      if (!result.answered) unanswered++;
      if (result.answered || result.ms >= timeOutMs) times.add(result.ms);
      if (result.failure === undefined) return;
      failed++;
      if (failures.length < FAILURES_KEPT) failures.push(result);
    },
    sum: (minutes: number): Tallied<R> => ({
      total,
      failed,
      unanswered,
      failures,
      p50Ms: times.percentile(50),
      p95Ms: times.percentile(95),
      maxMs: times.max(),
      minutes,
      perMinute: minutes > 0 ? Math.round(total / minutes) : 0,
    }),
  };
}
