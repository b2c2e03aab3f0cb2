import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withWorkFolder } from '../../src/activities/work-folder.ts';
import { temporaryFolder } from '../support/folder.ts';

describe('work folder', () => {
  const folder = temporaryFolder();

  it('belongs to one attempt: two at work at once do not see each other', async () => {
    await withWorkFolder(folder(), '1-2-3', async (first) => {
      await writeFile(join(first, 'package.zip'), 'one');
      await withWorkFolder(folder(), '1-2-3', async (second) => {
        assert.deepEqual(await readdir(second), []);
        assert.ok(existsSync(join(first, 'package.zip')));
      });
      assert.ok(existsSync(join(first, 'package.zip')));
    });
    assert.deepEqual(await readdir(folder()), []);
  });

  it('takes away what dead attempts at the same thing left, whichever process they were of, and nothing else', async () => {
    const dead = spawnSync(process.execPath, ['--version']).pid;
    const folders = [
      `1-2-3.${dead}.a`,
      `1-2-3.${process.pid}.b`,
      `1-2-3.${process.ppid}.c`,
      `1-2-33.${dead}.d`,
    ];
    for (const name of folders) await mkdir(join(folder(), name, 'project'), { recursive: true });
    await withWorkFolder(folder(), '1-2-3', async () => undefined);
    assert.deepEqual((await readdir(folder())).sort(), [folders[2], folders[3]].sort());
  });

  it('refuses names that lead elsewhere', async () => {
    for (const id of ['', '../1', '1/2', '1.2'])
      await assert.rejects(
        withWorkFolder(folder(), id, async () => undefined),
        /is no name of a work folder/,
      );
    assert.deepEqual(await readdir(folder()), []);
  });
});
