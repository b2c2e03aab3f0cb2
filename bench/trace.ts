import { readFile } from 'node:fs/promises';

/** One execution of an activity, milliseconds since 1970. */
export interface Traced {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

export async function readTrace(file: string): Promise<Traced[]> {
  const text = (await readFile(file, 'utf8')).trimEnd();
  return text.split('\n').map((line) => JSON.parse(line) as Traced);
}

/** An activity that starts so soon before another one's end, by the clock of the worker, has waited for it all the same. */
const TOLERANCE_MS = 1;

/** From the last activity back: each one's predecessor is the one whose end it waited for, the last before its start. */
export function criticalPath(all: readonly Traced[]): Traced[] {
  const path: Traced[] = [];
  let left = [...all];
  for (;;) {
    const last = left.reduce<Traced | undefined>((a, b) => (a && a.end >= b.end ? a : b), undefined);
    if (!last) return path.reverse();
    path.push(last);
    left = left.filter((one) => one !== last && one.end <= last.start + TOLERANCE_MS);
  }
}
