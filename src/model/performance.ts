import type { Measured, Metric, MetricDefinition } from './gates.ts';
import type { PerformanceGoals } from './schema/definition.ts';

/** A page that takes longer counts as failed; Cloud Manager counts it as a 504. */
export const PAGE_TIME_OUT_MS = 20_000;

/** What every node of the environment is measured for while a test runs. */
export const nodeMetrics: readonly MetricDefinition[] = [
  { kpi: 'cpu_utilization_rate', severity: 'critical', expectedValue: '80', comparator: 'LT' },
  { kpi: 'disk_io_wait_time', severity: 'critical', expectedValue: '50', comparator: 'LT' },
  { kpi: 'disk_bandwidth_util', severity: 'important', expectedValue: '90', comparator: 'LT' },
  { kpi: 'network_bandwidth_util', severity: 'important', expectedValue: '90', comparator: 'LT' },
];

/**
 * The gate of the load test of the site: thresholds of the page "Performance Testing" of Cloud Manager for Managed
 * Services. Times are in milliseconds, rates in percent.
 */
export const performanceMetrics = (
  goals: Pick<PerformanceGoals, 'responseTimeMs' | 'viewsPerMinute'>,
): readonly MetricDefinition[] => [
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
  ...nodeMetrics,
];

/**
 * The gate of the assets test. Cloud Manager's page names no metric of its own for the uploads: `assets_error_rate`
 * is ours, with the severity and the threshold of the error rate of pages.
 */
export const assetsMetrics: readonly MetricDefinition[] = [
  { kpi: 'assets_error_rate', severity: 'critical', expectedValue: '2', comparator: 'LT' },
  ...nodeMetrics,
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

/** How busy a node was, in percent; what is absent could not be obtained. */
export interface NodeUsage {
  readonly cpu?: number;
  /** Of the time of the processors, waiting for disks. */
  readonly ioWait?: number;
  /** Of the time, the busiest disk had something to do. */
  readonly disk?: number;
  /** Of the bandwidth of its busiest network interface, in the direction that carries more. */
  readonly network?: number;
}

/**
 * Sums up what was measured at one or several addresses: the slowest of them counts for the response times, and an
 * address that gave no times leaves them unknown. A view is a page that was answered; views are whole ones.
 */
export function measurePerformance(loads: readonly LoadMeasurement[]): Measured {
  const slowest = (of: (load: LoadMeasurement) => number | undefined) =>
    loads.length > 0 ? Math.max(...loads.map((load) => of(load) ?? NaN)) : undefined;
  const perMinute = (of: (load: LoadMeasurement) => number) =>
    loads.length > 0 ? Math.round(loads.reduce((all, load) => all + of(load) / load.minutes, 0)) : undefined;
  return {
    error_rate: errorRate(loads),
    response_time: slowest((load) => load.p95Ms),
    peak_resp_time: slowest((load) => load.maxMs),
    views_per_minute: perMinute((load) => load.total - load.unanswered),
    requests_per_minute: perMinute((load) => load.total),
  };
}

/** In percent; unknown where nothing was sent. */
export function errorRate(loads: readonly Pick<LoadMeasurement, 'total' | 'failed'>[]): number | undefined {
  const total = loads.reduce((all, load) => all + load.total, 0);
  const failed = loads.reduce((all, load) => all + load.failed, 0);
  return total > 0 ? twoDecimals((100 * failed) / total) : undefined;
}

/**
 * The busiest node counts. "If any metric for even one instance is not obtained, that metric is reported as unknown
 * and the corresponding step will fail" (the same page).
 */
export function measureNodes(nodes: readonly NodeUsage[]): Measured {
  const busiest = (of: keyof NodeUsage) => {
    const all = nodes.map((node) => node[of]);
    return all.length > 0 && all.every((percent) => percent !== undefined)
      ? twoDecimals(Math.max(...all))
      : undefined;
  };
  return {
    cpu_utilization_rate: busiest('cpu'),
    disk_io_wait_time: busiest('ioWait'),
    disk_bandwidth_util: busiest('disk'),
    network_bandwidth_util: busiest('network'),
  };
}

/** Cut, not rounded: what is below a threshold stays below it. */
const twoDecimals = (percent: number) => Math.floor(Number((percent * 100).toFixed(6))) / 100;

/**
 * What both tests of a performance test say together: one row per KPI. Of a KPI that both have, the row that fails
 * counts, else the one with the higher value.
 */
export function reportOf(...tests: readonly (readonly Metric[])[]): readonly Metric[] {
  const rows = new Map<string, Metric>();
  for (const metric of tests.flat()) {
    const other = rows.get(metric.kpi);
    if (!other || isWorse(metric, other)) rows.set(metric.kpi, metric);
  }
  return [...rows.values()];
}

function isWorse(metric: Metric, other: Metric): boolean {
  if (metric.passed !== other.passed) return !metric.passed;
  return Number(metric.actualValue) > Number(other.actualValue);
}
