import type { Pipeline } from './schema/definition.ts';

/** Metrics and gates, in Cloud Manager's names. */

export type Severity = 'critical' | 'important' | 'informational';
export type Comparator = 'GT' | 'GTE' | 'LT' | 'LTE' | 'EQ' | 'NEQ';

/** What a pipeline does about a failing important metric: wait for a person, fail, or go on. */
export type ImportantMetricsBehaviour = 'PAUSE' | 'FAIL' | 'CONTINUE';

/** A row of a gate's table. */
export interface MetricDefinition {
  readonly kpi: string;
  readonly severity: Severity;
  /** A number, a rating from A (best) to E, or a word that is compared as it is. */
  readonly expectedValue: string;
  readonly comparator: Comparator;
}

export interface Metric extends MetricDefinition {
  /** `unknown` when there is no measurement: that fails, never passes. */
  readonly actualValue: string;
  readonly passed: boolean;
  /** Accepted by a person in spite of its failure. */
  readonly override: boolean;
}

/**
 * What a program sets for a KPI instead of Cloud Manager's row. Ratings are from A to E; what is not said stays as
 * it is there.
 */
export interface GateSetting {
  readonly expected?: number | string;
  readonly severity?: Severity;
}

/** By KPI. */
export type GateSettings = Readonly<Record<string, GateSetting | undefined>>;

/**
 * The rows of a gate with a program's settings. A KPI of two rows (`security_rating`) has one when it is set: the first,
 * changed. An expected rating is the worst that passes.
 */
export function withSettings(
  definitions: readonly MetricDefinition[],
  settings: GateSettings,
): readonly MetricDefinition[] {
  const first = (row: MetricDefinition) => definitions.find(({ kpi }) => kpi === row.kpi) === row;
  return definitions
    .filter((row) => !settings[row.kpi] || first(row))
    .map((row) => {
      const { expected, severity = row.severity } = settings[row.kpi] ?? {};
      if (expected === undefined) return { ...row, severity };
      const comparator = row.comparator === 'EQ' ? 'GTE' : row.comparator;
      return { ...row, severity, comparator, expectedValue: String(expected) };
    });
}

/** By KPI; one that is absent was not measured. */
export type Measured = Readonly<Record<string, number | string | undefined>>;

const operators: Record<Comparator, string> = { GT: '>', GTE: '>=', LT: '<', LTE: '<=', EQ: '=', NEQ: '!=' };

/** What a metric is held against, for people: `< 80`, `>= B`. */
export const expectationOf = ({ comparator, expectedValue }: MetricDefinition): string =>
  `${operators[comparator]} ${expectedValue}`;

/** Puts measurements beside what is expected of them. */
export const evaluate = (definitions: readonly MetricDefinition[], measured: Measured): readonly Metric[] =>
  definitions.map((definition) => {
    const value = measured[definition.kpi];
    const known = typeof value === 'number' ? Number.isFinite(value) : value !== undefined && value !== '';
    const actualValue = known ? String(value) : 'unknown';
    const passed = known && compare(actualValue, definition.comparator, definition.expectedValue);
    return { ...definition, actualValue, passed, override: false };
  });

/**
 * What becomes of the step. A failing critical metric fails it, whoever accepted what; a failing important one
 * that nobody accepted does as the pipeline says; an informational one never matters.
 */
export function gateOutcome(
  metrics: readonly Metric[],
  behaviour: ImportantMetricsBehaviour,
): 'pass' | 'wait' | 'fail' {
  if (metrics.some(({ severity, passed }) => severity === 'critical' && !passed)) return 'fail';
  if (!metrics.some((metric) => needsOverride(metric) && !metric.override)) return 'pass';
  return ({ PAUSE: 'wait', FAIL: 'fail', CONTINUE: 'pass' } as const)[behaviour];
}

/** What a pipeline's important failures do; they fail one that has no step they could let it go on with. */
export const behaviourOf = (pipeline: Pipeline): ImportantMetricsBehaviour =>
  pipeline.type === 'codeQuality' ? 'FAIL' : pipeline.importantMetricsFailureBehavior;

/** The failing important KPIs that a decision forgets: it counts only when it names them all. */
export const missingOverrides = (metrics: readonly Metric[], kpis: readonly string[]): readonly string[] => [
  ...new Set(
    metrics
      .filter(needsOverride)
      .map(({ kpi }) => kpi)
      .filter((kpi) => !kpis.includes(kpi)),
  ),
];

/** The metrics after a person accepted those KPIs. Only failing important ones can be accepted; others stay as they are. */
export const withOverrides = (metrics: readonly Metric[], kpis: readonly string[]): readonly Metric[] =>
  metrics.map((metric) =>
    needsOverride(metric) && kpis.includes(metric.kpi) ? { ...metric, override: true } : metric,
  );

const needsOverride = ({ severity, passed }: Metric): boolean => severity === 'important' && !passed;

function compare(actual: string, comparator: Comparator, expected: string): boolean {
  if (comparator === 'EQ' && actual === expected) return true;
  const a = amount(actual);
  const b = amount(expected);
  // Values of different kinds have no order: that is no pass.
  if (!a || !b || a.kind !== b.kind) return comparator === 'NEQ' && !a && !b && actual !== expected;
  return comparisons[comparator](a.value, b.value);
}

const comparisons: Record<Comparator, (a: number, b: number) => boolean> = {
  GT: (a, b) => a > b,
  GTE: (a, b) => a >= b,
  LT: (a, b) => a < b,
  LTE: (a, b) => a <= b,
  EQ: (a, b) => a === b,
  NEQ: (a, b) => a !== b,
};

/** Numbers as they are; of ratings A is the greatest: "B or better" is `B` GTE. */
function amount(text: string): { kind: 'number' | 'rating'; value: number } | undefined {
  const rating = ['E', 'D', 'C', 'B', 'A'].indexOf(text);
  if (rating >= 0) return { kind: 'rating', value: rating };
  return /^-?\d+(\.\d+)?(e-?\d+)?$/.test(text) ? { kind: 'number', value: Number(text) } : undefined;
}
