import { countTests, type TestSuite } from './junit.ts';

/** What a run of a project's tests left. */
export interface TestResults {
  readonly suites: readonly TestSuite[];
  /** Why the run counts as failed whatever its reports say; absent when it came to a good end. */
  readonly problem?: string;
}

/**
 * What becomes of a run that left reports and ended by itself: tests must have run, and an exit code other than 0 says
 * that something failed.
 * @param none what reports without a test mean
 */
export function judged(suites: readonly TestSuite[], code: number, none: string): TestResults {
  const { run, failed, skipped } = countTests(suites);
  if (run + skipped === 0) return { suites, problem: `no test ran: ${none}` };
  if (run === 0) return { suites, problem: `no test ran: all ${skipped} were skipped` };
  return code !== 0 && failed === 0
    ? { suites, problem: `${ended(code)} although its report has no failed test` }
    : { suites };
}

export const ended = (code: number): string => `the test run ended with exit code ${code}`;

/** What is said of a run that was ended because its time was over. */
export const outOfTime = (limitMs: number): string =>
  `the tests were not done after ${duration(limitMs)} and were ended`;

export const duration = (ms: number): string =>
  ms < 60_000 ? `${ms / 1000} s` : `${Math.round(ms / 60_000)} min`;
