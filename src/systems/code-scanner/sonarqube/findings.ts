import { z } from 'zod';
import { findingSeverities, type Finding, type FindingSeverity } from '../../../model/findings.ts';
import { pmdRules } from '../pmd-rules.ts';

/** Issues and hotspots as SonarQube 9.9 lists them. */

const text = z.string().transform((value) => value.replace(/\s+/g, ' ').trim().slice(0, 2000));
const place = { component: text, line: z.number().int().positive().optional(), message: text };

export const issueSchema = z.object({
  rule: text,
  type: z.enum(['VULNERABILITY', 'BUG', 'CODE_SMELL']),
  severity: z.enum(findingSeverities),
  ...place,
});
export const hotspotSchema = z.object({
  ruleKey: text,
  vulnerabilityProbability: z.enum(['HIGH', 'MEDIUM', 'LOW']),
  ...place,
});

/** Rules that Cloud Service compatibility counts, where the server has them. */
const ofCloudService = new Set(
  pmdRules.flatMap(({ key, cloudService }) => (cloudService && key ? [key] : [])),
);

const bySecurityProbability = {
  HIGH: 'CRITICAL',
  MEDIUM: 'MAJOR',
  LOW: 'MINOR',
} as const satisfies Record<z.infer<typeof hotspotSchema>['vulnerabilityProbability'], FindingSeverity>;

export const findingOfIssue = (
  { rule, type, severity, ...at }: z.infer<typeof issueSchema>,
  project: string,
): Finding => ({
  ...{ rule, type, severity, ...placeOf(at, project) },
  ...(ofCloudService.has(rule) && { cloudService: true }),
});

export const findingOfHotspot = (
  { ruleKey: rule, vulnerabilityProbability, ...at }: z.infer<typeof hotspotSchema>,
  project: string,
): Finding => ({
  ...{ rule, type: 'SECURITY_HOTSPOT', severity: bySecurityProbability[vulnerabilityProbability] },
  ...placeOf(at, project),
});

/** A component is the project's key, a colon and a path; that of the project as a whole has no path. */
const placeOf = (
  { component, line, message }: { component: string; line?: number | undefined; message: string },
  project: string,
): Pick<Finding, 'message' | 'file' | 'line'> => ({
  message,
  file: component.startsWith(`${project}:`) ? component.slice(project.length + 1) : '.',
  ...(line !== undefined && { line }),
});
