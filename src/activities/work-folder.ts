import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Failure } from '../systems/failure.ts';

/**
 * What the processes and containers of `id` are known by on this machine, the same for every attempt: another Fairway
 * here may be at work for an execution of the same number.
 */
export const markOf = (workFolder: string, id: string): string =>
  `${id}-${createHash('sha256').update(resolve(workFolder)).digest('hex').slice(0, 8)}`;

/** Folders that this process works in. */
const inUse = new Set<string>();

/**
 * A folder of its own for one attempt at `id` (letters, numbers and dashes), removed afterwards. What attempts left that
 * died with their worker is removed first; what a living one has, of this process or another one, stays.
 */
export async function withWorkFolder<T>(
  workFolder: string,
  id: string,
  use: (work: string) => Promise<T>,
): Promise<T> {
  if (!/^[A-Za-z0-9-]+$/.test(id))
    throw new Failure('InvalidInput', `${JSON.stringify(id)} is no name of a work folder`);
  const root = resolve(workFolder);
  await mkdir(root, { recursive: true });
  const left = (await readdir(root)).filter((entry) => entry.startsWith(`${id}.`));
  const dead = left.map((entry) => join(root, entry)).filter(isDead);
  await Promise.all(dead.map((folder) => rm(folder, { recursive: true, force: true })));
  const work = join(root, `${id}.${process.pid}.${randomUUID()}`);
  inUse.add(work);
  try {
    await mkdir(work, { mode: 0o700 });
    return await use(work);
  } finally {
    await rm(work, { recursive: true, force: true });
    inUse.delete(work);
  }
}

/** Whether the process that made a work folder is gone. One started anew in a container may have the same id. */
function isDead(folder: string): boolean {
  const pid = Number(folder.split('.').at(-2));
  if (pid === process.pid) return !inUse.has(folder);
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EPERM';
  }
}
