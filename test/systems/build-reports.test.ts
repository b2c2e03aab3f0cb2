import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readBuildReports } from '../../src/systems/build-reports.ts';
import { temporaryFolder } from '../support/folder.ts';

describe('reports of a build', () => {
  const folder = temporaryFolder();
  async function write(path: string, content: string): Promise<void> {
    await mkdir(dirname(join(folder(), path)), { recursive: true });
    await writeFile(join(folder(), path), content);
  }

  it('counts tests of all modules and names those that failed, with what they said', async () => {
    await write(
      'core/target/surefire-reports/TEST-a.B.xml',
      `<?xml version="1.0"?><testsuite tests="4">
        <testcase name="good" classname="a.B"/>
        <testcase name="omitted" classname="a.B"><skipped message="later"/></testcase>
        <testcase name="wrong" classname="a.B"><failure message="expected: &lt;1&gt; but was: &lt;2&gt;&#10;more" type="x">trace</failure></testcase>
        <testcase name="broken" classname="a.B"><error type="java.lang.NullPointerException">at line 1</error></testcase>
      </testsuite>`,
    );
    await write(
      'it/target/failsafe-reports/TEST-c.D.xml',
      '<testsuite><testcase name="only" classname="c.D"/></testsuite>',
    );
    await write('core/target/surefire-reports/a.B.txt', 'not a report');
    assert.deepEqual(await readBuildReports(folder()), {
      tests: { run: 5, failed: 2, skipped: 1 },
      failedTests: [
        { name: 'a.B.wrong', message: 'expected: <1> but was: <2>' },
        { name: 'a.B.broken', message: 'at line 1' },
      ],
    });
  });

  it('counts nothing where nothing was tested', async () => {
    assert.deepEqual(await readBuildReports(folder()), {
      tests: { run: 0, failed: 0, skipped: 0 },
      failedTests: [],
    });
  });

  it('refuses damaged reports, naming the file', async () => {
    const path = 'target/surefire-reports/TEST-a.xml';
    await write(path, '<testsuite><testcase name=');
    await assert.rejects(readBuildReports(folder()), { type: 'InvalidArtifact', message: /TEST-a\.xml/ });
  });
});
