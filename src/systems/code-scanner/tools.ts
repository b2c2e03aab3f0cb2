import { createHash, randomUUID } from 'node:crypto';
import { cp, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mavenCommand } from '../build-engine/maven-command.ts';
import { Failure } from '../failure.ts';
import type { ScanTools } from './scanner.ts';

/** Maven artifacts by group; each group has a class path of its own. */
type Artifacts = Readonly<Record<string, readonly string[]>>;

/** What an engine runs. */
export interface ToolSet {
  /** Names and versions, for people. */
  readonly name: string;
  readonly artifacts: Artifacts;
}

const jacoco = ['org.jacoco:org.jacoco.cli:0.8.12'];

export const embeddedTools: ToolSet = {
  name: 'SpotBugs 4.8.6, FindSecBugs 1.13.0, PMD and CPD 7.7.0, JaCoCo 0.8.12',
  artifacts: {
    spotbugs: ['com.github.spotbugs:spotbugs:4.8.6', 'com.h3xstream.findsecbugs:findsecbugs-plugin:1.13.0'],
    pmd: ['net.sourceforge.pmd:pmd-java:7.7.0', 'net.sourceforge.pmd:pmd-cli:7.7.0'],
    jacoco,
  },
};

export const sonarqubeTools: ToolSet = {
  name: 'SonarScanner 7.3.0.5189, JaCoCo 0.8.12',
  artifacts: { scanner: ['org.sonarsource.scanner.cli:sonar-scanner-cli:7.3.0.5189'], jacoco },
};

const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.1.2:copy-dependencies';
const LAST_LINES = 20;

/**
 * Folder with a folder of jars per group. The first use on a worker fetches them with Maven; several may do so at once.
 * @throws Failure `Unavailable` when Maven cannot fetch them
 */
export async function analysers(tools: ScanTools, work: string, set: ToolSet): Promise<string> {
  const version = createHash('sha256').update(JSON.stringify(set.artifacts)).digest('hex').slice(0, 12);
  const folder = join(tools.toolsFolder, `analysers-${version}`);
  if (await stat(folder).catch(() => undefined)) return folder;
  tools.say(`fetching ${set.name}`);
  const making = join(work, `analysers-${randomUUID()}`);
  await writeProject(making, set.artifacts);
  await maven(tools, work, `${set.name} cannot be fetched`, [
    ...['-f', join(making, 'pom.xml')],
    ...['--quiet', COPY, '-DoutputDirectory=lib', '-DincludeScope=runtime'],
  ]);
  // Work and tools may be on two file systems, and a folder can only be moved on one.
  const draft = `${folder}.${randomUUID()}`;
  try {
    await cp(making, draft, { recursive: true });
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another one was quicker.
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  return folder;
}

async function writeProject(folder: string, artifacts: Artifacts): Promise<void> {
  const project = (id: string, body: string) =>
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>` +
    `<groupId>fairway</groupId><artifactId>${id}</artifactId><version>1</version><packaging>pom</packaging>${body}</project>`;
  const groups = Object.entries(artifacts);
  const modules = groups.map(([group]) => `<module>${group}</module>`).join('');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'pom.xml'), project('analysers', `<modules>${modules}</modules>`));
  for (const [group, coordinates] of groups) {
    const dependencies = coordinates.map((coordinate) => {
      const [groupId, artifactId, version] = coordinate.split(':');
      return `<dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version></dependency>`;
    });
    await mkdir(join(folder, group));
    await writeFile(
      join(folder, group, 'pom.xml'),
      project(group, `<dependencies>${dependencies.join('')}</dependencies>`),
    );
  }
}

/** Runs Maven for a project of Fairway's own. @throws Failure `Unavailable` with its last lines */
export async function maven(
  tools: ScanTools,
  work: string,
  problem: string,
  args: readonly string[],
): Promise<void> {
  const { mavenRepository, mavenSettings } = tools;
  const command = [...mavenCommand({ repository: mavenRepository, settings: mavenSettings }), ...args];
  const { code, last } = await runTool(tools, work, command);
  if (code !== 0)
    throw new Failure('Unavailable', `${problem}: Maven ended with exit code ${code}`, { details: last });
}

/** Runs one program to its end; its last lines tell why it failed. */
export async function runTool(
  { engine, id, mavenRepository, mavenSettings, toolsFolder, say, signal }: ScanTools,
  work: string,
  command: readonly string[],
  {
    onLine = say,
    env = {},
    writable = [],
  }: {
    readonly onLine?: (line: string) => void;
    readonly env?: Readonly<Record<string, string>>;
    /** Folders besides the work folder, absolute. */
    readonly writable?: readonly string[];
  } = {},
): Promise<{ code: number; last: readonly string[] }> {
  const last: string[] = [];
  const home = join(work, 'home');
  await Promise.all(
    [home, mavenRepository, toolsFolder, ...writable].map((path) => mkdir(path, { recursive: true })),
  );
  const code = await engine.run(command, {
    ...{ id, folder: work, writable: [mavenRepository, ...writable], signal },
    readable: [toolsFolder, ...(mavenSettings ? [mavenSettings] : [])],
    env: { HOME: home, ...env },
    onLine: (line) => {
      onLine(line);
      if (last.push(line.slice(0, 300)) > LAST_LINES) last.shift();
    },
  });
  return { code, last };
}

/** The class path of a group. */
export async function classPathOf(toolsFolder: string, group: string): Promise<string> {
  const folder = join(toolsFolder, group, 'lib');
  const jars = (await readdir(folder)).filter((file) => file.endsWith('.jar')).sort();
  return jars.map((jar) => join(folder, jar)).join(':');
}

/** The command that runs an analyser. Analyses are short: a simple JVM starts sooner. */
export async function java(
  analysersFolder: string,
  group: string,
  main: string,
  args: readonly string[],
): Promise<string[]> {
  const classPath = await classPathOf(analysersFolder, group);
  return ['java', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', classPath, main, ...args];
}
