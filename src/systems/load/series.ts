import type { NodeUsage } from '../../model/performance.ts';
import { csv } from '../csv.ts';
import type { NodeSeries } from '../node-metrics/monitor.ts';
import type { Result } from './tally.ts';
import { timings } from './timings.ts';

/** One stretch of time of a test. */
export interface Stretch {
  /** When it begins, in seconds since the beginning of the test. */
  readonly second: number;
  readonly requests: number;
  readonly failed: number;
  readonly unanswered: number;
  readonly p95Ms?: number;
  readonly peakMs?: number;
  /** By node; one that said nothing in this time is absent. */
  readonly nodes: Readonly<Record<string, NodeUsage>>;
}

export interface TimeSeries {
  /** When the test began, ISO. */
  readonly startedAt: string;
  /** How long a stretch is. */
  readonly stretchSeconds: number;
  readonly stretches: readonly Stretch[];
}

const MOST_STRETCHES = 30;

/** Minutes, as in Cloud Manager's graphs; of short tests a thirtieth, whole seconds. */
export const stretchSeconds = (durationSeconds: number): number =>
  Math.min(60, Math.max(1, Math.ceil(durationSeconds / MOST_STRETCHES)));

interface Collected {
  requests: number;
  failed: number;
  unanswered: number;
  times: ReturnType<typeof timings>;
}

/** Collects results by the time that their requests were due. */
export function timeSeries(durationSeconds: number, timeOutMs: number) {
  const seconds = stretchSeconds(durationSeconds);
  const startedAt = new Date();
  const all: Collected[] = [];
  const stretchOf = (ms: number) => Math.floor(Math.min(ms, durationSeconds * 1000 - 1) / (seconds * 1000));
  return {
    add({ dueMs, ms, answered, failure }: Result): void {
      const into = (all[stretchOf(dueMs)] ??= newStretch(timeOutMs));
      into.requests++;
      if (failure !== undefined) into.failed++;
      if (!answered) into.unanswered++;
      if (answered || ms >= timeOutMs) into.times.add(ms);
    },
    result(nodes: readonly NodeSeries[]): TimeSeries {
      const count = Math.max(all.length, Math.ceil(durationSeconds / seconds));
      const stretches = Array.from({ length: count }, (_, index): Stretch => {
        const { requests, failed, unanswered, times } = all[index] ?? newStretch(timeOutMs);
        const middle = startedAt.getTime() + (index + 0.5) * seconds * 1000;
        return {
          second: index * seconds,
          ...{ requests, failed, unanswered },
          p95Ms: times.percentile(95),
          peakMs: times.max(),
          nodes: Object.fromEntries(
            nodes.flatMap(({ node, usages }) => {
              const usage = usages.find(({ from, to }) => from <= middle && middle <= to);
              return usage ? [[node, usage.usage]] : [];
            }),
          ),
        };
      });
      return { startedAt: startedAt.toISOString(), stretchSeconds: seconds, stretches };
    },
  };
}

const newStretch = (timeOutMs: number): Collected => ({
  ...{ requests: 0, failed: 0, unanswered: 0 },
  times: timings(timeOutMs),
});

const usageColumns = [
  ['cpu', 'cpu_percent'],
  ['ioWait', 'io_wait_percent'],
  ['disk', 'disk_percent'],
  ['network', 'network_percent'],
] as const;

/** One row for every stretch; what was not measured is empty. */
export function seriesCsv({ startedAt, stretches }: TimeSeries, nodes: readonly string[]): string {
  const start = Date.parse(startedAt);
  const text = (value: number | undefined) => (value === undefined ? '' : String(round(value)));
  return csv(
    [
      ...['time', 'requests', 'answered', 'failed', 'p95_ms', 'peak_ms'],
      ...nodes.flatMap((node) => usageColumns.map(([, column]) => `${node}_${column}`)),
    ],
    stretches.map(({ second, requests, failed, unanswered, p95Ms, peakMs, nodes: usages }) => [
      new Date(start + second * 1000).toISOString(),
      ...[requests, requests - unanswered, failed, p95Ms, peakMs].map(text),
      ...nodes.flatMap((node) => usageColumns.map(([of]) => text(usages[node]?.[of]))),
    ]),
  );
}

const round = (value: number) => Math.round(value * 100) / 100;
