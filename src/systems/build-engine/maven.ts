import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { XMLParser } from 'fast-xml-parser';
import { LIBRARIES_FILE } from '../code-scanner/project.ts';
import { Failure } from '../failure.ts';
import { mavenCommand } from './maven-command.ts';

const DEPENDENCY = 'org.apache.maven.plugins:maven-dependency-plugin:3.1.2';
const SETTINGS = '.cloudmanager/maven/settings.xml';

/**
 * Maven's commands for a checked-out project, in Cloud Manager's order, after the version was set (if one is). The last
 * one also says what each module was compiled with, for code scanning.
 * @throws Failure `BuildFailed` when the folder holds no Maven project
 */
export async function mavenCommands(
  folder: string,
  options: {
    /** The version that all modules get; absent: they keep their own. */
    readonly artifactsVersion?: string;
    /** Maven's local repository. */
    readonly repository: string;
    /** Settings of the worker: mirrors, proxies. The project's own come from `.cloudmanager/maven/settings.xml`. */
    readonly settings?: string;
  },
): Promise<string[][]> {
  const original = await projectVersion(folder);
  const own = await lstat(join(folder, SETTINGS)).catch(() => undefined);
  const mvn = (...args: string[]) => [
    ...mavenCommand(options),
    ...(own?.isFile() ? ['--settings', join(folder, SETTINGS)] : []),
    `-DcloudManagerOriginalVersion=${original}`,
    ...args,
  ];
  return [
    ...(options.artifactsVersion === undefined
      ? []
      : [
          mvn(
            'org.codehaus.mojo:versions-maven-plugin:2.18.0:set',
            `-DnewVersion=${buildVersion(original, options.artifactsVersion)}`,
            '-DprocessAllModules=true',
            '-DgenerateBackupPoms=false',
          ),
        ]),
    mvn(`${DEPENDENCY}:resolve-plugins`),
    mvn('org.apache.maven.plugins:maven-clean-plugin:3.1.0:clean', '-Dmaven.clean.failOnError=false'),
    mvn(
      ...['org.jacoco:jacoco-maven-plugin:prepare-agent', 'package'],
      ...[`${DEPENDENCY}:build-classpath`, `-Dmdep.outputFile=${LIBRARIES_FILE}`],
    ),
  ];
}

/**
 * The version that a stage or production build gets: the generated one, as a suffix when the project's own is static,
 * of three parts and no snapshot (Cloud Manager, "Maven Project Version Handling"):
 * `1.0.0` becomes `1.0.0.2019_0523_134947_0000006554`.
 */
export function buildVersion(original: string, artifactsVersion: string): string {
  if (!/^\d+\.\d+\.\d+$/.test(original)) return artifactsVersion;
  const [year = '', monthDay = '', ...rest] = artifactsVersion.split('.');
  return `${original}.${[year, monthDay.padStart(4, '0'), ...rest].join('_')}`;
}

async function projectVersion(folder: string): Promise<string> {
  const text = await readFile(join(folder, 'pom.xml'), 'utf8').catch((cause: unknown) => {
    throw new Failure('BuildFailed', 'the repository has no pom.xml in its root folder', { cause });
  });
  const parser = new XMLParser({ parseTagValue: false, processEntities: false });
  try {
    const { project } = parser.parse(text) as {
      project: { version?: string; parent?: { version?: string } };
    };
    const version = project.version ?? project.parent?.version;
    if (version) return version;
  } catch (cause) {
    throw new Failure('BuildFailed', "the project's pom.xml is not the XML of a Maven project", { cause });
  }
  throw new Failure('BuildFailed', "the project's pom.xml has no version");
}
