import type { FunctionalTestOutcome } from '../model/activities.ts';
import type { StoredFile } from '../model/artifacts.ts';
import { countTests, failedTests, testName, type TestSuite } from '../systems/functional-tests/junit.ts';

const MOST_FAILURES = 20;
const NAMED = 5;

/**
 * What a step that runs tests comes to.
 * @param problem why it counts as failed whatever the tests say
 */
export function functionalTestOutcome(
  suites: readonly TestSuite[],
  report: StoredFile,
  problem?: string,
): FunctionalTestOutcome {
  const tests = countTests(suites);
  const failures = failedTests(suites).map((test) => ({ name: testName(test), message: test.message ?? '' }));
  const passed = problem === undefined && failures.length === 0;
  return {
    passed,
    result: inWords(tests, failures, problem),
    tests,
    failures: failures.slice(0, MOST_FAILURES),
    report,
  };
}

function inWords(
  { run, failed, skipped }: FunctionalTestOutcome['tests'],
  failures: FunctionalTestOutcome['failures'],
  problem: string | undefined,
): string {
  if (problem !== undefined) return problem;
  if (failed === 0) return `passed: ${run} tests${skipped > 0 ? `, ${skipped} skipped` : ''}`;
  const named = failures.slice(0, NAMED).map(({ name }) => name);
  const more = failed > named.length ? ` and ${failed - named.length} more` : '';
  return `${failed} of ${run} tests failed: ${named.join(', ')}${more}`;
}
