/** Metrics and gates, in Cloud Manager's names. */

export type Severity = 'critical' | 'important' | 'informational';
export type Comparator = 'GT' | 'GTE' | 'LT' | 'LTE' | 'EQ' | 'NEQ';

export interface Metric {
  readonly kpi: string;
  readonly severity: Severity;
  readonly expectedValue: string;
  /** `unknown` when there is no measurement: that fails, never passes. */
  readonly actualValue: string;
  readonly comparator: Comparator;
  readonly passed: boolean;
  /** Accepted by a person in spite of its failure. */
  readonly override: boolean;
}
