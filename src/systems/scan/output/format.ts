import type { Finding } from '../../../model/findings.ts';
import { allRules } from '../rules/all.ts';
import { toCsv } from './csv.ts';
import { toSarif } from './sarif.ts';
import { sorted, toTable } from './table.ts';

export const formats = ['table', 'sarif', 'csv', 'json'] as const;
export type Format = (typeof formats)[number];

/**
 * Findings as text, in a fixed order.
 * @param version of Fairway, for SARIF
 */
export function formatFindings(findings: readonly Finding[], format: Format, version: string): string {
  const ordered = sorted(findings);
  switch (format) {
    case 'table':
      return toTable(ordered);
    case 'csv':
      return toCsv(ordered);
    case 'sarif':
      return toSarif(ordered, allRules, version);
    case 'json':
      return `${JSON.stringify(ordered, undefined, 2)}\n`;
  }
}
