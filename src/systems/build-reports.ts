import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildReports } from '../model/activities.ts';
import { xmlReports } from './xml-report.ts';

export interface FailedTest {
  /** `com.example.GreetingTest.greets` */
  readonly name: string;
  /** First line of what the test said. */
  readonly message: string;
}

export interface ReportsOfBuild extends BuildReports {
  readonly failedTests: readonly FailedTest[];
}

const readXml = xmlReports(['testcase', 'failure', 'error']);
const TEST_REPORTS = /(^|\/)target\/(surefire|failsafe)-reports\/TEST-[^/]+\.xml$/;

/**
 * The test results (Surefire, Failsafe) that a build left below `folder`.
 * @throws Failure `InvalidArtifact` for a report that cannot be read
 */
export async function readBuildReports(folder: string): Promise<ReportsOfBuild> {
  const files = await filesBelow(folder);
  const tests = { run: 0, failed: 0, skipped: 0 };
  const failedTests: FailedTest[] = [];
  for (const file of files.filter((path) => TEST_REPORTS.test(path))) {
    const { testsuite } = await readXml<{ testsuite?: Suite }>(join(folder, file), `${file} of the build`);
    for (const test of testsuite?.testcase ?? []) {
      tests.run += 1;
      if (test.skipped !== undefined) tests.skipped += 1;
      const failure = test.failure?.[0] ?? test.error?.[0];
      if (failure === undefined) continue;
      tests.failed += 1;
      failedTests.push({ name: `${test.classname}.${test.name}`, message: firstLine(failure) });
    }
  }
  return { tests, failedTests };
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
