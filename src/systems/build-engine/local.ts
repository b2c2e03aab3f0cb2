import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { cleanEnvironment } from '../clean-environment.ts';
import { run } from '../process.ts';
import type { BuildEngine } from './engine.ts';

/** Marks every process of a build: children inherit it, even those that leave the process group. */
const MARK = 'FAIRWAY_BUILD';
const GONE_WITHIN_MS = 10_000;

/** Runs builds as processes of this machine, with the rights of this process. */
export const localEngine = (why?: string): BuildEngine => ({
  name: 'local process',
  why,
  async run([program = '', ...args], { id, folder, env, onLine, signal }) {
    try {
      const { code } = await run(program, args, {
        cwd: folder,
        env: { ...cleanEnvironment(process.env), ...env, [MARK]: id },
        onLine,
        signal,
      });
      return code;
    } finally {
      await killMarked(id);
    }
  },
  clear: killMarked,
});

/** Ends every process of a build and waits until they are gone; where there is no `/proc` the group's end must do. */
async function killMarked(id: string): Promise<void> {
  const deadline = Date.now() + GONE_WITHIN_MS;
  for (;;) {
    const pids = await marked(id);
    if (pids.length === 0 || Date.now() > deadline) return;
    for (const pid of pids)
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    await pause(20);
  }
}

async function marked(id: string): Promise<number[]> {
  const entries = await readdir('/proc').catch(() => []);
  const pids = entries.filter((entry) => /^\d+$/.test(entry)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      // Unreadable: a process of another user, or one that has just ended. An ended one has no environment.
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      return environment.split('\0').includes(`${MARK}=${id}`) && pid !== process.pid ? [pid] : [];
    }),
  );
  return found.flat();
}
