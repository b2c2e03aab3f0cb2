import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanEnvironment } from '../clean-environment.ts';
import { run, type RunOptions } from '../process.ts';

/** Of the user's own settings, where container engines find their sockets, images and registries' credentials. */
export const USER_SETTINGS = [
  'HOME',
  'USER',
  'XDG_RUNTIME_DIR',
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
  'DOCKER_HOST',
  'DOCKER_CONFIG',
  'CONTAINER_HOST',
];

/** Podman or docker, as a command. */
export function containerProgram(settings: {
  /** Path or name. */
  readonly program: string;
  /** Arguments before each command: `--storage-driver`, ... */
  readonly globalArgs?: readonly string[];
}) {
  const { program, globalArgs = [] } = settings;
  const env = cleanEnvironment(process.env, USER_SETTINGS);
  const ask = (args: readonly string[], options: Pick<RunOptions, 'cwd' | 'onLine' | 'signal'> = {}) =>
    run(program, [...globalArgs, ...args], { ...options, env });
  return {
    ask,
    /** Ends and removes a container; one that is not there is no error. */
    remove: async (name: string): Promise<void> => {
      await ask(['kill', name]);
      await ask(['rm', '--force', name]);
    },
  };
}

/**
 * Variables for a container, as arguments of `run` or `create`. They go through a file, to be removed when the container
 * is there: the arguments of a process can be read by everybody on its machine.
 */
export async function environmentArgs(env: Readonly<Record<string, string>>) {
  const ofOneLine = ([, value]: [string, string]) => !/[\r\n]/.test(value);
  const all = Object.entries(env);
  const folder = await mkdtemp(join(tmpdir(), 'fairway-build-'));
  const file = join(folder, 'environment');
  const lines = all.filter(ofOneLine).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(file, lines.join(''), { mode: 0o600 });
  const others = all.filter((entry) => !ofOneLine(entry));
  return {
    args: ['--env-file', file, ...others.flatMap(([name, value]) => ['--env', `${name}=${value}`])],
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
