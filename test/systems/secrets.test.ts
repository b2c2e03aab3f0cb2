import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { secrets } from '../../src/systems/secrets.ts';
import { temporaryFolder } from '../support/folder.ts';

describe('secrets', () => {
  const folder = temporaryFolder();

  it('takes a value from the environment first, then from the folder', async () => {
    await writeFile(join(folder(), 'AUTHOR'), 'admin:from file\n');
    const env = { FAIRWAY_SECRET_AUTHOR: 'admin:from variable', AUTHOR: 'never' };
    assert.equal(await secrets({ env, folder: folder() })('AUTHOR'), 'admin:from variable');
    assert.equal(await secrets({ env: {}, folder: folder() })('AUTHOR'), 'admin:from file');
  });

  it('names both ways to give a secret that is missing', async () => {
    await assert.rejects(secrets({ env: { PUBLISH: 'never' }, folder: folder() })('PUBLISH'), {
      type: 'Missing',
      message: new RegExp(`secret PUBLISH: set FAIRWAY_SECRET_PUBLISH or write the file ${folder()}/PUBLISH`),
    });
    await assert.rejects(secrets({ env: {} })('PUBLISH'), {
      type: 'Missing',
      message: /FAIRWAY_SECRET_PUBLISH/,
    });
  });

  for (const name of ['../AUTHOR', 'author', '', 'A B', 'A\n', '__proto__', 'A/B', 'A'.repeat(80)])
    it(`refuses the name ${JSON.stringify(name.slice(0, 20))}`, async () => {
      await assert.rejects(secrets({ env: {}, folder: folder() })(name), { type: 'InvalidInput' });
    });

  it('reads regular files only', async () => {
    await mkdir(join(folder(), 'FOLDER'));
    await writeFile(join(folder(), 'elsewhere'), 'value');
    await symlink(join(folder(), 'elsewhere'), join(folder(), 'LINK'));
    for (const name of ['FOLDER', 'LINK'])
      await assert.rejects(secrets({ env: {}, folder: folder() })(name), { type: 'Missing' });
  });
});
