import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export interface TestRepository {
  /** `file:///...` */
  readonly url: string;
  git(...args: string[]): Promise<string>;
  /** Writes files, commits everything in the folder and gives the commit's hash. */
  commit(files: Readonly<Record<string, string>>): Promise<string>;
}

/** A git repository in a folder, which may already hold files; its branch is `main`. */
export async function gitRepository(folder: string): Promise<TestRepository> {
  await mkdir(folder, { recursive: true });
  const identity = [
    '-c',
    'user.name=Test',
    '-c',
    'user.email=test@example.com',
    '-c',
    'commit.gpgsign=false',
  ];
  const git = async (...args: string[]) =>
    (await execute('git', ['-C', folder, ...identity, ...args])).stdout.trim();
  await git('init', '--quiet', '--initial-branch=main');
  return {
    url: pathToFileURL(folder).href,
    git,
    async commit(files) {
      for (const [path, content] of Object.entries(files)) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), content);
      }
      await git('add', '--all');
      await git('commit', '--quiet', '--allow-empty', '-m', 'change');
      return git('rev-parse', 'HEAD');
    },
  };
}
