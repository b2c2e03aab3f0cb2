import type { Measured, MetricDefinition } from './gates.ts';
import type { PerformanceGoals } from './schema/definition.ts';

/** A page that takes longer counts as failed; Cloud Manager counts it as a 504. */
export const PAGE_TIME_OUT_MS = 20_000;

/**
 * Thresholds of the page "Performance Testing" of Cloud Manager for Managed Services, for what is measured.
 * Times are in milliseconds, the error rate in percent.
 */
export const performanceMetrics = (goals: PerformanceGoals): readonly MetricDefinition[] => [
  { kpi: 'error_rate', severity: 'critical', expectedValue: '2', comparator: 'LT' },
  {
    kpi: 'response_time',
    severity: 'important',
    expectedValue: String(goals.responseTimeMs),
    comparator: 'LT',
  },
  { kpi: 'peak_resp_time', severity: 'important', expectedValue: '18000', comparator: 'LT' },
  {
    kpi: 'views_per_minute',
    severity: 'important',
    expectedValue: String(goals.viewsPerMinute),
    comparator: 'GTE',
  },
  { kpi: 'requests_per_minute', severity: 'informational', expectedValue: '6000', comparator: 'LT' },
];

/** What a load test measured at one address. */
export interface LoadMeasurement {
  readonly total: number;
  /** Answers that were no good, and requests without an answer. */
  readonly failed: number;
  readonly unanswered: number;
  readonly p95Ms?: number;
  readonly maxMs?: number;
  /** Minutes during which requests were sent. */
  readonly minutes: number;
}

/**
 * Sums up what was measured at one or several addresses: the slowest of them counts for the response times, and an
 * address that gave no times leaves them unknown. A view is a page that was answered.
 */
export function measurePerformance(loads: readonly LoadMeasurement[]): Measured {
  const sum = (of: (load: LoadMeasurement) => number) => loads.reduce((all, load) => all + of(load), 0);
  const slowest = (of: (load: LoadMeasurement) => number | undefined) =>
    loads.length > 0 ? Math.max(...loads.map((load) => of(load) ?? NaN)) : undefined;
  const perMinute = (of: (load: LoadMeasurement) => number) =>
    loads.length > 0 ? Math.round(sum((load) => of(load) / load.minutes)) : undefined;
  const total = sum((load) => load.total);
  return {
    error_rate: total > 0 ? Math.ceil((10_000 * sum((load) => load.failed)) / total) / 100 : undefined,
    response_time: slowest((load) => load.p95Ms),
    peak_resp_time: slowest((load) => load.maxMs),
    views_per_minute: perMinute((load) => load.total - load.unanswered),
    requests_per_minute: perMinute((load) => load.total),
  };
}
