import { createHash } from 'node:crypto';
import type { Log, ReportingDescriptor, Result } from 'sarif';
import type { Finding, FindingSeverity } from '../../../model/findings.ts';
import type { Rule } from '../rule.ts';

const levels: Readonly<Record<FindingSeverity, 'error' | 'warning' | 'note'>> = {
  BLOCKER: 'error',
  CRITICAL: 'error',
  MAJOR: 'warning',
  MINOR: 'note',
  INFO: 'note',
};

/** What GitHub sorts by; it takes these figures of rules about security only. */
const securitySeverity: Readonly<Record<FindingSeverity, string>> = {
  BLOCKER: '9.0',
  CRITICAL: '7.0',
  MAJOR: '5.0',
  MINOR: '3.0',
  INFO: '1.0',
};

/**
 * Findings as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/), as GitHub's code scanning takes it: paths
 * are relative to the root of the repository.
 * @param rules what is known of the rules; one that is not among them is listed by its key alone
 */
export function toSarif(findings: readonly Finding[], rules: readonly Rule[], version: string): string {
  const known = new Map(rules.map((rule) => [rule.key, descriptor(rule)]));
  for (const { rule: id, severity } of findings)
    if (!known.has(id)) known.set(id, { id, name: id, defaultConfiguration: { level: levels[severity] } });
  const ids = [...known.keys()];
  const indexOf = new Map(ids.map((id, index) => [id, index]));
  const log: Log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'Fairway',
            semanticVersion: version,
            rules: [...known.values()],
          },
        },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: { ROOT: { description: { text: 'The root of the project' } } },
        results: withFingerprints(findings, (id) => indexOf.get(id)!),
      },
    ],
  };
  return `${JSON.stringify(log, undefined, 2)}\n`;
}

function descriptor(rule: Rule): ReportingDescriptor {
  const help = `${rule.finds}. ${rule.remedy}`;
  const isSecurity = rule.type === 'VULNERABILITY' || rule.type === 'SECURITY_HOTSPOT';
  return {
    id: rule.key,
    name: rule.key.replace(/[^A-Za-z0-9]/g, ''),
    shortDescription: { text: rule.title },
    fullDescription: { text: rule.finds },
    help: {
      text: help.replace(/`/g, ''),
      markdown: `**Finds**: ${rule.finds}\n\n**Remedy**: ${rule.remedy}`,
    },
    defaultConfiguration: { level: levels[rule.severity] },
    properties: {
      tags: [
        rule.type.toLowerCase().replace('_', '-'),
        ...(rule.cloudService ? ['cloud-service'] : []),
        ...(isSecurity ? ['security'] : []),
      ],
      ...(isSecurity && { 'security-severity': securitySeverity[rule.severity] }),
    },
  };
}

/** GitHub follows a finding from one run to the next by its fingerprint: it does not depend on lines. */
function withFingerprints(findings: readonly Finding[], indexOf: (id: string) => number): Result[] {
  const seen = new Map<string, number>();
  return findings.map((finding) => {
    const base = createHash('sha256')
      .update([finding.rule, finding.file, finding.message].join('\0'))
      .digest('hex')
      .slice(0, 32);
    const count = (seen.get(base) ?? 0) + 1;
    seen.set(base, count);
    return {
      ruleId: finding.rule,
      ruleIndex: indexOf(finding.rule),
      level: levels[finding.severity],
      message: { text: finding.message },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: uriOf(finding.file), uriBaseId: 'ROOT' },
            region: { startLine: finding.line ?? 1 },
          },
        },
      ],
      partialFingerprints: { 'fairway/v1': `${base}:${count}` },
    };
  });
}

/** A relative URI: a path begins with neither a slash nor what looks like a scheme. */
function uriOf(file: string): string {
  const encoded = file
    .split('/')
    .map((segment) => encodeURIComponent(segment).replace(/%2B/g, '+').replace(/%40/g, '@'))
    .join('/');
  return encoded.replace(/^\/+/, '') || '.';
}
