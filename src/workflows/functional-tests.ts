import type { FunctionalTestOutcome, ProductTestInput } from '../model/activities.ts';
import { uiTestsOf } from '../model/artifacts.ts';
import type { StepState } from '../model/execution.ts';
import { reachable } from '../model/kubernetes.ts';
import { testing, testingWhereBuildsRun, testingWithImages } from './activities.ts';
import { failure } from './failures.ts';
import type { Run } from './run.ts';

/** T3: stage is used as the product would be. It blocks, and nobody can override it. */
export async function productTest(run: Run, step: StepState, log: string): Promise<void> {
  const summary = `Use ${run.environment('stage').name} as authors and visitors do`;
  judge(step, await testing.productFunctionalTest.executeWithOptions({ summary }, [inputOf(run, log)]));
}

/** T4: the project's own tests of stage, just so; without a test JAR they have passed. */
export async function functionalTest(run: Run, step: StepState, log: string): Promise<void> {
  const summary = `The project's own tests of ${run.environment('stage').name}`;
  judge(
    step,
    await testingWhereBuildsRun.functionalTest.executeWithOptions({ summary }, [inputOf(run, log)]),
  );
}

/** The project's tests of stage as a person at a browser; most builds have none. */
export async function uiTest(run: Run, step: StepState, log: string): Promise<void> {
  if (!uiTestsOf(run.state.artifacts)) {
    step.details = 'passed: no UI tests in the build';
    return;
  }
  const summary = `The project's own UI tests of ${run.environment('stage').name}`;
  judge(step, await testingWithImages.uiTest.executeWithOptions({ summary }, [inputOf(run, log)]));
}

const inputOf = (run: Run, log: string): ProductTestInput => ({
  executionKey: run.key,
  ...reachable(run.environment('stage')),
  artifacts: run.state.artifacts,
  log,
});

function judge(step: StepState, { passed, result, report }: FunctionalTestOutcome): void {
  step.findings = report && [report];
  if (!passed) throw failure('Refused', result);
  step.details = result;
}
