import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from '../../../scripts/lock.mjs';
import { Failure } from '../../systems/failure.ts';
import { run } from '../../systems/process.ts';
import type { SetUp } from './tool.ts';

export const DEPENDENCY_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin';

export interface Download {
  /** For people. */
  readonly name: string;
  /** Of its folder in the cache: name and version. */
  readonly folder: string;
  /** Fills the folder that it is given, in which the programs run. */
  readonly fill: (
    tools: {
      mvn: (...args: string[]) => Promise<void>;
      perform: (program: string, ...args: string[]) => Promise<void>;
    },
    folder: string,
  ) => Promise<void>;
}

/**
 * A folder of the cache with what Maven's registry has; the first who needs it fills it.
 * @throws Failure `Missing` with Maven's own words
 */
export async function fromMaven(
  maven: string,
  { name, folder, fill }: Download,
  setUp: SetUp,
): Promise<string> {
  const target = join(setUp.cache, 'tools', folder);
  const download = async () => {
    setUp.report(`${name}: downloading ${folder} with Maven`);
    const filling = join(setUp.cache, 'tools', `.${randomUUID()}`);
    const perform = async (program: string, ...args: string[]) => {
      const options = { cwd: filling, env: setUp.env, signal: setUp.signal };
      const { code, stdout, stderr } = await run(program, args, options);
      if (code === 0) return;
      throw new Failure('Missing', `${name} cannot be downloaded: ${program} failed`, {
        details: `${stdout}${stderr}`.trimEnd().split('\n').slice(-10),
      });
    };
    await mkdir(filling, { recursive: true });
    try {
      await fill({ mvn: (...args) => perform(maven, '--batch-mode', '--quiet', ...args), perform }, filling);
      await rename(filling, target);
    } finally {
      await rm(filling, { recursive: true, force: true });
    }
  };
  if (!existsSync(target))
    await withLock(
      join(setUp.cache, 'locks', folder),
      async () => {
        if (!existsSync(target)) await download();
      },
      () => setUp.report(`${name}: waiting for another process that downloads it`),
    );
  setUp.report(`${name}: ${target} (from the cache folder)`);
  return target;
}
