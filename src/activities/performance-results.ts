import type { TestOutcome } from '../model/activities.ts';
import type { StoredFile } from '../model/artifacts.ts';
import type { Measured, MetricDefinition } from '../model/gates.ts';
import { measureNodes } from '../model/performance.ts';
import { loadPicture, type PictureTexts } from '../systems/charts/load-picture.ts';
import { pagesCsv, type PageRow } from '../systems/load/page-table.ts';
import { seriesCsv, type TimeSeries } from '../systems/load/series.ts';
import type { NodeSeries } from '../systems/node-metrics/monitor.ts';
import type { Storage } from '../systems/storage/storage.ts';
import { keepOutcome, type TestedStep } from './test-outcome.ts';

/** Pages that the results hold; all of them are in the CSV. */
const MOST_PAGES = 100;
/** What a person is told at once of what could not be measured; the results name all. */
const MOST_PROBLEMS = 10;
const LONGEST_PROBLEM = 300;

export interface PerformanceResults {
  readonly rows: readonly MetricDefinition[];
  /** What the visitors met; the nodes' figures are added. */
  readonly measured: Measured;
  readonly nodes: readonly NodeSeries[];
  readonly series: TimeSeries;
  readonly picture: PictureTexts;
  readonly slow?: readonly PageRow[];
  readonly failing: readonly PageRow[];
  /** What else the results say. */
  readonly details: object;
  readonly problems?: readonly string[];
}

/**
 * Keeps what a performance test measured: results as JSON, the time series as CSV and as a picture, and the pages
 * that were slow or failed as CSV where there are any.
 */
export async function keepPerformance(
  storage: Storage,
  step: TestedStep,
  results: PerformanceResults,
): Promise<TestOutcome> {
  const { rows, nodes, series, picture, slow = [], failing, details } = results;
  const names = nodes.map(({ node }) => node);
  const problems = [
    ...(results.problems ?? []),
    ...nodes.flatMap(({ node, problem }) =>
      problem ? [`${node}: ${problem}`.slice(0, LONGEST_PROBLEM)] : [],
    ),
  ];
  const outcome = await keepOutcome(
    storage,
    step,
    rows,
    { ...results.measured, ...measureNodes(nodes.map(({ usage }) => usage)) },
    {
      ...details,
      nodes: nodes.map(({ node, usage, problem }) => ({ node, ...usage, problem })),
      slowPages: slow.slice(0, MOST_PAGES),
      failingPages: failing.slice(0, MOST_PAGES),
      series,
    },
  );
  const key = `${step.executionKey}/results/${step.step}`;
  const files: StoredFile[] = [
    await storage.put(`${key}.csv`, seriesCsv(series, names)),
    await storage.put(`${key}.svg`, loadPicture(series, names, picture)),
    ...(slow.length > 0 ? [await storage.put(`${key}-slow-pages.csv`, pagesCsv(slow))] : []),
    ...(failing.length > 0 ? [await storage.put(`${key}-error-pages.csv`, pagesCsv(failing))] : []),
  ];
  return { ...outcome, findings: files, problems: problems.slice(0, MOST_PROBLEMS) };
}
