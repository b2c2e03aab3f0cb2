import type { TestOutcome } from '../model/activities.ts';
import type { StepState } from '../model/execution.ts';
import {
  behaviourOf,
  expectationOf,
  gateOutcome,
  missingOverrides,
  withOverrides,
  type Metric,
} from '../model/gates.ts';
import type { GateStep, Override } from '../model/messages.ts';
import { failure } from './failures.ts';
import type { Run } from './run.ts';

const named = (metrics: readonly Metric[]) =>
  metrics
    .map((metric) => `${metric.kpi} ${metric.actualValue} (expected ${expectationOf(metric)})`)
    .join(', ');

/**
 * D4, T1, T2: a failing critical metric ends the execution; a failing important one waits for a person, fails or
 * is passed over as the pipeline says; an informational one is reported.
 */
export async function gate(run: Run, id: GateStep, step: StepState, outcome: TestOutcome): Promise<void> {
  step.results = outcome.results;
  step.findings = outcome.findings;
  step.metrics = outcome.metrics;
  const behaviour = behaviourOf(run.input.pipeline);
  const failing = (severity: Metric['severity']) =>
    outcome.metrics.filter((metric) => metric.severity === severity && !metric.passed);
  const verdict = gateOutcome(outcome.metrics, behaviour);

  const because = (outcome.problems ?? []).map((problem) => `; ${problem}`).join('');
  if (verdict === 'fail')
    throw failure(
      'Refused',
      `below the gate: ${named([...failing('critical'), ...failing('important')])}${because}`,
    );
  if (verdict === 'wait') {
    const answer = await run.ask({
      step: id,
      message: 'override',
      question: `Accept ${named(failing('important'))}${because}?`,
      refuse: ({ step: asked, metrics }: Override) => {
        if (asked !== id) return `${id} is waiting, not ${asked}`;
        if (metrics.some(({ override }) => !override)) return undefined;
        const missing = missingOverrides(
          outcome.metrics,
          metrics.map(({ kpi }) => kpi),
        );
        return missing.length > 0
          ? `every failing important metric must be named; missing: ${missing.join(', ')}`
          : undefined;
      },
    });
    if (answer.metrics.some(({ override }) => !override))
      throw failure('Refused', `results rejected by ${answer.by.subject}`);
    step.metrics = withOverrides(
      outcome.metrics,
      answer.metrics.map(({ kpi }) => kpi),
    );
    step.details = `accepted by ${answer.by.subject}: ${named(failing('important'))}`;
    return;
  }
  const passedOver = [...failing('important'), ...failing('informational')];
  step.details =
    passedOver.length > 0 ? `noted: ${named(passedOver)}` : `${outcome.metrics.length} metrics, all good`;
}
