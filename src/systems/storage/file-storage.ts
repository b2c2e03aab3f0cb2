import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { appendFile, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { StoredFile } from '../../model/artifacts.ts';
import { Failure } from '../failure.ts';
import type { Storage } from './storage.ts';

const LONGEST_KEY = 1_000;
/** Uploads on their way; the leading dot keeps it apart from every key. */
const PARTIAL = '.partial';

/** Storage in a folder of this machine, which is made when it is not there. Processes may share the folder. */
export function fileStorage(folder: string): Storage {
  const root = resolve(folder);
  const pathOf = (key: string): string => join(root, ...segments(key));

  return {
    async put(key, content) {
      const path = pathOf(key);
      const partial = join(root, PARTIAL, randomUUID());
      try {
        await mkdir(dirname(partial), { recursive: true });
        const written = await writeSynced(partial, streamOf(content));
        await mkdir(dirname(path), { recursive: true });
        await rename(partial, path);
        await syncFolder(dirname(path));
        return { key, ...written };
      } finally {
        await rm(partial, { force: true });
      }
    },

    async get(key) {
      const path = pathOf(key);
      await present(path, key);
      return createReadStream(path);
    },

    async fetch(file, path, signal) {
      const source = pathOf(file.key);
      await present(source, file.key);
      try {
        const { sha256, size } = await writeSynced(path, createReadStream(source), signal);
        if (sha256 !== file.sha256 || size !== file.size)
          throw new Failure(
            'InvalidArtifact',
            `${file.key} in storage is not the file that was stored (${file.size} bytes, SHA-256 ${file.sha256}; ` +
              `now ${size} bytes, SHA-256 ${sha256}); run the pipeline again`,
          );
      } catch (error) {
        await rm(path, { force: true });
        throw error;
      }
    },

    async append(key, text) {
      const path = pathOf(key);
      await mkdir(dirname(path), { recursive: true });
      await appendFile(path, text);
    },

    async size(key) {
      return (await statOf(pathOf(key)))?.size;
    },

    async list(prefix) {
      const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(unlessAbsent([]));
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
        .filter((key) => key.startsWith(prefix) && !key.startsWith(`${PARTIAL}/`))
        .sort();
    },
  };
}

/** @throws Failure `InvalidInput` for a key that is not a plain relative path */
function segments(key: string): string[] {
  const parts = key.split('/');
  const bad =
    key.length > LONGEST_KEY ||
    // Control characters would break logs and listings; a backslash is a separator elsewhere.
    /[\p{Cc}\\]/u.test(key) ||
    parts.some((part) => !part || part === '.' || part === '..') ||
    parts[0] === PARTIAL;
  if (bad)
    throw new Failure('InvalidInput', `${JSON.stringify(key.slice(0, 200))} is not a valid key in storage`);
  return parts;
}

const streamOf = (content: Readable | string | Uint8Array): Readable =>
  content instanceof Readable ? content : Readable.from([Buffer.from(content)]);

async function writeSynced(
  path: string,
  content: Readable,
  signal?: AbortSignal,
): Promise<Omit<StoredFile, 'key'>> {
  const hash = createHash('sha256');
  let size = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  const file = await open(path, 'w');
  await pipeline(content, measure, file.createWriteStream({ flush: true }), { signal });
  return { sha256: hash.digest('hex'), size };
}

/** A rename survives a power cut only once its folder is on disk. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function statOf(path: string) {
  const found = await stat(path).catch(unlessAbsent(undefined));
  return found?.isFile() ? found : undefined;
}

async function present(path: string, key: string): Promise<void> {
  if (!(await statOf(path)))
    throw new Failure('Missing', `${key} is not in storage; it was removed or never stored`);
}

const unlessAbsent =
  <T>(instead: T) =>
  (error: NodeJS.ErrnoException): T => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return instead;
    throw error;
  };
