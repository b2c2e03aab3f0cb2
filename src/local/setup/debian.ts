import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from '../../../scripts/lock.mjs';
import { Failure } from '../../systems/failure.ts';
import { run } from '../../systems/process.ts';
import { onPath } from './on-path.ts';
import type { SetUp } from './tool.ts';

const POLICY = '/usr/sbin/policy-rc.d';

/** Whether this process may install Debian packages. */
export async function isDebianRoot(): Promise<boolean> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return (
    /^ID(_LIKE)?=.*\bdebian\b/m.test(release) && process.getuid?.() === 0 && onPath('apt-get') !== undefined
  );
}

/**
 * Installs Debian packages without starting the services they bring: the local platform runs its own.
 * Package lists are updated only when the installation needs it.
 * @throws Failure `Missing` with the package manager's own words
 */
export async function installPackages(packages: readonly string[], setUp: SetUp): Promise<void> {
  await withLock(
    join(setUp.cache, 'locks', 'apt'),
    async () => {
      setUp.report(`installing Debian packages: ${packages.join(' ')}`);
      let refusal = await install(packages, setUp);
      if (refusal) {
        setUp.report('updating the Debian package lists');
        await apt(['update'], setUp.env, setUp.signal);
        refusal = await install(packages, setUp);
      }
      if (refusal)
        throw new Failure('Missing', `apt-get cannot install ${packages.join(' ')}`, { details: refusal });
    },
    () => setUp.report('waiting for another process that installs Debian packages'),
  );
}

/** What apt-get said, when it failed. */
async function install(packages: readonly string[], { env, signal }: SetUp): Promise<string[] | undefined> {
  const args = ['install', '--no-install-recommends', ...packages];
  const refusal = await apt(['--download-only', ...args], env, signal);
  if (refusal) return refusal;
  return withoutServices(() => apt(args, env)); // half-unpacked packages would be worse than a late answer to Ctrl-C
}

async function apt(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<string[] | undefined> {
  const { code, stdout, stderr } = await run(
    'apt-get',
    ['-qq', '-y', '-o', 'DPkg::Lock::Timeout=300', ...args],
    { env: { ...env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'l' }, signal },
  );
  return code === 0 ? undefined : `${stdout}${stderr}`.trim().split('\n').slice(-10);
}

/**
 * Packages ask `policy-rc.d` before they start a service. Where there is none, ours forbids it for as long as this
 * process lives, so that one left behind by a killed set-up has no effect.
 */
async function withoutServices<T>(work: () => Promise<T>): Promise<T> {
  const policy =
    '#!/bin/sh\n' +
    '# Written by Fairway while it installs packages; without effect afterwards, and may be deleted.\n' +
    `[ ! -d /proc/${process.pid} ] || exit 101\n`;
  const ours = await writeFile(POLICY, policy, { flag: 'wx', mode: 0o755 }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );
  try {
    return await work();
  } finally {
    if (ours) await rm(POLICY, { force: true });
  }
}
