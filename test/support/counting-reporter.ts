import Mocha from 'mocha';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface FailedTest {
  readonly file: string | undefined;
  /** Its whole title, and the first line of why it failed. */
  readonly what: string;
}

/** What a run tells the process that started it, at its end. */
export interface Report extends Counts {
  readonly failures: readonly FailedTest[];
}

/** Mocha's usual report, and a summary for the process that started the tests. */
export default class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const failures: FailedTest[] = [];
    runner.on(Mocha.Runner.constants.EVENT_TEST_FAIL, (test: Mocha.Test, error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      failures.push({ file: test.file, what: `${test.fullTitle()}: ${why.split('\n', 1)[0]}` });
    });
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes: passed, failures: failed, pending: skipped } = this.stats;
      process.send?.({ passed, failed, skipped, failures } satisfies Report);
    });
  }
}
