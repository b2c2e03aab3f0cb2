import { join } from 'node:path';
import { classesOf, plainPaths } from '../project.ts';
import type { BuiltProject } from '../scanner.ts';

/** What SonarQube calls what is analysed. */
export interface SonarqubeProject {
  readonly key: string;
  /** For people. */
  readonly name: string;
  /** What was built. */
  readonly version: string;
}

/** SonarQube takes no longer names. */
const LONGEST_NAME = 500;

/** Folders of sources, relative to the project's root. */
export const sourceFolders = ({ modules }: BuiltProject): readonly string[] =>
  modules.filter(({ sources }) => sources.length > 0).map(({ path }) => join(path, 'src/main/java'));

/**
 * The settings of the SonarScanner, as the properties file that it reads.
 * @param covered the sources that the report of JaCoCo counts; SonarQube would call the others uncovered
 * @throws Failure `InvalidInput` for a path that the file cannot hold
 */
export function scannerSettings(
  project: BuiltProject,
  { key, name, version }: SonarqubeProject,
  options: {
    readonly url: string;
    readonly report?: { readonly path: string; readonly covered: ReadonlySet<string> };
    /** Where the scanner keeps what it gets from the server. */
    readonly cache: string;
    /** Where it leaves the id of the server's task. */
    readonly taskFile: string;
  },
): string {
  const { root, work, modules, libraries } = project;
  const list = (paths: readonly string[]) => plainPaths(paths).join();
  const tested = modules.filter(({ tests }) => tests.length > 0);
  const uncounted = modules
    .flatMap(({ sources }) => sources)
    .filter((file) => !options.report?.covered.has(file));
  const settings: Record<string, string> = {
    'sonar.host.url': options.url,
    'sonar.projectKey': key,
    'sonar.projectName': name.slice(0, LONGEST_NAME),
    'sonar.projectVersion': version,
    'sonar.projectBaseDir': root,
    'sonar.working.directory': join(work, 'scanner'),
    'sonar.scanner.metadataFilePath': options.taskFile,
    'sonar.userHome': options.cache,
    'sonar.sourceEncoding': 'UTF-8',
    'sonar.scm.disabled': 'true',
    'sonar.scanner.skipJreProvisioning': 'true',
    'sonar.sources': list(sourceFolders(project)),
    'sonar.java.binaries': list(classesOf(project)),
    'sonar.java.libraries': list(libraries),
    'sonar.coverage.exclusions': list(uncounted),
    ...(options.report && { 'sonar.coverage.jacoco.xmlReportPaths': options.report.path }),
    ...(tested.length > 0 && {
      'sonar.tests': list(tested.map(({ path }) => join(path, 'src/test/java'))),
      'sonar.java.test.binaries': list(classesOf(project)),
      'sonar.java.test.libraries': list(libraries),
      'sonar.junit.reportPaths': list(tested.map(({ path }) => join(path, 'target/surefire-reports'))),
    }),
  };
  return Object.entries(settings)
    .map(([setting, value]) => `${setting}=${escaped(value)}\n`)
    .join('');
}

/** As a value of a properties file of Java: one line of ASCII. */
const escaped = (value: string): string =>
  value
    .replaceAll('\\', '\\\\')
    .replace(/^ /, '\\ ')
    .replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
