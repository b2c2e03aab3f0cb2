import assert from 'node:assert/strict';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { failedTests, testName } from '../../../src/systems/functional-tests/junit.ts';
import { resultsOf } from '../../../src/systems/functional-tests/ui/run-image.ts';
import { temporaryFolder } from '../../support/folder.ts';

const passed = '<testcase classname="pages" name="home opens"/>';
const failed = '<testcase name="menu opens"><failure message="no menu"/></testcase>';
const suite = (cases: string, tests: number) => `<testsuite name="s" tests="${tests}">${cases}</testsuite>`;
const good = suite(passed, 1);

describe('the reports of UI tests', () => {
  const folder = temporaryFolder();
  async function results(files: Readonly<Record<string, string>>, code = 0) {
    const reports = join(folder(), 'reports');
    await rm(reports, { recursive: true, force: true });
    await mkdir(reports);
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(reports, name)), { recursive: true });
      await writeFile(join(reports, name), content);
    }
    return resultsOf(reports, code);
  }
  const problem = async (files: Readonly<Record<string, string>>, code = 0) =>
    (await results(files, code)).problem;

  it('may be of one suite, of several, nested, in folders, and beside XML of another kind', async () => {
    const { suites, problem } = await results({
      'one.xml': good,
      'deep/many.xml': `<testsuites>${good}${suite(passed + failed, 2)}</testsuites>`,
      'nested.xml': `<testsuites><testsuite name="all" tests="1">${good}</testsuite></testsuites>`,
      'empty.xml': '<testsuites/>',
      'summary.xml': '<failsafe-summary><completed>1</completed></failsafe-summary>',
      'shot.png': 'no picture',
    });
    assert.equal(problem, undefined);
    assert.deepEqual(
      suites.map(({ cases }) => cases.length),
      [1, 2, 0, 1, 1],
    );
    assert.deepEqual(failedTests(suites).map(testName), ['menu opens']);
  });

  it('are missing, broken, empty, or contradict the exit code: the run has failed', async () => {
    assert.match(
      (await problem({})) ?? '',
      /exit code 0 and left no JUnit XML in REPORTS_PATH \(\/reports\)$/,
    );
    assert.match(
      (await problem({ 'a.xml': good.slice(0, -5) })) ?? '',
      /cannot be judged: the report a\.xml of/,
    );
    assert.match(
      (await problem({ 'a.xml': suite(passed, 2) })) ?? '',
      /cannot be judged: .* announces 2 tests and holds 1$/,
    );
    assert.equal(
      await problem({ 'a.xml': suite('', 0) }),
      'no test ran: the reports in REPORTS_PATH hold none',
    );
    assert.equal(
      await problem({ 'a.xml': suite('<testcase name="x"><skipped/></testcase>', 1) }),
      'no test ran: all 1 were skipped',
    );
    assert.equal(
      await problem({ 'a.xml': good }, 5),
      'the test run ended with exit code 5 although its report has no failed test',
    );
    assert.equal(await problem({ 'a.xml': suite(failed, 1) }, 1), undefined);
  });

  it('are no links to other files', async () => {
    await writeFile(join(folder(), 'other.xml'), good);
    const linked = join(folder(), 'linked');
    await mkdir(linked);
    await symlink(join(folder(), 'other.xml'), join(linked, 'a.xml'));
    assert.match((await resultsOf(linked, 0)).problem ?? '', /left no JUnit XML/);
  });
});
