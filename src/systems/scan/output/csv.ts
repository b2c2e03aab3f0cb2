import type { Finding } from '../../../model/findings.ts';
import { csv } from '../../csv.ts';

const columns = ['rule', 'severity', 'type', 'message', 'file', 'line'] as const;

/** Findings as CSV. */
export const toCsv = (findings: readonly Finding[]): string =>
  csv(
    columns,
    findings.map((finding) => columns.map((column) => String(finding[column] ?? ''))),
  );
