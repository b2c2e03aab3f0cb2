import { join } from 'node:path';
import { cacheFolder, prepare } from '../../src/local/setup/prepare.ts';
import type { EngineSettings } from '../../src/systems/build-engine/choose.ts';

/** Where containers run: podman in its least demanding mode, with its arguments before a command and behind `run`. */
export interface Podman {
  readonly program: string;
  readonly globalArgs: readonly string[];
  readonly runArgs: readonly string[];
}

/**
 * It keeps its state in the cache folder, apart from what the machine's user has; podman still writes there after a
 * container has ended, so that a folder of the test would come back after its removal.
 */
export async function podmanCommand(): Promise<Podman> {
  const folder = join(cacheFolder(), 'podman');
  const { podman: program, runc } = await prepare(['podman', 'runc'], () => undefined);
  return {
    program,
    globalArgs: [
      ...['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--tmpdir', join(folder, 'tmp')],
      ...['--runtime', runc, '--cgroup-manager=cgroupfs', '--storage-driver', 'vfs'],
    ],
    runArgs: ['--network=host', '--ulimit=nofile=1024:1024', '--ulimit=nproc=1024:1024'],
  };
}

/** With this machine's own tools in the container instead of an image. */
export async function podman(): Promise<EngineSettings> {
  const { program, globalArgs, runArgs } = await podmanCommand();
  return {
    engine: 'container',
    programs: [program],
    image: '/:O',
    globalArgs,
    runArgs: [...runArgs, '--rootfs'],
  };
}
