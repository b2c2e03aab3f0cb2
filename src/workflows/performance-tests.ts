import type { ReportInput, TestInput, TestOutcome } from '../model/activities.ts';
import type { StepState } from '../model/execution.ts';
import { nodeMetrics, reportOf } from '../model/performance.ts';
import { performanceVariables } from '../model/performance-variables.ts';
import { quickly, recording, testing } from './activities.ts';
import { failure } from './failures.ts';
import { gate } from './gate.ts';
import type { Run } from './run.ts';

/** Runs a performance test of stage and keeps what it measured, for the report. */
export async function performanceTest(
  run: Run,
  test: 'loadTest' | 'assetsTest',
  step: StepState,
  input: TestInput,
): Promise<void> {
  const environment = run.environment('stage');
  const goals = run.input.performance;
  const summary = `${test === 'loadTest' ? 'Load' : 'Assets'} test of ${environment.name}`;
  const outcome = await testing[test].executeWithOptions({ summary }, [
    { ...input, environment, goals, variables: performanceVariables(run.input) },
  ]);
  run.measured.push(outcome);
  step.results = outcome.results;
  step.findings = outcome.findings;
  // How busy the nodes were is in the report.
  step.details = outcome.metrics
    .filter(({ kpi }) => nodeMetrics.every((row) => row.kpi !== kpi))
    .map(({ kpi, actualValue }) => `${kpi} ${actualValue}`)
    .join(', ');
}

/** The gate of all performance tests: "last of the three carries the metrics". */
export async function performanceReport(run: Run, step: StepState): Promise<void> {
  if (run.measured.length === 0) throw failure('NotReady', 'there is no measurement to report');
  const report: ReportInput = {
    executionKey: run.key,
    step: 'reportPerformanceTest',
    metrics: reportOf(...run.measured.map(({ metrics }) => metrics)),
    problems: [...new Set(run.measured.flatMap(({ problems = [] }: TestOutcome) => problems))],
    tests: run.measured.map(({ results }) => results),
  };
  const keep = (by: typeof quickly | typeof recording) =>
    by.keepReport.executeWithOptions({ summary: 'Keep the report of the performance tests' }, [report]);
  const results = await keep(quickly).catch(() => keep(recording));
  await gate(run, 'reportPerformanceTest', step, { ...report, results });
}
