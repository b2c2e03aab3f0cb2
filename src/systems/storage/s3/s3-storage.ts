import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { Failure } from '../../failure.ts';
import { copyChecked, measuring, streamOf } from '../copy.ts';
import { MARK, namesOf } from '../key.ts';
import type { Storage } from '../storage.ts';
import { failureOf } from './failures.ts';
import { s3Objects, type Listed, type S3Objects, type S3Options } from './objects.ts';
import { appending, keyOf, LONGEST_ENDING, piecesOf } from './pieces.ts';
import type { S3Place } from './place.ts';

/** S3's limit for names of objects, in bytes. */
const LONGEST_NAME = 1024;
/** An upload that began so long ago has lost its writer. */
const ABANDONED_MS = 24 * 3_600_000;
const READ_AT_ONCE = 16;

/** Storage in a bucket of S3, or of a server that speaks its protocol and keeps to the condition `If-None-Match`. */
export function s3Storage(place: S3Place, options: S3Options = {}): Storage {
  const objects = s3Objects(place, options);
  const append = appending(objects);
  let tidied: Promise<void> | undefined;
  const toWrite = () => (tidied ??= objects.abortUploads(Date.now() - ABANDONED_MS).catch(() => undefined));
  const nameOf = (key: string): string => {
    namesOf(key);
    if (Buffer.byteLength(place.prefix + key) + LONGEST_ENDING > LONGEST_NAME)
      throw new Failure('InvalidInput', `${JSON.stringify(key.slice(0, 200))} is too long a key for S3`);
    return key;
  };
  /** What a key consists of: the object of its name and what was added, each where there is any. */
  const contentOf = async (key: string): Promise<readonly Listed[]> => {
    const [whole, pieces] = await Promise.all([objects.head(key), piecesOf(objects, key)]);
    return [...(whole ? [{ name: key, size: whole.size }] : []), ...pieces];
  };
  const missing = (key: string) =>
    new Failure('Missing', `${key} is not in storage; it was removed or never stored`);

  return {
    async put(key, content) {
      const name = nameOf(key);
      await toWrite();
      const { through, measure } = measuring();
      // Whoever fails ends the other: a source that breaks off must not look like one that has come to its end.
      const feeding = pipeline(streamOf(content), through);
      const [fed, uploaded] = await Promise.allSettled([feeding, objects.upload(name, through)]);
      const ended = (fed as { reason?: { code?: string } }).reason?.code === 'ERR_STREAM_PREMATURE_CLOSE';
      if (fed.status === 'rejected' && !ended) throw fed.reason;
      if (uploaded.status === 'rejected') throw uploaded.reason;
      const replaced = await piecesOf(objects, key);
      if (replaced.length > 0) await objects.remove(replaced.map((piece) => piece.name));
      return { key, ...measure() };
    },

    async get(key, from = 0) {
      const content = await contentOf(nameOf(key));
      if (content.length === 0) throw missing(key);
      return Readable.from(bytesOf(objects, content, from), { objectMode: false });
    },

    async fetch(stored, path, signal) {
      const name = nameOf(stored.key);
      signal?.throwIfAborted();
      const content = await objects.get(name);
      if (!content) throw missing(stored.key);
      try {
        await copyChecked(stored, content, path, signal);
      } catch (error) {
        signal?.throwIfAborted();
        throw brokenOff(error, objects.where);
      }
    },

    async append(key, text) {
      const name = nameOf(key);
      await toWrite();
      await append(name, text);
    },

    async size(key) {
      const content = await contentOf(nameOf(key));
      return content.length === 0 ? undefined : content.reduce((all, { size }) => all + size, 0);
    },

    async list(prefix) {
      const keys = (await objects.list(prefix)).map(({ name }) => keyOf(name));
      return [...new Set(keys)].filter((key) => !key.startsWith(`${MARK}/`)).sort();
    },

    async folders(prefix) {
      namesOf(prefix.replace(/\/$/, ''));
      return (await objects.folders(prefix)).filter((name) => !name.endsWith(MARK)).sort();
    },
  };
}

/**
 * Whether a place can be used: the bucket is there, the credentials are good, and the server keeps to conditions.
 * @throws Failure that says what is wrong
 */
export async function requireS3(place: S3Place): Promise<void> {
  const objects = s3Objects(place, {});
  const mark = `${MARK}/${randomUUID()}`;
  try {
    await objects.putIfAbsent(mark, '');
    if (await objects.putIfAbsent(mark, ''))
      throw new Failure(
        'Rejected',
        `the storage ${objects.where} does not keep to If-None-Match: writers of one log would overwrite each other. Use a server that does`,
      );
  } finally {
    await objects.remove([mark]).catch(() => undefined);
  }
}

/** From byte `from` on; small objects are read several at a time. */
async function* bytesOf(
  objects: S3Objects,
  content: readonly Listed[],
  from: number,
): AsyncGenerator<Buffer> {
  let skipped = 0;
  const wanted = content.flatMap(({ name, size }) => {
    const start = Math.max(0, from - skipped);
    skipped += size;
    return start < size ? [{ name, start }] : [];
  });
  try {
    for (let index = 0; index < wanted.length; index += READ_AT_ONCE) {
      const streams = await Promise.all(
        wanted.slice(index, index + READ_AT_ONCE).map(async ({ name, start }) => {
          const isPiece = keyOf(name) !== name;
          const stream = await objects.get(name, start);
          if (!stream) throw new Failure('Missing', `${name} is not in storage any more`);
          return isPiece ? [await buffer(stream)] : stream;
        }),
      );
      for (const stream of streams) yield* stream as AsyncIterable<Buffer>;
    }
  } catch (error) {
    throw brokenOff(error, objects.where);
  }
}

/** A connection that breaks off while content comes; what happens on this machine's disk is told as it is. */
function brokenOff(error: unknown, where: string): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const isNetwork = /^(ECONN|EPIPE|ETIMEDOUT|UND_|ERR_STREAM_PREMATURE_CLOSE)/.test(code);
  return isNetwork || (error as Error).name === 'TimeoutError' || /aborted/.test((error as Error).message)
    ? failureOf(error, where)
    : error;
}
