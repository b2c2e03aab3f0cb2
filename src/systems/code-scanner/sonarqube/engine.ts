import { createHash } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../failure.ts';
import { pause } from '../../pause.ts';
import { attempts } from '../attempts.ts';
import { coverage, coverageReport } from '../coverage.ts';
import type { BuiltProject, CodeScanner, ScanTools } from '../scanner.ts';
import { analysers, java, runTool, sonarqubeTools } from '../tools.ts';
import { measuresOfServer, metrics } from './measures.ts';
import { sonarqubeServer, type Limits, type Sonarqube, type SonarqubeAccess } from './server.ts';
import { scannerSettings, sourceFolders, type SonarqubeProject } from './settings.ts';

const standardLimits: Limits = {
  ...{ answerMs: 30_000, pollMs: 500, patienceMs: 2 * 60_000 },
  taskMs: 30 * 60_000,
};
const LARGEST_TASK_FILE = 64 * 1024;

/**
 * Analyses on a SonarQube server: the SonarScanner runs where the build ran and sends its report; measures and findings
 * are read back when the server has processed it. docs/quality-gates.md says how they count.
 */
export const sonarqubeScanner =
  (access: SonarqubeAccess, called: SonarqubeProject, limits: Limits = standardLimits): CodeScanner =>
  async (project, tools) => {
    const server = sonarqubeServer(access, limits, tools.signal);
    const version = await server.check();
    const name = `SonarQube ${version} (${access.url}, project ${called.key}), ${sonarqubeTools.name}`;
    tools.say(`analysing with ${name}`);
    if (sourceFolders(project).length === 0)
      return {
        analysers: name,
        measures: {},
        findings: [],
        problems: ['there is no Java source below src/main/java'],
      };

    const { attempt, problems } = attempts(tools);
    const folder = await analysers(tools, project.work, sonarqubeTools);
    const covered = await attempt(() => coverage(folder, project, tools));
    const report = covered && { path: coverageReport(project), covered: covered.files };
    const task = await analyse(folder, project, tools, { access, called, report, server });
    await processed(server, task, limits, tools);

    const values = await server.measures(called.key, metrics);
    const issues = await server.issues(called.key);
    const hotspots = await server.hotspots(called.key);
    const measures = measuresOfServer(values, covered?.counts, project.tests);
    const unknown = Object.entries(measures)
      .filter(([measure, value]) => value === undefined && (covered || measure !== 'coverage'))
      .map(([measure]) => measure);
    if (unknown.length > 0)
      problems.push(`SonarQube has no measures of: ${unknown.join(', ')} (project ${called.key})`);
    const whole = issues.whole && issues.items.length >= (measures.openIssues ?? 0);
    if (!whole) problems.push(`SonarQube lists ${issues.items.length} of its issues and no more`);
    const cloudServiceIssues = issues.items.filter(({ cloudService }) => cloudService).length;
    return {
      analysers: name,
      measures: { ...measures, ...(whole && { cloudServiceIssues }) },
      findings: [...issues.items, ...hotspots],
      problems,
    };
  };

/** Runs the SonarScanner. @returns the id of the server's task that processes its report */
async function analyse(
  folder: string,
  project: BuiltProject,
  tools: ScanTools,
  {
    access: { url, token },
    called,
    report,
    server,
  }: {
    readonly access: SonarqubeAccess;
    readonly called: SonarqubeProject;
    readonly report: Parameters<typeof scannerSettings>[2]['report'];
    readonly server: Sonarqube;
  },
): Promise<string> {
  const [file, taskFile] = [join(project.work, 'sonar.properties'), join(project.work, 'report-task.txt')];
  // The scanner runs what the server gives it: servers do not share a cache.
  const cache = join(
    tools.toolsFolder,
    `sonarqube-${createHash('sha256').update(url).digest('hex').slice(0, 12)}`,
  );
  await writeFile(file, scannerSettings(project, called, { url, report, cache, taskFile }));
  const command = await java(folder, 'scanner', 'org.sonarsource.scanner.cli.Main', [
    `-Dproject.settings=${file}`,
  ]);
  const env = { SONAR_TOKEN: token };
  const { code, last } = await runTool(tools, project.work, command, { env, writable: [cache] });
  if (code !== 0) throw await reasonOf(code, last, server);
  return taskId(taskFile);
}

/** Why the scanner failed: a server that is gone tells that first, itself. */
async function reasonOf(code: number, last: readonly string[], server: Sonarqube): Promise<Failure> {
  await server.check();
  const said = last.join('\n');
  const details = last.slice(-5);
  if (/not authorized|unauthorized|permission|privilege/i.test(said))
    return server.denied(
      details.find((line) => /authorized|permission|privilege/i.test(line)) ?? 'says the scanner',
    );
  const isAway =
    /failed to (connect|query|call|upload)|\b(http|error|code)\W{1,3}5\d\d\b|timed? ?out|connection (reset|refused)/i;
  return new Failure(
    isAway.test(said) ? 'Unavailable' : 'NotReady',
    `the SonarScanner ended with exit code ${code}`,
    {
      details,
    },
  );
}

async function taskId(file: string): Promise<string> {
  const found = await stat(file).catch(() => undefined);
  const text = found && found.size <= LARGEST_TASK_FILE ? await readFile(file, 'utf8') : '';
  const id = /^ceTaskId=([A-Za-z0-9_-]{1,100})$/m.exec(text)?.[1];
  if (id) return id;
  throw new Failure(
    'NotReady',
    'the SonarScanner does not say which task of the server processes its report',
  );
}

/** Waits until the server has processed a report. @throws Failure `NotReady` when it does not */
async function processed(
  server: Sonarqube,
  id: string,
  limits: Limits,
  { say, signal }: ScanTools,
): Promise<void> {
  const until = Date.now() + limits.taskMs;
  for (let before = ''; ; await pause(limits.pollMs, signal)) {
    const { status, errorMessage = 'it does not say why' } = await server.task(id);
    if (status !== before) say(`task ${id} of SonarQube: ${status}`);
    before = status;
    if (status === 'SUCCESS') return;
    if (status === 'FAILED')
      throw new Failure(
        'NotReady',
        `SonarQube could not process the report, task ${id}: ${errorMessage.slice(0, 300)}`,
      );
    if (status === 'CANCELED')
      throw new Failure(
        'NotReady',
        `somebody cancelled task ${id} in SonarQube, which was to process the report: run the pipeline again`,
      );
    if (Date.now() >= until)
      throw new Failure(
        'NotReady',
        `SonarQube has not processed the report within ${limits.taskMs / 60_000} minutes, task ${id} is ${status}: ` +
          'look at its background tasks',
      );
  }
}
