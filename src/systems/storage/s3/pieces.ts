import { randomUUID } from 'node:crypto';
import { MARK } from '../key.ts';
import type { Listed, S3Objects } from './objects.ts';

/**
 * S3 cannot add to an object. What is added to a key is a row of small objects beside it, `<key>.fairway-storage/0000000001`
 * and so on; no key is called so. Each is written under the next number on the condition that nobody else has that one: of
 * several writers none loses anything, and what a reader has seen stays where it was. Servers that keep objects in files take
 * neither two slashes in a name nor an object below another one.
 */
const nameOf = (key: string, number: number) => `${key}${MARK}/${String(number).padStart(10, '0')}`;
/** What comes behind a key, in bytes. */
export const LONGEST_ENDING = nameOf('', 0).length;
const PIECE = /\.fairway-storage\/\d{10}$/;
const numberOf = (name: string) => Number(name.slice(name.lastIndexOf('/') + 1));

/** The key that an object belongs to. */
export const keyOf = (name: string): string => name.replace(PIECE, '');

export const piecesOf = (objects: S3Objects, key: string): Promise<readonly Listed[]> =>
  objects.list(`${key}${MARK}/`);

interface Tail {
  /** The next number, as far as this process knows. */
  next?: number;
  /** What has come while something is being written: it goes into one piece. */
  waiting: string;
  queued?: Promise<void>;
  written: Promise<void>;
}

/** Tails that are remembered; those of other keys are looked up again. */
const MOST_TAILS = 1000;

/** Adds text to keys. */
export function appending(objects: S3Objects): (key: string, text: string) => Promise<void> {
  const tails = new Map<string, Tail>();

  async function write(key: string, tail: Tail): Promise<void> {
    const text = tail.waiting;
    tail.waiting = '';
    tail.queued = undefined;
    const id = randomUUID();
    for (;;) {
      tail.next ??= numberOf((await piecesOf(objects, key)).at(-1)?.name ?? '0') + 1;
      const name = nameOf(key, tail.next);
      // The answer to a first try may have been lost: then it is there, and ours.
      const isOurs =
        (await objects.putIfAbsent(name, text, { id })) || (await objects.head(name))?.metadata.id === id;
      tail.next = isOurs ? tail.next + 1 : undefined;
      if (isOurs) return;
    }
  }

  return (key, text) => {
    const tail = tails.get(key) ?? { waiting: '', written: Promise.resolve() };
    tails.set(key, tail);
    tail.waiting += text;
    tail.queued ??= tail.written = tail.written.catch(() => undefined).then(() => write(key, tail));
    const [oldest] = tails;
    if (tails.size > MOST_TAILS && oldest && !oldest[1].queued) tails.delete(oldest[0]);
    return tail.written;
  };
}
