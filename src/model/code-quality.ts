import type { Finding } from './findings.ts';
import type { Measured, MetricDefinition } from './gates.ts';
import {
  countsAsIssue,
  debtMinutes,
  maintainabilityRating,
  MINUTES_PER_LINE,
  ratingOf,
  worstOf,
  type Rating,
} from './ratings.ts';
import type { Flavour } from './schema/definition.ts';

/**
 * The gate of code scanning: thresholds of the page "Code Quality Testing" of Cloud Manager, comparators and the second
 * row of the security rating as its API shows them. The API gives Cloud Service compatibility no id: this one is ours.
 */
export const codeQualityMetrics = (flavour: Flavour): readonly MetricDefinition[] => [
  { kpi: 'security_rating', severity: 'critical', expectedValue: 'B', comparator: 'GTE' },
  { kpi: 'security_rating', severity: 'important', expectedValue: 'A', comparator: 'EQ' },
  flavour === 'aem_cloud_service'
    ? { kpi: 'reliability_rating', severity: 'critical', expectedValue: 'D', comparator: 'GTE' }
    : { kpi: 'reliability_rating', severity: 'important', expectedValue: 'C', comparator: 'GTE' },
  { kpi: 'sqale_rating', severity: 'important', expectedValue: 'A', comparator: 'EQ' },
  { kpi: 'coverage', severity: 'important', expectedValue: '50', comparator: 'GTE' },
  // "More than 1 skipped unit test" fails.
  { kpi: 'skipped_tests', severity: 'informational', expectedValue: '1', comparator: 'LTE' },
  { kpi: 'open_issues', severity: 'informational', expectedValue: '1', comparator: 'LT' },
  { kpi: 'duplicated_lines_density', severity: 'informational', expectedValue: '1', comparator: 'LTE' },
  { kpi: 'cloud_service_compatibility', severity: 'informational', expectedValue: '1', comparator: 'LT' },
];

/** Counts of JaCoCo or SonarQube. */
export interface CoverageCounts {
  readonly lines: number;
  readonly coveredLines: number;
  readonly branches: number;
  readonly coveredBranches: number;
}

/** What an engine measured of the code; what is absent was not measured. */
export interface CodeMeasures {
  readonly security?: Rating;
  readonly reliability?: Rating;
  /** Technical debt, and what writing the code counts, in minutes. */
  readonly debt?: number;
  readonly development?: number;
  readonly coverage?: CoverageCounts;
  readonly skippedTests?: number;
  readonly openIssues?: number;
  /** Findings of the rules that Cloud Service compatibility counts. */
  readonly cloudServiceIssues?: number;
  /** Physical lines, and those of them that are duplicates. */
  readonly lines?: number;
  readonly duplicatedLines?: number;
}

/** Measures that follow from findings and lines of code alone. */
export const measuresOf = (findings: readonly Finding[], linesOfCode: number) =>
  ({
    security: ratingOf(findings, 'VULNERABILITY'),
    reliability: ratingOf(findings, 'BUG'),
    debt: debtMinutes(findings),
    development: linesOfCode * MINUTES_PER_LINE,
    openIssues: findings.filter(countsAsIssue).length,
    cloudServiceIssues: findings.filter(({ cloudService }) => cloudService).length,
  }) satisfies CodeMeasures;

/**
 * The measurements of the gate: those of the code, and the findings in the packages, which count by their type and
 * severity like the code's.
 * @param inPackages findings of the rules that look at packages and dispatcher configuration; absent when those failed
 */
export function measureCodeQuality(code: CodeMeasures, inPackages: readonly Finding[] | undefined): Measured {
  const packages = inPackages && measuresOf(inPackages, 0);
  const worst = (a: Rating | undefined, b: Rating | undefined) => (a && b ? worstOf([a, b]) : undefined);
  const sum = (a: number | undefined, b: number | undefined) =>
    a === undefined || b === undefined ? undefined : a + b;
  const debt = sum(code.debt, packages?.debt);
  return {
    security_rating: worst(code.security, packages?.security),
    reliability_rating: worst(code.reliability, packages?.reliability),
    sqale_rating:
      debt === undefined || code.development === undefined
        ? undefined
        : maintainabilityRating(debt, code.development),
    coverage: code.coverage && coveragePercent(code.coverage),
    skipped_tests: code.skippedTests,
    open_issues: sum(code.openIssues, packages?.openIssues),
    duplicated_lines_density: density(code),
    cloud_service_compatibility: sum(code.cloudServiceIssues, packages?.cloudServiceIssues),
  };
}

/**
 * Coverage in percent by SonarQube's formula: covered conditions and lines of all conditions and lines. Cut after
 * the first decimal, so that rounding never lifts a value over its threshold. Where there is nothing to cover, as in a
 * project without Java code, nothing is uncovered: 100.
 */
export function coveragePercent({ lines, coveredLines, branches, coveredBranches }: CoverageCounts): number {
  const all = lines + branches;
  return all > 0 ? Math.floor((1000 * (coveredLines + coveredBranches)) / all) / 10 : 100;
}

/** In percent, rounded up after the first decimal: rounding never brings a value below its threshold. */
function density({ lines, duplicatedLines }: CodeMeasures): number | undefined {
  if (lines === undefined || duplicatedLines === undefined) return undefined;
  return lines > 0 ? Math.ceil((1000 * duplicatedLines) / lines) / 10 : 0;
}
