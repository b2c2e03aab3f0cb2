import { csv } from '../csv.ts';
import type { Result } from './tally.ts';

/** What one page did in a test. */
export interface PageRow {
  readonly path: string;
  readonly requests: number;
  readonly failed: number;
  /** Why, the last time. */
  readonly lastFailure?: string;
  readonly p95Ms?: number;
  readonly peakMs?: number;
}

interface Counted {
  requests: number;
  failed: number;
  lastFailure?: string;
  /** How often each time was seen, in milliseconds: there are thousands of pages, each asked for a few times. */
  readonly times: Map<number, number>;
}

/** Counts results by page. */
export function pageTable(timeOutMs: number) {
  const pages = new Map<string, Counted>();
  const rows = () => [...pages].map(([path, counted]) => rowOf(path, counted));
  return {
    add({ path, ms, answered, failure }: Result): void {
      const page = pages.get(path) ?? { requests: 0, failed: 0, times: new Map<number, number>() };
      pages.set(path, page);
      page.requests++;
      if (failure !== undefined) {
        page.failed++;
        page.lastFailure = failure;
      }
      if (answered || ms >= timeOutMs) page.times.set(ms, (page.times.get(ms) ?? 0) + 1);
    },
    /** Pages whose 95th percentile is not below so many milliseconds, the slowest first. */
    slow: (limitMs: number): readonly PageRow[] =>
      rows()
        .filter(({ p95Ms }) => p95Ms !== undefined && p95Ms >= limitMs)
        .sort((a, b) => (b.p95Ms ?? 0) - (a.p95Ms ?? 0)),
    /** Pages that failed at least once, those that failed most first. */
    failing: (): readonly PageRow[] =>
      rows()
        .filter(({ failed }) => failed > 0)
        .sort((a, b) => b.failed - a.failed),
  };
}

function rowOf(path: string, { requests, failed, lastFailure, times }: Counted): PageRow {
  const sorted = [...times].sort(([a], [b]) => a - b);
  let below = Math.ceil((sorted.reduce((all, [, count]) => all + count, 0) * 95) / 100);
  const p95Ms = sorted.find(([, count]) => (below -= count) <= 0)?.[0];
  return { path, requests, failed, lastFailure, p95Ms, peakMs: sorted.at(-1)?.[0] };
}

export const pagesCsv = (rows: readonly PageRow[]): string =>
  csv(
    ['page', 'requests', 'failed', 'p95_ms', 'peak_ms', 'last_failure'],
    rows.map(({ path, requests, failed, p95Ms, peakMs, lastFailure }) =>
      [path, requests, failed, p95Ms, peakMs, lastFailure].map((value) => String(value ?? '')),
    ),
  );
