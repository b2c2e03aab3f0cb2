import { findingSeverities, type Finding } from '../../../model/findings.ts';
import { printable } from '../../zip/names.ts';

/** Findings for a terminal: file by file, and how many of each severity there are. */
export function toTable(findings: readonly Finding[]): string {
  const lines: string[] = [];
  let file = '';
  for (const finding of sorted(findings)) {
    if (finding.file !== file) lines.push(...(lines.length > 0 ? [''] : []), visible(finding.file));
    file = finding.file;
    const line = finding.line === undefined ? '-' : String(finding.line);
    lines.push(
      `  ${line.padStart(5)}  ${finding.severity.padEnd(8)}  ${visible(finding.message)}  (${finding.rule})`,
    );
  }
  const counts = findingSeverities
    .map((severity) => ({ severity, count: findings.filter((one) => one.severity === severity).length }))
    .filter(({ count }) => count > 0)
    .map(({ severity, count }) => `${count} ${severity.toLowerCase()}`);
  const total = `${findings.length} ${findings.length === 1 ? 'finding' : 'findings'}`;
  if (lines.length > 0) lines.push('');
  lines.push(counts.length > 0 ? `${total}: ${counts.join(', ')}` : total);
  return `${lines.join('\n')}\n`;
}

/** Names come from strangers: what would move a terminal's cursor is spelled out. */
const visible = (text: string) => (/\p{C}/u.test(text) ? printable(text) : text);

const text = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** By file, then line, then severity. */
export const sorted = (findings: readonly Finding[]): Finding[] =>
  [...findings].sort(
    (a, b) =>
      text(a.file, b.file) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      findingSeverities.indexOf(a.severity) - findingSeverities.indexOf(b.severity) ||
      text(a.rule, b.rule) ||
      text(a.message, b.message),
  );
