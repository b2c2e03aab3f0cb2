import { createHash } from 'node:crypto';
import { createReadStream, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import picomatch from 'picomatch';
import { Failure } from '../failure.ts';
import { configurationFolders } from './settings.ts';

export interface TreeEntry {
  readonly type: 'file' | 'folder' | 'link';
  /** Permission bits. */
  readonly mode: number;
  /** Bytes of a file, 0 otherwise. */
  readonly size: number;
  readonly uid: number;
  readonly gid: number;
  readonly accessed: Date;
  readonly modified: Date;
  /** Where a link points, as written; empty otherwise. */
  readonly target: string;
}

/** Entries by path relative to the server root, parents before children. */
export type Tree = ReadonlyMap<string, TreeEntry>;
/** Bytes. */
const SMALL = 1024 ** 2;

export type PathTest = (path: string) => boolean;

/** Whether a path, relative to the server root, matches one of the globs of immutable files. */
export const immutableTest = (globs: readonly string[]): PathTest =>
  globs.length === 0 ? () => false : picomatch([...globs], { dot: true });

/**
 * What lies in the configuration folders of a server root; links are not followed. Looked at without a pause: hundreds of
 * entries take a few milliseconds, and to wait for each of them costs ten times as much.
 * @throws Failure `Conflict` when one of those folders is something else, or holds a device, pipe or socket.
 */
export async function listTree(root: string): Promise<Tree> {
  const tree = new Map<string, TreeEntry>();
  const visit = (path: string): void => {
    const full = join(root, path);
    const stat = lstatSync(full);
    const type = stat.isFile()
      ? 'file'
      : stat.isDirectory()
        ? 'folder'
        : stat.isSymbolicLink()
          ? 'link'
          : undefined;
    if (!type)
      throw new Failure('Conflict', `${full} is neither a file, a folder nor a link: move it elsewhere`);
    tree.set(path, {
      type,
      mode: stat.mode & 0o7777,
      size: type === 'file' ? stat.size : 0,
      uid: stat.uid,
      gid: stat.gid,
      accessed: stat.atime,
      modified: stat.mtime,
      target: type === 'link' ? readlinkSync(full) : '',
    });
    if (type === 'folder') for (const name of readdirSync(full).sort()) visit(`${path}/${name}`);
  };
  for (const folder of configurationFolders) {
    const stat = await lstat(join(root, folder)).catch(absent);
    if (!stat) continue;
    // A link here could lead every write out of the server root.
    if (!stat.isDirectory())
      throw new Failure(
        'Conflict',
        `${join(root, folder)} is not a folder but a ${stat.isSymbolicLink() ? 'link' : 'file'}: put a real folder in its place`,
      );
    visit(folder);
  }
  return tree;
}

/**
 * A fingerprint of everything in the configuration folders that packages may change: paths, types, permissions,
 * contents, link targets. Owners and times are left out: a package does not carry them.
 */
export async function hashTree(root: string, immutable: PathTest): Promise<string> {
  const hash = createHash('sha256');
  for (const [path, entry] of await listTree(root)) {
    if (entry.type !== 'folder' && immutable(path)) continue;
    const content = entry.type === 'file' ? await digest(join(root, path), entry.size) : entry.target;
    const mode = entry.type === 'link' ? '' : entry.mode.toString(8);
    hash.update([path, entry.type, mode, content].join('\0') + '\n');
  }
  return hash.digest('hex');
}

/** SHA-256 of a file, in hexadecimal. A stream costs more than all of a small file. */
export async function digest(path: string, size = Infinity): Promise<string> {
  const hash = createHash('sha256');
  if (size < SMALL) return hash.update(await readFile(path)).digest('hex');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

export const bytesOf = (tree: Tree): number => [...tree.values()].reduce((sum, entry) => sum + entry.size, 0);

/** For `catch`: undefined when the file does not exist. */
export function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
}
