import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from '../../../scripts/lock.mjs';
import { Failure } from '../../systems/failure.ts';
import { run } from '../../systems/process.ts';
import { installPackages, isDebianRoot } from './debian.ts';
import type { SetUp } from './tool.ts';

/** Packages of Python that the tests use, and the folder of the cache that holds them. */
export interface PythonPackages {
  readonly what: string;
  /** Another name for another set, or other versions of it. */
  readonly folder: string;
  readonly packages: readonly string[];
}

/**
 * Folder for `PYTHONPATH`, from the cache folder or from the Python registry that pip is configured for.
 * @throws Failure `Missing` with pip's own words
 */
export async function findPythonPackages(wanted: PythonPackages, setUp: SetUp): Promise<string> {
  const folder = join(setUp.cache, 'tools', wanted.folder);
  if (existsSync(folder)) return folder;
  return withLock(
    join(setUp.cache, 'locks', wanted.folder),
    async () => {
      if (!existsSync(folder)) await download(folder, wanted, setUp);
      return folder;
    },
    () => setUp.report(`${wanted.what}: waiting for another process that downloads them`),
  );
}

async function download(target: string, { what, packages }: PythonPackages, setUp: SetUp): Promise<void> {
  const { env, signal, report } = setUp;
  report(`${what}: downloading ${packages.join(', ')} with pip`);
  const pip = (...args: string[]) => run('python3', ['-m', 'pip', ...args], { env, signal });
  if ((await pip('--version')).code !== 0 && (await isDebianRoot()))
    await installPackages(['python3-pip'], setUp);
  const folder = join(setUp.cache, 'tools', `.${randomUUID()}`);
  await mkdir(folder, { recursive: true });
  try {
    const { code, stderr } = await pip('install', '--quiet', '--target', folder, ...packages);
    if (code !== 0)
      throw new Failure('Missing', `pip cannot install ${packages.join(' ')}`, {
        details: stderr.trim().split('\n').slice(-10),
      });
    await rename(folder, target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
