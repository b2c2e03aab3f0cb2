import { coveragePercent, type CodeMeasures, type CoverageCounts } from '../../../model/code-quality.ts';
import { ratings, type Rating } from '../../../model/ratings.ts';
import type { BuiltProject } from '../scanner.ts';

/** SonarQube's names of what the gate is computed from. */
export const metrics = [
  ...['security_rating', 'reliability_rating', 'sqale_index', 'development_cost', 'open_issues'],
  ...['coverage', 'lines_to_cover', 'uncovered_lines', 'conditions_to_cover', 'uncovered_conditions'],
  ...['skipped_tests', 'lines', 'duplicated_lines'],
] as const;

/**
 * What SonarQube measured, for the gate. What it has no measure of is unknown, unless the build shows that there was nothing
 * to measure: no line to cover, no test to skip.
 * @param values by metric, as the Web API gives them
 * @param jacoco the counts of the report that SonarQube was sent; undefined when none was
 */
export function measuresOfServer(
  values: ReadonlyMap<string, string>,
  jacoco: CoverageCounts | undefined,
  tests: BuiltProject['tests'],
): CodeMeasures {
  const number = (metric: (typeof metrics)[number]): number | undefined => {
    const value = values.get(metric) ?? '';
    return /^\d{1,15}(\.\d{1,15})?$/.test(value) ? Number(value) : undefined;
  };
  return {
    security: ratingOf(number('security_rating')),
    reliability: ratingOf(number('reliability_rating')),
    debt: number('sqale_index'),
    development: number('development_cost'),
    openIssues: number('open_issues'),
    coverage: coverageOf(number, jacoco),
    skippedTests: number('skipped_tests') ?? (tests.run === 0 ? 0 : undefined),
    lines: number('lines'),
    duplicatedLines: number('duplicated_lines'),
  };
}

/** From 1, which is A. */
const ratingOf = (value: number | undefined): Rating | undefined =>
  value === undefined ? undefined : ratings[value - 1];

function coverageOf(
  number: (metric: (typeof metrics)[number]) => number | undefined,
  jacoco: CoverageCounts | undefined,
): CoverageCounts | undefined {
  // Without a report SonarQube says that nothing is covered.
  if (!jacoco) return undefined;
  const [own, lines, uncovered] = [number('coverage'), number('lines_to_cover'), number('uncovered_lines')];
  if (own === undefined && lines === undefined)
    return jacoco.lines + jacoco.branches === 0 ? jacoco : undefined;
  if (own === undefined || lines === undefined || uncovered === undefined) return undefined;
  const branches = number('conditions_to_cover') ?? 0;
  const counts = {
    ...{ lines, coveredLines: lines - uncovered, branches },
    coveredBranches: branches - (number('uncovered_conditions') ?? 0),
  };
  // It has no measure of conditions where there are none: its own percentage shows whether that is why.
  return Math.abs(coveragePercent(counts) - own) < 0.15 ? counts : undefined;
}
