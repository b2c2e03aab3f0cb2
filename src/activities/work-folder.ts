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

/**
 * A folder of its own for one attempt at `id` (numbers and dashes), removed afterwards. What attempts left that died
 * with their worker is removed first.
 */
export async function withWorkFolder<T>(
  workFolder: string,
  id: string,
  use: (work: string) => Promise<T>,
): Promise<T> {
  if (!/^[0-9-]+$/.test(id))
    throw new Failure('InvalidInput', `${JSON.stringify(id)} is no id of an execution`);
  const root = resolve(workFolder);
  await mkdir(root, { recursive: true });
  const left = (await readdir(root)).filter((entry) => entry.startsWith(`${id}.`));
  await Promise.all(left.map((entry) => rm(join(root, entry), { recursive: true, force: true })));
  const work = join(root, `${id}.${randomUUID()}`);
  await mkdir(work);
  try {
    return await use(work);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
