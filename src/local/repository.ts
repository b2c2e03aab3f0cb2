import { cp, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Failure } from '../systems/failure.ts';
import { run } from '../systems/process.ts';

/** A git repository on this machine with the example site in it. */
export interface LocalRepository {
  readonly url: string;
  readonly branch: string;
  /** Changes a file of the site and commits that. */
  change(path: string, edit: (text: string) => string): Promise<void>;
}

const SITE = fileURLToPath(new URL('../../examples/site', import.meta.url));
const IDENTITY = [
  '-c',
  'user.name=Fairway',
  '-c',
  'user.email=fairway@example.com',
  '-c',
  'commit.gpgsign=false',
];

/** Makes a repository from `examples/site` in `folder`. */
export async function createRepository(folder: string, branch = 'main'): Promise<LocalRepository> {
  await cp(SITE, folder, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => basename(path) !== 'target',
  });
  const git = async (...args: string[]) => {
    const { code, stderr } = await run('git', [...IDENTITY, ...args], { cwd: folder });
    if (code !== 0) throw new Failure('Rejected', `git ${args[0]} failed in ${folder}: ${stderr.trim()}`);
  };
  const commit = async (message: string) => {
    await git('add', '--all');
    await git('commit', '--quiet', '--no-verify', '-m', message);
  };
  await git('init', '--quiet', `--initial-branch=${branch}`);
  await commit('The site');
  return {
    url: pathToFileURL(folder).href,
    branch,
    async change(path, edit) {
      const file = join(folder, path);
      await writeFile(file, edit(await readFile(file, 'utf8')));
      await commit(`Change ${path}`);
    },
  };
}
