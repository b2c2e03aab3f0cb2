import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { appendFile, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Failure } from '../failure.ts';
import { pause } from '../pause.ts';
import { copyChecked, streamOf, writeSynced } from './copy.ts';
import { MARK, namesOf } from './key.ts';
import type { Storage } from './storage.ts';

/** An upload that nobody has written to for so long has lost its writer. */
const ABANDONED_MS = 24 * 3_600_000;
const LOOK_MS = 250;

export interface FileStorageOptions {
  /** How long a folder that has gone away is waited for, in milliseconds, before everything fails; 0 unless said otherwise. */
  readonly patienceMs?: number;
  /** Never to be made: it is one that somebody has made already. */
  readonly existing?: boolean;
  /** Ends the waiting of whoever calls, with the signal's reason. */
  readonly interruption?: () => AbortSignal | undefined;
}

/** Makes a new storage of a folder, or leaves the one that is there as it is. */
export async function makeStorage(folder: string): Promise<void> {
  await mkdir(join(resolve(folder), MARK), { recursive: true });
}

/** @throws Failure `Unavailable` for a folder that nobody has made a storage of: it may be that of a mount that is away. */
export async function requireStorage(folder: string): Promise<void> {
  const root = resolve(folder);
  if (!(await stat(join(root, MARK)).catch(unlessAbsent(undefined)))) throw noStorage(root);
}

const noStorage = (root: string) =>
  new Failure(
    'Unavailable',
    `${root} is no storage: ${join(root, MARK)} is not there. Mount it; if it is to be a new one: mkdir -p ${join(root, MARK)}`,
  );

/**
 * Storage in a folder of this machine, which is made by the first write unless it must exist. Processes may share the folder. When it goes
 * away later it is not made again: everything waits, then fails as `Unavailable` until it is back.
 */
export function fileStorage(
  folder: string,
  { patienceMs = 0, existing = false, interruption }: FileStorageOptions = {},
): Storage {
  const root = resolve(folder);
  const mark = join(root, MARK);
  const pathOf = (key: string): string => join(root, ...namesOf(key));
  let made = false;
  let outage: { readonly since: number; seen: number } | undefined;
  const toWrite = async () => {
    if (made) return present();
    await (existing ? present(mark) : makeStorage(root));
    made = true;
    await removeAbandoned(mark);
  };
  // What only reads may be given a copy that has never been written to.
  const present = async (place = made ? mark : root) => {
    while (!(await stat(place).catch(unlessAbsent(undefined)))) {
      const at = Date.now();
      // One that nobody has looked at for long may have been two.
      if (!outage || at > outage.seen + Math.max(patienceMs, LOOK_MS)) outage = { since: at, seen: at };
      outage.seen = at;
      if (at >= outage.since + patienceMs)
        throw made || place === root
          ? new Failure('Unavailable', `the storage folder ${root} is not there: bring it back`)
          : noStorage(root);
      await pause(LOOK_MS, interruption?.());
    }
    outage = undefined;
  };
  const file = async (key: string) => {
    const path = pathOf(key);
    if (made) await present();
    if (await statOf(path)) return path;
    throw new Failure('Missing', `${key} is not in storage; it was removed or never stored`);
  };

  return {
    async put(key, content) {
      const path = pathOf(key);
      await toWrite();
      const partial = join(mark, randomUUID());
      try {
        const written = await writeSynced(partial, streamOf(content));
        await mkdir(dirname(path), { recursive: true });
        await rename(partial, path);
        await syncFolder(dirname(path));
        return { key, ...written };
      } catch (error) {
        throw explained(error, root);
      } finally {
        await rm(partial, { force: true });
      }
    },

    async get(key, from = 0) {
      return createReadStream(await file(key), { start: from });
    },

    async fetch(stored, path, signal) {
      const source = pathOf(stored.key);
      await present(); // what was stored was stored in a folder, whoever made it
      await file(stored.key);
      await copyChecked(stored, createReadStream(source), path, signal);
    },

    async append(key, text) {
      const path = pathOf(key);
      await toWrite();
      try {
        await mkdir(dirname(path), { recursive: true });
        await appendFile(path, text);
      } catch (error) {
        throw explained(error, root);
      }
    },

    async size(key) {
      const path = pathOf(key);
      if (made) await present();
      return (await statOf(path))?.size;
    },

    async list(prefix) {
      // Only what lies in the prefix's own folder can begin with it.
      const within = prefix.includes('/') ? pathOf(prefix.slice(0, prefix.lastIndexOf('/'))) : root;
      if (made) await present();
      const entries = await readdir(within, { recursive: true, withFileTypes: true }).catch(unlessAbsent([]));
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
        .filter((key) => key.startsWith(prefix) && !key.startsWith(`${MARK}/`))
        .sort();
    },

    async folders(prefix) {
      const within = pathOf(prefix.replace(/\/$/, ''));
      if (made) await present();
      const entries = await readdir(within, { withFileTypes: true }).catch(unlessAbsent([]));
      return entries
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
        .sort();
    },
  };
}

/** A full disk is made room on by somebody, and is as good as away until then. */
function explained(error: unknown, root: string): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (!['ENOSPC', 'EDQUOT'].includes(code)) return error;
  return new Failure(
    'Unavailable',
    `the storage folder ${root} is full (${code}): make room, or give it a larger disk`,
    {
      cause: error,
    },
  );
}

async function removeAbandoned(partials: string): Promise<void> {
  for (const name of await readdir(partials)) {
    const path = join(partials, name);
    const found = await stat(path).catch(unlessAbsent(undefined));
    if (found && found.mtimeMs < Date.now() - ABANDONED_MS) await rm(path, { force: true });
  }
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

const unlessAbsent =
  <T>(instead: T) =>
  (error: NodeJS.ErrnoException): T => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return instead;
    throw error;
  };
