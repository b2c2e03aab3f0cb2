import assert from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { buildModule } from '../../../src/local/dispatcher/build-module.ts';
import { temporaryFolder } from '../../support/folder.ts';

describe('building the dispatcher module', () => {
  const folder = temporaryFolder();
  const before = { path: process.env.PATH, module: process.env.FAIRWAY_MOD_DISPATCHER };
  afterEach(() => {
    process.env.PATH = before.path;
    if (before.module === undefined) delete process.env.FAIRWAY_MOD_DISPATCHER;
    else process.env.FAIRWAY_MOD_DISPATCHER = before.module;
  });

  it('names the packages to install where apxs is missing', async () => {
    process.env.PATH = folder();
    await assert.rejects(buildModule(join(folder(), 'cache')), {
      type: 'Missing',
      message: /no apxs .*apt-get install apache2-dev gcc/,
    });
    assert.deepEqual(await readdir(join(folder(), 'cache')), []);
  });

  it('takes the module that FAIRWAY_MOD_DISPATCHER names, and says when it is not there', async () => {
    process.env.FAIRWAY_MOD_DISPATCHER = import.meta.filename;
    assert.equal(await buildModule(folder()), import.meta.filename);
    process.env.FAIRWAY_MOD_DISPATCHER = '/nowhere/mod_dispatcher.so';
    await assert.rejects(buildModule(folder()), {
      type: 'Missing',
      message: /\/nowhere\/mod_dispatcher\.so/,
    });
  });

  it('compiles once, also when two ask at the same time', async () => {
    const [first, second] = await Promise.all([buildModule(folder()), buildModule(folder())]);
    assert.equal(first, second);
    const { mtimeMs } = await stat(first);
    process.env.PATH = ''; // nothing can be compiled any more
    assert.equal(await buildModule(folder()), first);
    assert.equal((await stat(first)).mtimeMs, mtimeMs);
    assert.equal((await readdir(folder())).length, 1);
  });
});
