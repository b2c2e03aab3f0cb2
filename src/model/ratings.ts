import { findingSeverities, type Finding, type FindingSeverity, type FindingType } from './findings.ts';

/** From the best to the worst. */
export const ratings = ['A', 'B', 'C', 'D', 'E'] as const;
export type Rating = (typeof ratings)[number];

/** The worst of the ratings; A where there is none. */
export const worstOf = (all: readonly Rating[]): Rating =>
  ratings.findLast((rating) => all.includes(rating)) ?? 'A';

const bySeverity: Readonly<Record<FindingSeverity, Rating>> = {
  BLOCKER: 'E',
  CRITICAL: 'D',
  MAJOR: 'C',
  MINOR: 'B',
  INFO: 'A',
};

/** SonarQube's rating of security (`VULNERABILITY`) and reliability (`BUG`): that of the worst finding of the type. */
export const ratingOf = (findings: readonly Finding[], type: FindingType): Rating =>
  worstOf(findings.filter((finding) => finding.type === type).map(({ severity }) => bySeverity[severity]));

/** Minutes that mending one finding counts, by severity; SonarQube's own rules mostly say from 2 to 30. */
export const debtMinutesBySeverity: Readonly<Record<FindingSeverity, number>> = {
  BLOCKER: 30,
  CRITICAL: 20,
  MAJOR: 10,
  MINOR: 5,
  INFO: 2,
};

/** Technical debt in minutes: only maintainability findings count, as in SonarQube. */
export const debtMinutes = (findings: readonly Finding[]): number =>
  findings
    .filter(({ type }) => type === 'CODE_SMELL')
    .reduce((sum, { severity }) => sum + debtMinutesBySeverity[severity], 0);

/** What writing one line of code counts: SonarQube's default. */
export const MINUTES_PER_LINE = 30;

/**
 * SonarQube's maintainability rating: debt in proportion to what writing the code took; A up to 5 %, B up to 10,
 * C up to 20, D up to 50. Without code there is nothing to maintain: A.
 */
export function maintainabilityRating(debt: number, development: number): Rating {
  const percent = development > 0 ? (100 * debt) / development : 0;
  const limits = [5, 10, 20, 50];
  return ratings[limits.filter((limit) => percent > limit).length] ?? 'E';
}

/** Findings that count as open issues; hotspots are questions, not findings. */
export const countsAsIssue = ({ type }: Finding): boolean => type !== 'SECURITY_HOTSPOT';

/** From the worst severity to the least, then by file and line. */
export function inOrder(findings: readonly Finding[]): readonly Finding[] {
  const rank = ({ severity }: Finding) => findingSeverities.indexOf(severity);
  const text = ({ file, rule }: Finding) => `${file}\0${rule}`;
  return [...findings].sort(
    (a, b) =>
      rank(a) - rank(b) || (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : (a.line ?? 0) - (b.line ?? 0)),
  );
}
