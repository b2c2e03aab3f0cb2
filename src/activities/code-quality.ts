import { join, resolve } from 'node:path';
import type { BuildActivities, CodeQualityInput } from '../model/activities.ts';
import { codeQualityMetrics, measureCodeQuality, measuresOf } from '../model/code-quality.ts';
import { testJarOf, type StoredFile } from '../model/artifacts.ts';
import { idsOf } from '../model/execution.ts';
import type { Finding } from '../model/findings.ts';
import { inOrder } from '../model/ratings.ts';
import { chooseEngine } from '../systems/build-engine/choose.ts';
import { clearLanes, embeddedScanner } from '../systems/code-scanner/embedded.ts';
import { restoreProject } from '../systems/code-scanner/project.ts';
import type { Analysis, CodeScanner, ScanTools } from '../systems/code-scanner/scanner.ts';
import { sonarqubeAccess } from '../systems/code-scanner/sonarqube/ask.ts';
import { sonarqubeScanner } from '../systems/code-scanner/sonarqube/engine.ts';
import type { SonarqubeAccess } from '../systems/code-scanner/sonarqube/server.ts';
import { toCsv } from '../systems/scan/output/csv.ts';
import { formatFindings } from '../systems/scan/output/format.ts';
import { scanZips } from '../systems/scan/scan.ts';
import type { Storage } from '../systems/storage/storage.ts';
import { fairwayVersion } from '../systems/version.ts';
import type { BuildDeps } from './build.ts';
import { shortened, whileSpeaking, type Spoken } from './spoken-log.ts';
import { keepOutcome } from './test-outcome.ts';
import { markOf, withWorkFolder } from './work-folder.ts';

export type ScanDeps = Pick<
  BuildDeps,
  'storage' | 'secret' | 'workFolder' | 'engine' | 'analysers' | 'mavenRepository' | 'mavenSettings'
>;

/** Findings that the results hold; all of them are in the CSV. */
const MOST_FINDINGS = 1000;

export const codeQualityActivities = (deps: ScanDeps): Pick<BuildActivities, 'codeQuality'> => ({
  codeQuality: (input) =>
    whileSpeaking(deps.storage, input.log, async (spoken) => {
      const { scanner } = input;
      const access = scanner?.type === 'sonarqube' ? await sonarqubeAccess(scanner, deps.secret) : undefined;
      spoken.conceal(access ? [access.token] : []);
      return scan(deps, input, engineOf(input, access), spoken);
    }),
});

/** The engine that the program chose. */
function engineOf(
  { executionKey, names }: CodeQualityInput,
  access: SonarqubeAccess | undefined,
): CodeScanner {
  if (!access) return embeddedScanner;
  const { programId, pipelineId, executionId } = idsOf(executionKey);
  return sonarqubeScanner(access, {
    key: `fairway-${programId}-${pipelineId}`,
    name: `${names.program}, ${names.pipeline}`,
    version: executionId,
  });
}

async function scan(
  deps: ScanDeps,
  input: CodeQualityInput,
  scanner: CodeScanner,
  { signal, say, hide }: Spoken,
) {
  // First what needs no analyser: a package that cannot be read ends the step soon.
  const inPackages = await scanPackages(deps, input, signal, say);
  const { analysers, measures, findings, ...said } = await analyse(deps, input, scanner, signal, say);
  const problems = said.problems.map(hide);
  const measured = measureCodeQuality(measures, inPackages);
  const ordered = inOrder([...findings, ...inPackages]);
  const step = { step: 'codeQuality', ...input } as const;
  const outcome = await keepOutcome(deps.storage, step, codeQualityMetrics(input.flavour), measured, {
    ...{ analysers, measures, problems, reports: input.reports },
    findings: ordered.slice(0, MOST_FINDINGS),
  });
  return {
    ...outcome,
    findings: await keepFindings(deps.storage, input.executionKey, ordered),
    problems: problems.map(shortened),
  };
}

/** All findings for a spreadsheet (CSV) and for other tools (SARIF); nothing where there are none. */
async function keepFindings(
  storage: Storage,
  executionKey: string,
  findings: readonly Finding[],
): Promise<readonly StoredFile[]> {
  if (findings.length === 0) return [];
  const key = `${executionKey}/results/codeQuality`;
  return [
    await storage.put(`${key}.csv`, toCsv(findings)),
    await storage.put(`${key}.sarif`, formatFindings(findings, 'sarif', fairwayVersion)),
  ];
}

/** The findings of the rules for AEM in the zips that the build produced. */
async function scanPackages(
  deps: ScanDeps,
  { artifacts, executionKey, flavour }: CodeQualityInput,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<readonly Finding[]> {
  return withWorkFolder(deps.workFolder, executionKey.replaceAll('/', '-'), async (work) => {
    const zips = [];
    const packages = artifacts.filter((artifact) => artifact !== testJarOf(artifacts));
    for (const [index, { file, path }] of packages.entries()) {
      const zip = { path: join(work, `${index}.zip`), label: path };
      await deps.storage.fetch(file, zip.path, signal);
      zips.push(zip);
    }
    const options = { flavour: flavour === 'aem_cloud_service' ? 'cloud' : 'ams', log: say, signal } as const;
    const { findings } = await scanZips(zips, options);
    say(`${findings.length} findings in packages and dispatcher configuration`);
    return findings;
  });
}

/** Without Java code there is nothing to analyse, and nothing against it. */
async function analyse(
  deps: ScanDeps,
  { code, executionKey, reports: { tests } }: CodeQualityInput,
  scanner: CodeScanner,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<Analysis> {
  if (!code) {
    say('the build produced no Java classes: there is no code to analyse');
    const coverage = { lines: 0, coveredLines: 0, branches: 0, coveredBranches: 0 };
    const measures = {
      ...measuresOf([], 0),
      lines: 0,
      duplicatedLines: 0,
      coverage,
      skippedTests: tests.skipped,
    };
    return { analysers: 'none', measures, findings: [], problems: [] };
  }
  const id = executionKey.replaceAll('/', '-');
  const engine = await chooseEngine(deps.engine, signal);
  const mark = markOf(deps.workFolder, id);
  await clearLanes(engine, mark);
  return withWorkFolder(deps.workFolder, id, async (work) => {
    const project = { ...(await restoreProject(code, work, deps.storage, signal)), tests };
    const tools: ScanTools = {
      ...{ id: mark, engine, say, signal },
      toolsFolder: resolve(deps.analysers ?? join(deps.workFolder, 'analysers')),
      mavenRepository: deps.mavenRepository ? resolve(deps.mavenRepository) : join(work, 'repository'),
      mavenSettings: deps.mavenSettings && resolve(deps.mavenSettings),
    };
    const { modules, libraries } = project;
    say(`analysing ${modules.length} modules, ${libraries.length} libraries, in: ${engine.name}`);
    return scanner(project, tools);
  });
}
