import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRefName } from '../../src/model/git-names.ts';
import { cloneCommit, resolveSource } from '../../src/systems/git.ts';
import { temporaryFolder } from '../support/folder.ts';
import { gitRepository, type TestRepository } from '../support/git-repository.ts';

describe('git', () => {
  const folder = temporaryFolder();
  const allowFile = { allowFile: true };
  let repository: TestRepository;
  let first = '';
  beforeEach(async () => {
    repository = await gitRepository(join(folder(), 'origin'));
    first = await repository.commit({ 'pom.xml': 'one' });
  });
  const clone = (commit: string, branch = 'main') =>
    cloneCommit(
      { repository: repository.url, source: { branch }, commit },
      join(folder(), 'work'),
      allowFile,
    );

  it('takes the names that git takes', () => {
    for (const branch of ['main', 'release/2024.1', 'feature/ABC-1_x', 'a@b', 'ünï', "quote's", '$(x)', '@x'])
      assert.ok(isRefName(branch), branch);
  });

  it('reads a folder of its own machine only where it may', () =>
    assert.rejects(resolveSource(repository.url, { branch: 'main' }), {
      type: 'InvalidInput',
      message: /must be an address/,
    }));

  it('finds the commit of a branch', async () => {
    await repository.git('branch', 'release/1');
    const second = await repository.commit({ 'pom.xml': 'two' });
    assert.equal(await resolveSource(repository.url, { branch: 'main' }, allowFile), second);
    assert.equal(await resolveSource(repository.url, { branch: 'release/1' }, allowFile), first);
  });

  it('names a missing branch and those that are probably meant; a tag is no branch', async () => {
    for (const branch of ['release/1', 'develop']) await repository.git('branch', branch);
    await repository.git('tag', 'v1');
    await assert.rejects(resolveSource(repository.url, { branch: 'relase/1' }, allowFile), {
      type: 'Missing',
      message: /there is no branch relase\/1 in file:.*; similar ones are release\/1$/,
    });
    await assert.rejects(resolveSource(repository.url, { branch: 'v1' }, allowFile), { type: 'Missing' });
  });

  it('finds the commit of a tag, also of an annotated one; a branch is no tag', async () => {
    await repository.git('tag', 'v1');
    await repository.git('tag', '--annotate', '--message', 'release', 'v1.1');
    await repository.git('branch', 'v2');
    await repository.commit({ 'pom.xml': 'two' });
    assert.equal(await resolveSource(repository.url, { tag: 'v1' }, allowFile), first);
    assert.equal(await resolveSource(repository.url, { tag: 'v1.1' }, allowFile), first);
    await assert.rejects(resolveSource(repository.url, { tag: 'v2' }, allowFile), {
      type: 'Missing',
      message: /there is no tag v2 in file:.*; similar ones are v1/,
    });
    await cloneCommit(
      { repository: repository.url, source: { tag: 'v1.1' }, commit: first },
      join(folder(), 'work'),
      allowFile,
    );
    assert.equal(await readFile(join(folder(), 'work', 'pom.xml'), 'utf8'), 'one');
  });

  it('tells a missing repository from one that cannot be reached', async () => {
    await assert.rejects(resolveSource(`file://${folder()}/nothing`, { branch: 'main' }, allowFile), {
      type: 'Missing',
      message: /there is no repository/,
    });
    await assert.rejects(resolveSource('https://127.0.0.1:9/a.git', { branch: 'main' }), {
      type: 'Unavailable',
    });
  });

  it('checks out exactly the commit, also when the branch has moved on', async () => {
    await repository.commit({ 'pom.xml': 'two' });
    await clone(first);
    assert.equal(await readFile(join(folder(), 'work', 'pom.xml'), 'utf8'), 'one');
    assert.deepEqual((await readdir(join(folder(), 'work', '.git'))).includes('hooks'), false);
  });

  describe('on a machine whose git settings name hooks', () => {
    const home = process.env.HOME;
    afterEach(() => {
      process.env.HOME = home;
    });

    it('runs none of them', async () => {
      const hooks = join(folder(), 'hooks');
      await mkdir(hooks);
      await writeFile(join(hooks, 'post-checkout'), `#!/bin/sh\ntouch ${folder()}/ran\n`);
      await chmod(join(hooks, 'post-checkout'), 0o755);
      await writeFile(join(folder(), '.gitconfig'), `[core]\n  hooksPath = ${hooks}\n`);
      process.env.HOME = folder();
      await clone(first);
      assert.equal((await readdir(folder())).includes('ran'), false);
      await repository.git('checkout', '--quiet', '--detach', first);
      assert.equal((await readdir(folder())).includes('ran'), true, 'the hook would have run');
    });
  });

  it('says that a commit is gone', async () => {
    await assert.rejects(clone('1234567890'.repeat(4)), {
      type: 'Missing',
      message: /commit 1234567890.* is no longer in branch main/,
    });
    await assert.rejects(clone('main'), { type: 'InvalidInput' });
    await assert.rejects(clone('--help'), { type: 'InvalidInput' });
  });
});
