import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { collectTests } from '../../src/activities/build-tests.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import { temporaryFolder } from '../support/folder.ts';
import { jarOf, testJarHeaders } from '../support/test-jars.ts';

describe('the tests of a build', () => {
  const folder = temporaryFolder();
  const storage = () => fileStorage(join(folder(), 'storage'));
  const put = async (path: string, content: Buffer) => {
    const file = join(folder(), 'project', path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  };
  const lines: string[] = [];
  const collect = () =>
    collectTests(join(folder(), 'project'), '1/2/3/artifacts', storage(), (line) => lines.push(line));

  it('is the one whose manifest says so, and is kept', async () => {
    await put('core/target/core.jar', await jarOf({ 'Bundle-SymbolicName': 'core' }));
    await put('it.tests/target/tests.jar', await jarOf({ 'cloud-manager-testtype': 'integration-test' }));
    await put('it.tests/tests.jar', await jarOf(testJarHeaders));
    await put('other/target/other.jar', await jarOf({ 'Cloud-Manager-TestType': 'load-test' }));
    await put('other/target/broken.jar', Buffer.from('no zip'));
    const [jar, ...more] = await collect();
    assert.deepEqual(more, []);
    assert.equal(jar?.path, 'it.tests/target/tests.jar');
    assert.equal(jar.file.key, '1/2/3/artifacts/it.tests/tests.jar');
    assert.deepEqual([jar.kind, jar.test], ['kept', 'functional']);
    await storage().fetch(jar.file, join(folder(), 'fetched.jar'));
    assert.match(lines.join('\n'), /other\.jar: tests of the unknown type "load-test", not run/);
    assert.match(lines.join('\n'), /broken\.jar: cannot be read, so it is no test JAR/);
  });

  it('has UI tests beside it, told by the classifier of their archive', async () => {
    await put('it.tests/target/tests.jar', await jarOf(testJarHeaders));
    await put('ui.tests/target/site-1.0-ui-test-docker-context.tar.gz', Buffer.from('tar'));
    await put('ui.tests/target/other.tar.gz', Buffer.from('tar'));
    assert.deepEqual(
      (await collect()).map(({ test, file }) => [test, file.key]),
      [
        ['functional', '1/2/3/artifacts/it.tests/tests.jar'],
        ['ui', '1/2/3/artifacts/ui.tests/site-1.0-ui-test-docker-context.tar.gz'],
      ],
    );
    await put('ui.more/target/site-ui-test-docker-context.tar.gz', Buffer.from('tar'));
    await assert.rejects(collect(), {
      type: 'InvalidArtifact',
      message:
        /produced 2 archives of UI tests: ui\.more.*, ui\.tests.*; there may be one: name one of them only/,
    });
  });

  it('need not be there', async () => {
    await put('core/target/core.jar', await jarOf({}));
    assert.deepEqual(await collect(), []);
  });

  it('is one at most: the build says which there are', async () => {
    await put('a/target/a.jar', await jarOf(testJarHeaders));
    await put('b/target/b.jar', await jarOf(testJarHeaders));
    await assert.rejects(collect(), {
      type: 'InvalidArtifact',
      message: /produced 2 test JARs: a\/target\/a\.jar, b\/target\/b\.jar; there may be one: give/,
    });
    assert.deepEqual(await storage().list(''), []);
  });
});
