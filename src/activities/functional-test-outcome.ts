import type { FunctionalTestOutcome } from '../model/activities.ts';
import type { StoredFile } from '../model/artifacts.ts';
import {
  countTests,
  failedTests,
  junitXml,
  testName,
  type TestSuite,
} from '../systems/functional-tests/junit.ts';
import type { TestResults } from '../systems/functional-tests/results.ts';
import type { Storage } from '../systems/storage/storage.ts';

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

/** What a step comes to whose tests need not be run. */
export const nothingRun = (result: string): FunctionalTestOutcome => ({
  passed: true,
  result,
  tests: { run: 0, failed: 0, skipped: 0 },
  failures: [],
});

/** Keeps what the project's own tests left as JUnit XML, without what nobody is to read. */
export async function keepResults(
  storage: Storage,
  key: string,
  { suites, problem }: TestResults,
  hide: (text: string) => string,
): Promise<FunctionalTestOutcome> {
  const shown = suites.map((suite) => hiddenSuite(suite, hide));
  const report = await storage.put(key, junitXml(shown));
  return functionalTestOutcome(shown, report, problem && hide(problem));
}

const hiddenSuite = ({ name, cases }: TestSuite, hide: (text: string) => string): TestSuite => ({
  name: hide(name),
  cases: cases.map((test) => ({
    ...test,
    className: hide(test.className),
    name: hide(test.name),
    message: test.message && hide(test.message),
    details: test.details && hide(test.details),
  })),
});

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
