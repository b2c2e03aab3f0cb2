import { Failure } from '../failure.ts';
import { containerProgram, environmentArgs } from './container-program.ts';
import type { BuildEngine } from './engine.ts';

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

/** Runs each command of a build in a container of its own, which sees the build's folders and nothing else. */
export function containerEngine(settings: ContainerSettings, why?: string): BuildEngine {
  const { program, image, globalArgs, runArgs = [] } = settings;
  const { ask, remove } = containerProgram({ program, globalArgs });
  const nameOf = (id: string) => `fairway-build-${id}`;
  const clear = (id: string) => remove(nameOf(id));

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
        return (await ask(args, { onLine, signal })).code;
      } finally {
        signal?.removeEventListener('abort', stop);
        await variables.remove();
        if (signal?.aborted) await clear(id); // it may have been about to start
      }
    },
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
