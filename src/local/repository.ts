import { cp, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Flavour } from '../model/schema/definition.ts';
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

/** What a dispatcher configuration of the Cloud Service flavour leaves to the defaults. */
const notInCloud = ['dispatcher/src/conf', 'dispatcher/src/conf.modules.d'].map((path) => join(SITE, path));

/**
 * A repository in `folder`: as it is there already, or made from `examples/site`; in the Cloud Service flavour with
 * `conf.d` and `conf.dispatcher.d` only.
 */
export async function createRepository(
  folder: string,
  flavour: Flavour = 'aem_managed_services',
): Promise<LocalRepository> {
  const branch = 'main';
  const isPart = (path: string) =>
    basename(path) !== 'target' && !(flavour === 'aem_cloud_service' && notInCloud.includes(path));
  const git = async (...args: string[]) => {
    const { code, stderr } = await run('git', [...IDENTITY, ...args], { cwd: folder });
    if (code !== 0) throw new Failure('Rejected', `git ${args[0]} failed in ${folder}: ${stderr.trim()}`);
  };
  const commit = async (message: string) => {
    await git('add', '--all');
    await git('commit', '--quiet', '--no-verify', '-m', message);
  };
  // A folder above may be in a repository of its own: only this one counts.
  const there = await run('git', [
    '--git-dir',
    join(folder, '.git'),
    'rev-parse',
    '--verify',
    '--quiet',
    'HEAD',
  ]);
  if (there.code !== 0) {
    await cp(SITE, folder, {
      recursive: true,
      verbatimSymlinks: true,
      filter: isPart,
    });
    await git('init', '--quiet', `--initial-branch=${branch}`);
    await commit('The site');
  }
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
