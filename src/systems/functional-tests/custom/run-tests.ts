import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { localEngine } from '../../build-engine/local.ts';
import { analysers, classPathOf, type ToolSet } from '../../code-scanner/tools.ts';
import type { ScanTools } from '../../code-scanner/scanner.ts';
import { Failure, messageOf } from '../../failure.ts';
import type { InstanceUnderTest } from '../instances.ts';
import { readJunitXml, type TestSuite } from '../junit.ts';
import { ended, judged, outOfTime, type TestResults } from '../results.ts';

export interface TestRun {
  /** Marks the processes of the tests: the same for every attempt. */
  readonly id: string;
  readonly jar: string;
  /** A folder of its own: where the tests run and may write. */
  readonly work: string;
  /** As `testRunner` gives it. */
  readonly runner: string;
  readonly instances: readonly InstanceUnderTest[];
  /** Milliseconds. */
  readonly limitMs: number;
  /** Of the output of tests and runner. */
  readonly onLine: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Runs JUnit 4 and 5. It is older than no test that is written today, and comes before the JUnit inside a test JAR. */
const RUNNER: ToolSet = {
  name: "JUnit's console launcher 1.14.1",
  artifacts: { junit: ['org.junit.platform:junit-platform-console-standalone:1.14.1'] },
};

/** The engines in the runner; a test JAR may bring others. */
const ENGINES = ['junit-jupiter', 'junit-vintage', 'junit-platform-suite'];

/** With what the JVM ends when it is told to end for want of memory. */
const OUT_OF_MEMORY = 3;

/** MiB. Cloud Manager gives the container of functional tests half a GiB in all. */
const HEAP = 384;
const METASPACE = 128;

/** The class path of the test runner, fetched once per worker. @throws Failure `Unavailable` */
export const testRunner = async (tools: ScanTools, work: string): Promise<string> =>
  classPathOf(await analysers(tools, work, RUNNER), 'junit');

/** Ends what a dead attempt left running. */
export const clearTests = (id: string): Promise<void> => localEngine().clear(id);

/**
 * Runs the classes named `*IT` of a test JAR in a JVM of this machine: the instances need not be reachable from a
 * container. Nothing of it goes on running afterwards, however it ends.
 * @throws Failure `Missing` without Java; the signal's reason
 */
export async function runTests(run: TestRun): Promise<TestResults> {
  const { id, work, signal, onLine, limitMs } = run;
  const reports = join(work, 'reports');
  const [home, temporary] = [join(work, 'home'), join(work, 'tmp')];
  await Promise.all([reports, home, temporary].map((path) => mkdir(path, { recursive: true })));
  const options = join(work, 'java-options');
  await writeFile(options, javaOptions(run, { reports, home, temporary }), { mode: 0o600 });

  const limit = AbortSignal.timeout(limitMs);
  let code: number;
  try {
    code = await localEngine().run(['java', `@${options}`], {
      ...{ id, folder: work, writable: [], readable: [], env: { HOME: home, TMPDIR: temporary } },
      onLine,
      signal: AbortSignal.any([signal, limit]),
    });
  } catch (error) {
    if (signal.aborted || !limit.aborted) throw error;
    return { suites: [], problem: outOfTime(limitMs) };
  }
  return resultsOf(reports, code);
}

async function resultsOf(folder: string, code: number): Promise<TestResults> {
  const suites: TestSuite[] = [];
  if (code === OUT_OF_MEMORY)
    return { suites, problem: `the tests needed more memory than the ${HEAP} MiB they have` };
  const files = (await readdir(folder)).filter((name) => name.endsWith('.xml')).sort();
  try {
    for (const file of files) {
      const found = await readJunitXml(join(folder, file), `${file} of the tests`);
      if (!found) throw new Failure('InvalidArtifact', `the report ${file} of the tests holds no test suite`);
      suites.push(...found);
    }
  } catch (error) {
    return { suites, problem: `${ended(code)} and cannot be judged: ${messageOf(error)}` };
  }
  const missing = ENGINES.filter((engine) => !files.includes(`TEST-${engine}.xml`));
  // Each engine leaves one when it is done, with tests or without.
  if (missing.length > 0)
    return {
      suites,
      problem: `${ended(code)} before ${missing.join(' and ')} had reported: see what ends the JVM`,
    };
  return judged(suites, code, 'the test JAR has no tests in classes whose name ends in IT');
}

/**
 * What `java` is to be told, as a file: its arguments can be read by everybody on the machine, and with
 * `JDK_JAVA_OPTIONS` it would print them. For the same reason there is no performance data, which holds them too.
 */
function javaOptions(
  { jar, runner, instances, work }: TestRun,
  folders: { readonly reports: string; readonly home: string; readonly temporary: string },
): string {
  const numbered = instances.flatMap(({ runMode, url, user, password }, index) =>
    Object.entries({ url, runmode: runMode, adminUser: user, adminPassword: password }).map(
      ([name, value]) => [`sling.it.instance.${name}.${index + 1}`, value] as const,
    ),
  );
  const properties = {
    'sling.it.instances': String(instances.length),
    ...Object.fromEntries(numbered),
    'java.io.tmpdir': folders.temporary,
    'user.home': folders.home,
    'java.awt.headless': 'true',
    'file.encoding': 'UTF-8',
  };
  const lines = [
    ...[`-Xmx${HEAP}m`, `-XX:MaxMetaspaceSize=${METASPACE}m`, '-XX:+UseSerialGC', '-XX:-UsePerfData'],
    '-XX:+ExitOnOutOfMemoryError',
    `-XX:ErrorFile=${join(work, 'hs_err.log')}`,
    ...Object.entries(properties).map(([name, value]) => `-D${name}=${value}`),
    ...['-cp', `${runner}:${jar}`, 'org.junit.platform.console.ConsoleLauncher', 'execute'],
    ...[`--scan-classpath=${jar}`, '--include-classname=.*IT$', `--reports-dir=${folders.reports}`],
    ...['--disable-banner', '--disable-ansi-colors', '--details=tree', '--details-theme=ascii'],
  ];
  return lines.map((line) => `"${line.replace(/[\\"\n\r\t\f]/g, escaped)}"\n`).join('');
}

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\f': '\\f' };
const escaped = (character: string) => escapes[character] ?? `\\${character}`;
