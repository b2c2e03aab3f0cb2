import { join } from 'node:path';
import type { Finding, FindingSeverity, FindingType } from '../../model/findings.ts';
import { Failure } from '../failure.ts';
import { xmlReports } from '../xml-report.ts';
import { classesOf, lists, sourcesByPackage } from './project.ts';
import type { BuiltProject, JavaModule, ScanTools } from './scanner.ts';
import { java, runTool } from './tools.ts';

/** SpotBugs' categories as types; one that is absent is not reported. */
export const categories: Readonly<Record<string, FindingType>> = {
  CORRECTNESS: 'BUG',
  MT_CORRECTNESS: 'BUG',
  SECURITY: 'VULNERABILITY',
  BAD_PRACTICE: 'CODE_SMELL',
  I18N: 'CODE_SMELL',
  MALICIOUS_CODE: 'CODE_SMELL',
  PERFORMANCE: 'CODE_SMELL',
  STYLE: 'CODE_SMELL',
};

/** SpotBugs' ranks go from 1 (scariest) to 20; its own four groups are the severities. */
export const ranks: readonly { readonly upTo: number; readonly severity: FindingSeverity }[] = [
  { upTo: 4, severity: 'BLOCKER' },
  { upTo: 9, severity: 'CRITICAL' },
  { upTo: 14, severity: 'MAJOR' },
  { upTo: 20, severity: 'MINOR' },
];

/**
 * Findings of FindSecBugs that only say where to look, and those whose counterparts SonarQube made hotspots (S2068,
 * S4790, S2077, S2245, S2257, S2092).
 */
export const hotspots: readonly RegExp[] = [
  /^(SERVLET|JAXRS|JAXWS|STRUTS\d?|SPRING)_/,
  /^(HARD_CODE_(PASSWORD|KEY)|WEAK_MESSAGE_DIGEST_|CUSTOM_MESSAGE_DIGEST|PREDICTABLE_RANDOM)/,
  /^(SQL_(NONCONSTANT|PREPARED_STATEMENT)|SQL_INJECTION|INSECURE_COOKIE|HTTPONLY_COOKIE|COOKIE_)/,
  /^(IMPROPER_UNICODE|CRLF_INJECTION_LOGS|INFORMATION_EXPOSURE|FILE_UPLOAD_FILENAME|WEAK_FILENAMEUTILS)/,
];

/** Rules that Cloud Manager has as its own: its key, type and severity count. */
export const own: Readonly<Record<string, { rule: string; type: FindingType; severity: FindingSeverity }>> = {
  FORMAT_STRING_MANIPULATION: { rule: 'CQRules:CWE-134', type: 'VULNERABILITY', severity: 'MAJOR' },
};

interface BugInstance {
  readonly type: string;
  readonly rank: string;
  readonly category: string;
  readonly LongMessage?: string;
  readonly ShortMessage?: string;
  readonly SourceLine?: readonly Place[];
  readonly Method?: readonly { readonly SourceLine?: readonly Place[] }[];
  readonly Class?: readonly { readonly SourceLine?: readonly Place[] }[];
}
interface Place {
  readonly sourcepath?: string;
  readonly start?: string;
}

const readXml = xmlReports(['BugInstance', 'SourceLine', 'Method', 'Class']);

/**
 * Runs SpotBugs with FindSecBugs over the classes of all modules. Findings of low confidence are left out.
 * @throws Failure `NotReady` when it ends badly, `InvalidArtifact` when its report cannot be read
 */
export async function spotbugs(
  folder: string,
  project: BuiltProject,
  tools: ScanTools,
): Promise<readonly Finding[]> {
  const report = join(project.work, 'spotbugs.xml');
  const plugin = join(folder, 'spotbugs/lib/findsecbugs-plugin-1.13.0.jar');
  const command = await java(folder, 'spotbugs', 'edu.umd.cs.findbugs.FindBugs2', [
    ...['-quiet', '-medium', '-effort:default', `-xml:withMessages=${report}`],
    ...['-pluginList', plugin, '-auxclasspathFromFile', lists(project).libraries, ...classesOf(project)],
  ]);
  const { code, last } = await runTool(tools, project.work, command);
  if (code !== 0) throw new Failure('NotReady', `SpotBugs ended with exit code ${code}`, { details: last });
  return readSpotbugs(report, project.modules);
}

/** The findings of a report of SpotBugs; those without a source file of the project are another's code. */
export async function readSpotbugs(
  report: string,
  modules: readonly JavaModule[],
): Promise<readonly Finding[]> {
  const { BugCollection } = await readXml<{ BugCollection?: { BugInstance?: BugInstance[] } }>(
    report,
    'of SpotBugs',
  );
  if (BugCollection === undefined)
    throw new Failure('InvalidArtifact', 'the report of SpotBugs has no BugCollection');
  const sources = sourcesByPackage(modules);
  return (BugCollection.BugInstance ?? []).flatMap((bug) => {
    const type = categories[bug.category];
    const place = bug.SourceLine?.[0] ?? bug.Method?.[0]?.SourceLine?.[0] ?? bug.Class?.[0]?.SourceLine?.[0];
    const file = sources.get(place?.sourcepath ?? '');
    if (!type || !file) return [];
    const rank = Number(bug.rank);
    const line = Number(place?.start);
    return [
      {
        rule: `${bug.category === 'SECURITY' ? 'findsecbugs' : 'findbugs'}:${bug.type}`,
        type: hotspots.some((pattern) => pattern.test(bug.type)) ? 'SECURITY_HOTSPOT' : type,
        severity: ranks.find(({ upTo }) => rank <= upTo)?.severity ?? 'INFO',
        ...own[bug.type],
        message: (bug.LongMessage ?? bug.ShortMessage ?? bug.type).replace(/\s+/g, ' ').trim(),
        file,
        ...(line > 0 && { line }),
      },
    ];
  });
}
