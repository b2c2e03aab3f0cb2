/** What code scanning finds, in SonarQube's terms, which are Cloud Manager's. */

/** From the worst to what only informs. */
export const findingSeverities = ['BLOCKER', 'CRITICAL', 'MAJOR', 'MINOR', 'INFO'] as const;
export type FindingSeverity = (typeof findingSeverities)[number];

/** A hotspot is for a person to look at: it counts in no metric. */
export type FindingType = 'VULNERABILITY' | 'BUG' | 'CODE_SMELL' | 'SECURITY_HOTSPOT';

export interface Finding {
  /** Cloud Manager's key where it has the rule: `BannedPath`, `CQRules:CQBP-71`; else `<analyser>:<its name>`. */
  readonly rule: string;
  readonly severity: FindingSeverity;
  readonly type: FindingType;
  /** One line for people. */
  readonly message: string;
  /** Path inside the repository, or inside a package as `<package file>!/<path>`. */
  readonly file: string;
  /** From 1; absent when the finding concerns the file as a whole. */
  readonly line?: number;
  /** Found by a rule that the metric Cloud Service compatibility counts. */
  readonly cloudService?: boolean;
}
