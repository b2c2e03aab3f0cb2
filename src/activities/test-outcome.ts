import type { TestInput, TestOutcome } from '../model/activities.ts';
import {
  evaluate,
  expectationOf,
  withSettings,
  type Measured,
  type Metric,
  type MetricDefinition,
} from '../model/gates.ts';
import type { Storage } from '../systems/storage/storage.ts';
import { stepLog } from './step-log.ts';

export interface TestedStep extends TestInput {
  readonly step: 'codeQuality' | 'securityTest' | 'loadTest' | 'assetsTest';
}

/**
 * Holds what a step measured against its gate, with the program's settings, and keeps it: one line per metric in its
 * log, all of it as JSON in storage.
 */
export async function keepOutcome(
  storage: Storage,
  { step, executionKey, gates, log }: TestedStep,
  rows: readonly MetricDefinition[],
  measured: Measured,
  details: object,
): Promise<TestOutcome> {
  const metrics = evaluate(withSettings(rows, gates), measured);
  const results = JSON.stringify({ metrics, ...details }, undefined, 2);
  await stepLog(storage, log, step)(metrics.map(line).join('\n') || 'nothing to check');
  return { metrics, results: await storage.put(`${executionKey}/results/${step}.json`, results) };
}

const line = (metric: Metric) =>
  `${metric.passed ? 'passed' : 'FAILED'} ${metric.kpi} (${metric.severity}): ${metric.actualValue}, expected ${expectationOf(metric)}`;
