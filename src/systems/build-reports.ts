import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { XMLParser } from 'fast-xml-parser';
import type { BuildReports } from '../model/activities.ts';
import { Failure } from './failure.ts';

export interface FailedTest {
  /** `com.example.GreetingTest.greets` */
  readonly name: string;
  /** First line of what the test said. */
  readonly message: string;
}

export interface ReportsOfBuild extends BuildReports {
  readonly failedTests: readonly FailedTest[];
}

const LARGEST = 64 * 1024 * 1024;
const TEST_REPORTS = /(^|\/)target\/(surefire|failsafe)-reports\/TEST-[^/]+\.xml$/;
/** Not the aggregates, which repeat the modules. */
const COVERAGE_REPORTS = /(^|\/)target\/site\/jacoco\/jacoco\.xml$/;

/**
 * The test results (Surefire, Failsafe) and the coverage (JaCoCo's XML) that a build left below `folder`.
 * @throws Failure `InvalidArtifact` for a report that cannot be read
 */
export async function readBuildReports(folder: string): Promise<ReportsOfBuild> {
  const files = await filesBelow(folder);
  const tests = { run: 0, failed: 0, skipped: 0 };
  const failedTests: FailedTest[] = [];
  for (const file of files.filter((path) => TEST_REPORTS.test(path))) {
    const { testsuite } = await readXml<{ testsuite?: Suite }>(folder, file);
    for (const test of testsuite?.testcase ?? []) {
      tests.run += 1;
      if (test.skipped !== undefined) tests.skipped += 1;
      const failure = test.failure?.[0] ?? test.error?.[0];
      if (failure === undefined) continue;
      tests.failed += 1;
      failedTests.push({ name: `${test.classname}.${test.name}`, message: firstLine(failure) });
    }
  }
  const counters: Counter[] = [];
  for (const file of files.filter((path) => COVERAGE_REPORTS.test(path))) {
    const { report } = await readXml<{ report?: { counter?: Counter[] } }>(folder, file);
    counters.push(...(report?.counter ?? []));
  }
  return { tests, failedTests, ...(counters.length > 0 && { coverage: sum(counters) }) };
}

interface Suite {
  readonly testcase?: readonly {
    readonly classname: string;
    readonly name: string;
    readonly skipped?: unknown;
    readonly failure?: readonly Trouble[];
    readonly error?: readonly Trouble[];
  }[];
}
type Trouble = string | { readonly message?: string; readonly type?: string; readonly '#text'?: string };

interface Counter {
  readonly type: string;
  readonly missed: string;
  readonly covered: string;
}

function sum(counters: readonly Counter[]): NonNullable<BuildReports['coverage']> {
  const of = (type: string, field: 'missed' | 'covered') =>
    counters
      .filter((counter) => counter.type === type)
      .reduce((all, counter) => all + Number(counter[field]), 0);
  return {
    coveredLines: of('LINE', 'covered'),
    lines: of('LINE', 'covered') + of('LINE', 'missed'),
    coveredBranches: of('BRANCH', 'covered'),
    branches: of('BRANCH', 'covered') + of('BRANCH', 'missed'),
  };
}

function firstLine(trouble: Trouble): string {
  const text =
    typeof trouble === 'string' ? trouble : trouble.message || trouble['#text'] || trouble.type || '';
  return (text.trim().split('\n')[0] ?? '').slice(0, 500);
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseAttributeValue: false,
  parseTagValue: false,
  htmlEntities: true, // character references; entities of a document's own are refused before
  isArray: (name) => ['testcase', 'counter', 'failure', 'error'].includes(name),
});

async function readXml<T>(folder: string, file: string): Promise<T> {
  const path = join(folder, file);
  if ((await stat(path)).size > LARGEST)
    throw new Failure('InvalidArtifact', `the report ${file} of the build is larger than 64 MiB`);
  const text = await readFile(path, 'utf8');
  if (/<!ENTITY/i.test(text.slice(0, text.search(/<[a-z]/i) + 1 || undefined)))
    throw new Failure(
      'InvalidArtifact',
      `the report ${file} of the build defines entities, which are not read`,
    );
  try {
    return parser.parse(text) as T;
  } catch (cause) {
    throw new Failure('InvalidArtifact', `the report ${file} of the build is not XML`, { cause });
  }
}
