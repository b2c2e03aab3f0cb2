import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { MAX_ENTRIES, type Archive, type ZipEntry } from '../zip/archive.ts';
import { readWhole } from '../zip/read.ts';

/** The files of a package, in a zip or in a folder of a project. */
export interface Files {
  readonly label: string;
  readonly entries: readonly ZipEntry[];
  /** Bytes of an entry of type `file`, or what a link points at; undefined when it is larger than `limit` bytes. */
  readonly read: (name: string, limit: number) => Promise<Buffer | undefined>;
  /** What findings call an entry. */
  readonly place: (name: string) => string;
}

/** The file in the project that an entry of a package comes from, where it can be told. */
export type Origin = (name: string) => string | undefined;

export function filesOfZip(archive: Archive, origin: Origin): Files {
  const byName = new Map(archive.entries.map((entry) => [entry.name, entry]));
  return {
    label: archive.label,
    entries: archive.entries,
    read: async (name, limit) => {
      const entry = byName.get(name);
      return entry && entry.type !== 'folder' && entry.size <= limit
        ? readWhole(archive, entry, limit)
        : undefined;
    },
    place: (name) => origin(name) ?? `${archive.label}!/${name}`,
  };
}

const notSource = new Set(['.git', '.svn', 'node_modules', 'target']);

/**
 * The files below a folder of a project. Links are listed and never followed.
 * @param label path inside the project, empty for the project itself
 */
export async function filesOfFolder(folder: string, label: string): Promise<Files> {
  const entries: ZipEntry[] = [];
  const visit = async (below: string) => {
    for (const found of await readdir(join(folder, below), { withFileTypes: true })) {
      const name = below ? `${below}/${found.name}` : found.name;
      if (found.isDirectory() && notSource.has(found.name)) continue;
      const type = found.isSymbolicLink() ? 'link' : found.isDirectory() ? 'folder' : 'file';
      if (type === 'file' && !found.isFile()) continue;
      entries.push({ name, type, size: type === 'file' ? (await lstat(join(folder, name))).size : 0 });
      if (entries.length > MAX_ENTRIES)
        throw new Failure('InvalidInput', `${folder} has more than ${MAX_ENTRIES} files: scan a part of it`);
      if (type === 'folder') await visit(name);
    }
  };
  await visit('');
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  return {
    label: label || folder,
    entries,
    read: async (name, limit) => {
      const entry = byName.get(name);
      if (!entry || entry.type === 'folder' || entry.size > limit) return undefined;
      return entry.type === 'link'
        ? Buffer.from(await readlink(join(folder, name)))
        : readFile(join(folder, name));
    },
    place: (name) => (label ? `${label}/${name}` : name),
  };
}
