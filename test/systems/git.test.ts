import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cloneCommit, resolveBranch } from '../../src/systems/git.ts';
import { isBranchName } from '../../src/systems/git-names.ts';
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
    cloneCommit({ repository: repository.url, branch, commit }, join(folder(), 'work'), allowFile);

  for (const branch of [
    '--upload-pack=touch /tmp/x',
    '-b',
    '',
    'a b',
    'a..b',
    'a\nb',
    'a\0b',
    'a~1',
    'a^',
    'a:b',
    'a*',
    'a?',
    'a[b',
    'a\\b',
    '/a',
    'a/',
    'a//b',
    'a.',
    '.a',
    'a/.b',
    'a.lock',
    'a.lock/b',
    '@',
    'a@{1}',
    'x'.repeat(256),
  ])
    it(`refuses the branch ${JSON.stringify(branch.slice(0, 30))}`, async () => {
      await assert.rejects(resolveBranch(repository.url, branch, allowFile), { type: 'InvalidInput' });
      await assert.rejects(clone(first, branch), { type: 'InvalidInput' });
    });

  it('takes the names that git takes', () => {
    for (const branch of ['main', 'release/2024.1', 'feature/ABC-1_x', 'a@b', 'ünï', "quote's", '$(x)', '@x'])
      assert.ok(isBranchName(branch), branch);
  });

  for (const url of [
    'ext::sh -c "touch /tmp/x"',
    '--upload-pack=x',
    'http://example.com/a.git',
    'git://example.com/a.git',
    'file:///srv/a.git',
    '/srv/a.git',
    '../a.git',
    'a.git',
    'ssh://-oProxyCommand=x/a.git',
    'user@-oProxyCommand=x:a.git',
    'https://user:secret@example.com/a.git',
    'https://token@example.com/a.git',
    'https://example.com/a\nb',
    'https://exa mple.com/a',
    'fd::3',
    '',
  ])
    it(`refuses the repository ${JSON.stringify(url)} and shows no password`, async () => {
      await assert.rejects(resolveBranch(url, 'main'), (error: Error & { type: string }) => {
        assert.equal(error.type, 'InvalidInput');
        assert.doesNotMatch(error.message, /secret/);
        return true;
      });
    });

  it('finds the commit of a branch', async () => {
    await repository.git('branch', 'release/1');
    const second = await repository.commit({ 'pom.xml': 'two' });
    assert.equal(await resolveBranch(repository.url, 'main', allowFile), second);
    assert.equal(await resolveBranch(repository.url, 'release/1', allowFile), first);
  });

  it('names a missing branch and those that are probably meant; a tag is no branch', async () => {
    for (const branch of ['release/1', 'develop']) await repository.git('branch', branch);
    await repository.git('tag', 'v1');
    await assert.rejects(resolveBranch(repository.url, 'relase/1', allowFile), {
      type: 'Missing',
      message: /there is no branch relase\/1 in file:.*; similar ones are release\/1$/,
    });
    await assert.rejects(resolveBranch(repository.url, 'v1', allowFile), { type: 'Missing' });
  });

  it('tells a missing repository from one that cannot be reached', async () => {
    await assert.rejects(resolveBranch(`file://${folder()}/nothing`, 'main', allowFile), {
      type: 'Missing',
      message: /there is no repository/,
    });
    await assert.rejects(resolveBranch('https://127.0.0.1:9/a.git', 'main'), { type: 'Unavailable' });
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
