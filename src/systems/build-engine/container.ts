import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanEnvironment } from '../clean-environment.ts';
import { Failure } from '../failure.ts';
import { run } from '../process.ts';
import type { BuildEngine, BuildRun } from './engine.ts';

export interface ContainerSettings {
  /** Path or name of podman or docker. */
  readonly program: string;
  /** Image that holds Maven and a JDK. */
  readonly image: string;
  /** Arguments before `run`: `--storage-driver`, ... */
  readonly globalArgs?: readonly string[];
  /** Arguments of `run`: `--network`, `--ulimit`, ... */
  readonly runArgs?: readonly string[];
}

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

/** Runs each command of a build in a container of its own, which sees the build's folders and nothing else. */
export function containerEngine(settings: ContainerSettings, why?: string): BuildEngine {
  const { program, image, globalArgs = [], runArgs = [] } = settings;
  const engine = (
    args: readonly string[],
    options: Pick<BuildRun, 'signal'> & Partial<Pick<BuildRun, 'onLine'>>,
  ) =>
    run(program, [...globalArgs, ...args], { ...options, env: cleanEnvironment(process.env, USER_SETTINGS) });
  const nameOf = (id: string) => `fairway-build-${id}`;

  /** Removing a container that is not there is no error. */
  const clear = async (id: string) => {
    await engine(['kill', nameOf(id)], {});
    await engine(['rm', '--force', nameOf(id)], {});
  };

  return {
    name: `container (${program.split('/').at(-1)}, ${image})`,
    why,
    clear,
    async run(command, { id, folder, writable, readable, env, onLine, signal }) {
      await clear(id);
      const variables = await environmentArgs(env);
      const args = [
        ...['run', '--rm', '--name', nameOf(id), '--workdir', folder],
        ...['--cap-drop=all', '--security-opt=no-new-privileges', ...sameUser(program)],
        ...[folder, ...writable].flatMap((path) => ['--volume', mount(path)]),
        ...readable.flatMap((path) => ['--volume', `${mount(path)}:ro`]),
        ...variables.args,
        ...[...runArgs, image, ...command],
      ];
      const stop = () => void clear(id).catch(() => undefined); // ending the client does not end the container
      signal?.addEventListener('abort', stop, { once: true });
      try {
        return (await engine(args, { onLine, signal })).code;
      } finally {
        signal?.removeEventListener('abort', stop);
        await variables.remove();
        if (signal?.aborted) await clear(id); // it may have been about to start
      }
    },
  };
}

/** Through a file: the arguments of a process can be read by everybody on its machine. */
async function environmentArgs(env: BuildRun['env']) {
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

function mount(path: string): string {
  if (/[:,]/.test(path))
    throw new Failure(
      'InvalidInput',
      `${path} cannot be mounted into a container: it holds a colon or a comma`,
    );
  return `${path}:${path}`;
}

/** Docker's daemon would leave files of root in the work folder; podman maps the user itself. */
const sameUser = (program: string): string[] => {
  const [uid, gid] = [process.getuid?.(), process.getgid?.()];
  return program.endsWith('docker') && uid ? ['--user', `${uid}:${gid}`] : [];
};
