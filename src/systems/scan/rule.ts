import type { Finding, FindingSeverity, FindingType } from '../../model/findings.ts';

/** Managed Services or Cloud Service: some rules and severities differ. */
export const flavours = ['ams', 'cloud'] as const;
export type Flavour = (typeof flavours)[number];

export interface Rule {
  /** Cloud Manager's key. Keys that start with `fairway:` are Fairway's own. */
  readonly key: string;
  readonly type: FindingType;
  readonly severity: FindingSeverity;
  /** Where the Cloud Service judges otherwise. */
  readonly onCloud?: { readonly type?: FindingType; readonly severity?: FindingSeverity };
  /** The only flavour in which the rule is applied; absent for both. */
  readonly only?: Flavour;
  /** Counts in the metric Cloud Service compatibility. */
  readonly cloudService?: boolean;
  /** What should be, in a few words. */
  readonly title: string;
  /** What the rule reports. */
  readonly finds: string;
  readonly remedy: string;
}

/** A file as findings name it, and a line in it, from 1. */
export interface Place {
  readonly file: string;
  readonly line?: number;
}

export type Report = (place: Place, message: string) => void;

/** A rule with the function that looks for it in a model of what was scanned. */
export interface Check<Model> {
  readonly rule: Rule;
  readonly check: (model: Model, report: Report) => void;
}

/** What the checks find; those of the other flavour are left out. */
export function runChecks<Model>(checks: readonly Check<Model>[], model: Model, flavour: Flavour): Finding[] {
  const findings: Finding[] = [];
  for (const { rule, check } of checks)
    if (!rule.only || rule.only === flavour)
      check(model, (place, message) => findings.push(finding(rule, place, message, flavour)));
  return findings;
}

export function finding(rule: Rule, place: Place, message: string, flavour: Flavour): Finding {
  const { severity, type } = { ...rule, ...(flavour === 'cloud' && rule.onCloud) };
  return {
    rule: rule.key,
    severity,
    type,
    message: message.replace(/\s+/g, ' ').trim(),
    file: place.file,
    ...(place.line !== undefined && { line: place.line }),
    ...(rule.cloudService && { cloudService: true }),
  };
}
