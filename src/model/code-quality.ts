import type { BuildReports } from './activities.ts';
import type { Measured, MetricDefinition } from './gates.ts';

/** Thresholds of the page "Code Quality Testing" of Cloud Manager for Managed Services, for what is measured. */
export const codeQualityMetrics: readonly MetricDefinition[] = [
  { kpi: 'coverage', severity: 'important', expectedValue: '50', comparator: 'GTE' },
  // "More than 1 skipped unit test" fails.
  { kpi: 'skipped_tests', severity: 'informational', expectedValue: '1', comparator: 'LTE' },
];

/**
 * Coverage in percent by SonarQube's formula: covered conditions and lines of all conditions and lines. Cut after
 * the first decimal, so that rounding never lifts a value over its threshold.
 */
export function measureCodeQuality({ tests, coverage }: BuildReports): Measured {
  const all = coverage ? coverage.lines + coverage.branches : 0;
  const covered = coverage ? coverage.coveredLines + coverage.coveredBranches : 0;
  return {
    coverage: all > 0 ? Math.floor((1000 * covered) / all) / 10 : undefined,
    skipped_tests: tests.skipped,
  };
}
