import { constants } from 'node:fs';
import {
  chmod,
  copyFile,
  lchown,
  link,
  lutimes,
  mkdir,
  open,
  rename,
  rmdir,
  symlink,
  unlink,
  utimes,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Failure, messageOf } from '../failure.ts';
import { digest, listTree, type PathTest, type Tree, type TreeEntry } from './tree.ts';

export interface Synced {
  /** Files and links that were created or changed. */
  readonly written: number;
  /** Files and links that had no counterpart. */
  readonly removed: number;
}

/**
 * Makes the configuration folders of `to` equal to those of `from`: contents, links as links, permissions. Files and
 * links for which `keep` is true stay as they are in `to`. Each file changes in one step, by rename; only what differs
 * is written. A link in `to` is never followed: it is replaced by the folder that belongs there. On return all of it is
 * on disk. Stopped at any line, a later run with the same `from` completes it.
 * @throws Failure `Denied` without the right to write, `Missing` without space; the signal's reason
 */
export async function syncTree(
  from: string,
  to: string,
  keep: PathTest,
  signal?: AbortSignal,
): Promise<Synced> {
  try {
    return await sync(from, to, keep, signal);
  } catch (error) {
    throw explained(error, to);
  }
}

/**
 * Gives the empty folder `to` the configuration folders of `from`: folders and links like its own, and its very files where
 * the disk can, so that in neither place one may be written to; not what `skip` is true for. Nobody needs such a tree after
 * a power cut: an agent removes it when it starts.
 * @param share puts a file in its place
 * @throws what `syncTree` throws
 */
export async function shareTree(
  from: string,
  to: string,
  skip: PathTest,
  signal?: AbortSignal,
  share: typeof shareFile = shareFile,
): Promise<void> {
  try {
    for (const [path, entry] of await listTree(from)) {
      signal?.throwIfAborted();
      const target = join(to, path);
      if (entry.type === 'folder') await placeFolder(target, entry, undefined);
      else if (skip(path)) continue;
      else if (entry.type === 'link') await symlink(entry.target, target);
      else await share(join(from, path), target);
    }
  } catch (error) {
    throw explained(error, to);
  }
}

/** The same file under another name; a copy where the disk has no such names, or does not give one away. */
export const shareFile = (source: string, target: string): Promise<void> =>
  link(source, target).catch(() => copyFile(source, target, constants.COPYFILE_EXCL));

async function sync(from: string, to: string, keep: PathTest, signal?: AbortSignal): Promise<Synced> {
  const [wanted, present] = [await listTree(from), await listTree(to)];
  const removed = await removeObsolete(to, wanted, present, keep, signal);
  let written = 0;
  for (const [path, entry] of wanted) {
    signal?.throwIfAborted();
    const before = present.get(path);
    const target = join(to, path);
    if (entry.type === 'folder') {
      await placeFolder(target, entry, before);
      continue;
    }
    if (keep(path)) continue;
    if (before && (await same(join(from, path), entry, target, before))) continue;
    await place(join(from, path), entry, target);
    written += 1;
  }
  // All of them: a run that was killed may have renamed files that this one found in place.
  for (const [path, { type }] of wanted) if (type === 'folder') await flushToDisk(join(to, path));
  await flushToDisk(to);
  return { written, removed };
}

/** What a write below a folder failed with: without the right to it, or without space, as a Failure that says so. */
export function explained(error: unknown, to: string): unknown {
  if (error instanceof Failure) return error;
  const { code = '' } = error as NodeJS.ErrnoException;
  const reason = messageOf(error);
  if (['EPERM', 'EACCES', 'EROFS'].includes(code))
    return new Failure('Denied', `the agent may not write everything in ${to}: ${reason}`, { cause: error });
  if (['ENOSPC', 'EDQUOT'].includes(code))
    return new Failure('Missing', `no space is left for ${to}: ${reason}`, { cause: error });
  return error;
}

/** Removes what is not wanted, or is wanted as another type, children before parents. */
async function removeObsolete(
  to: string,
  wanted: Tree,
  present: Tree,
  keep: PathTest,
  signal?: AbortSignal,
): Promise<number> {
  let removed = 0;
  for (const [path, entry] of [...present].reverse()) {
    signal?.throwIfAborted();
    const next = wanted.get(path);
    const replaceable = next && (next.type === 'folder') === (entry.type === 'folder');
    if (replaceable) continue;
    if (entry.type === 'folder') await removeIfEmpty(join(to, path));
    else if (!keep(path)) {
      await unlink(join(to, path));
      removed += 1;
    }
  }
  return removed;
}

async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    // it still holds immutable files
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
  }
}

async function same(a: string, entry: TreeEntry, b: string, other: TreeEntry): Promise<boolean> {
  if (entry.type !== other.type || entry.target !== other.target) return false;
  if (entry.type === 'link') return true;
  if (entry.mode !== other.mode || entry.size !== other.size) return false;
  return (await digest(a, entry.size)) === (await digest(b, other.size));
}

async function placeFolder(target: string, entry: TreeEntry, before: TreeEntry | undefined): Promise<void> {
  const isNew = before?.type !== 'folder';
  if (isNew) {
    await mkdir(target);
    if (mayGiveAway() && !isOurs(entry)) await lchown(target, entry.uid, entry.gid);
  }
  if (isNew || before.mode !== entry.mode) await chmod(target, entry.mode);
}

/** Only root may give files away; anyone else's copies are their own. */
const mayGiveAway = (): boolean => process.getuid?.() === 0;

const isOurs = ({ uid, gid }: TreeEntry): boolean => uid === process.getuid?.() && gid === process.getgid?.();

/** A temporary name in the same folder, one for each target so that a repetition finds what a dead run left. */
const temporaryName = (target: string): string => join(dirname(target), `.${basename(target)}.fairway-new`);

async function place(source: string, entry: TreeEntry, target: string): Promise<void> {
  const temporary = temporaryName(target);
  await unlink(temporary).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (entry.type === 'link') {
    await symlink(entry.target, temporary);
    await lutimes(temporary, entry.accessed, entry.modified);
  } else {
    await copyFile(source, temporary, constants.COPYFILE_EXCL);
    await chmod(temporary, entry.mode);
    await utimes(temporary, entry.accessed, entry.modified);
    await flushToDisk(temporary);
  }
  if (mayGiveAway()) {
    await lchown(temporary, entry.uid, entry.gid);
    if (entry.type === 'file') await chmod(temporary, entry.mode); // a change of owner clears set-id bits
  }
  await rename(temporary, target);
}

/** Waits until a file or a folder's entries are on the disk. */
export async function flushToDisk(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
