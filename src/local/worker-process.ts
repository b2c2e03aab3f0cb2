import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../systems/failure.ts';
import { pause } from '../systems/pause.ts';
import type { WorkerSettingsInput } from '../worker/settings.ts';
import { startChild } from './child.ts';

export interface WorkerProcess {
  readonly pid: number;
  /** Ends it at once, as a crash of its host would. */
  kill(): Promise<void>;
  /** Lets its activities come to an end, then ends it. */
  stop(): Promise<void>;
}

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const READY = 'fairway worker: ready';
const READY_WITHIN_MS = 60_000;

/** Starts a worker in a process of its own and waits until it takes tasks. */
export async function startWorker(folder: string, settings: WorkerSettingsInput): Promise<WorkerProcess> {
  const file = join(folder, 'worker.json');
  const logFile = join(folder, 'worker.log');
  await writeFile(file, JSON.stringify(settings, null, 2));
  await writeFile(logFile, '');
  const child = startChild(process.execPath, ['--import', 'tsx', 'src/worker/main.ts', file], {
    logFile,
    cwd: PROJECT,
  });
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const log = await readFile(logFile, 'utf8');
    if (log.includes(READY)) break;
    if (child.end() !== undefined || Date.now() > deadline) {
      await child.stop();
      throw new Failure('NotReady', `the worker did not start (${child.end()}); its log is ${logFile}`, {
        details: log.trimEnd().split('\n').slice(-10),
      });
    }
    await pause(50);
  }
  return {
    pid: child.pid,
    async kill() {
      process.kill(-child.pid, 'SIGKILL');
      await child.ended;
    },
    stop: () => child.stop(),
  };
}
