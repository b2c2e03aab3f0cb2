import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../systems/failure.ts';
import { pause } from '../systems/pause.ts';
import { makeStorage } from '../systems/storage/file-storage.ts';
import { READY } from '../worker/ready.ts';
import type { WorkerSettingsInput } from '../worker/settings.ts';
import { startChild } from './child.ts';

export interface WorkerProcess {
  readonly pid: number;
  /** Resolves once it has ended, however that came. */
  readonly ended: Promise<string>;
  /** Ends it at once, as a crash of its host would. */
  kill(): Promise<void>;
  /** Lets its activities come to an end, then ends it. */
  stop(): Promise<void>;
}

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const READY_WITHIN_MS = 60_000;

/**
 * How a worker's native half gets memory (glibc): few arenas, and large blocks always from the system. Otherwise what is
 * freed stays between what remains, up to 300 KiB for each execution that waits. The Dockerfile says the same.
 */
const ALLOCATION = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_MMAP_MAX_: '16384',
  MALLOC_TRIM_THRESHOLD_: '131072',
};

export interface WorkerProcessOptions {
  /** Of its files in `folder`: settings and log. */
  readonly name?: string;
  /** The program that it runs, and arguments after the settings file. */
  readonly program?: readonly [file: string, ...args: string[]];
  /** What starts it, such as `ip netns exec NAME`; nothing when absent. */
  readonly launcher?: readonly string[];
  /** How long it may take to start, in milliseconds. */
  readonly readyWithinMs?: number;
}

/** Starts a worker in a process of its own and waits until it takes tasks. Its storage is made unless it is there. */
export async function startWorker(
  folder: string,
  settings: WorkerSettingsInput,
  {
    name = 'worker',
    program: [program, ...args] = ['src/worker/main.ts'],
    launcher = [],
    readyWithinMs = READY_WITHIN_MS,
  }: WorkerProcessOptions = {},
): Promise<WorkerProcess> {
  const file = join(folder, `${name}.json`);
  const logFile = join(folder, `${name}.log`);
  await makeStorage(settings.storage);
  await writeFile(file, JSON.stringify(settings, null, 2));
  await writeFile(logFile, '');
  const loader = program.endsWith('.ts') ? ['--import', 'tsx'] : [];
  const [command = process.execPath, ...rest] = [
    ...launcher,
    ...[process.execPath, ...loader, program, file, ...args],
  ];
  const child = startChild(command, rest, { logFile, cwd: PROJECT, env: { ...ALLOCATION, ...process.env } });
  const deadline = Date.now() + readyWithinMs;
  for (;;) {
    const log = await readFile(logFile, 'utf8');
    if (log.includes(READY)) break;
    if (child.end() !== undefined || Date.now() > deadline) {
      await child.stop();
      throw new Failure(
        'NotReady',
        `the worker did not start (${child.end() ?? `not within ${readyWithinMs / 1000} s`}); its log is ${logFile}`,
        {
          details: log.trimEnd().split('\n').slice(-10),
        },
      );
    }
    await pause(50);
  }
  return {
    pid: child.pid,
    ended: child.ended,
    async kill() {
      process.kill(-child.pid, 'SIGKILL');
      await child.ended;
    },
    stop: () => child.stop(),
  };
}
