import { createWriteStream } from 'node:fs';
import { chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Failure } from '../failure.ts';
import { invalid, withArchive, type Archive, type ArchiveEntry, type ZipEntry } from './archive.ts';
import { copyEntry } from './content.ts';
import { layoutProblem } from './layout.ts';
import { readWhole } from './read.ts';

/** Bytes of a file for which a stream costs more than the file. */
const SMALL = 64 * 1024;
const MAX_LINK_TARGET_BYTES = 1000;

/**
 * Lists a zip like `listZip`, after also checking that its entries can stand beside each other on any disk and that
 * no link leaves the folder that they are extracted to.
 * @param label what messages call the zip
 * @throws Failure `InvalidArtifact`
 */
export function listExtractable(path: string, label = basename(path)): Promise<ZipEntry[]> {
  const list = async (archive: Archive) => {
    await linkTargets(archive);
    return archive.entries.map(({ name, size, type }) => ({ name, size, type }));
  };
  return withArchive(path, list, label);
}

/**
 * Extracts a zip to an empty folder, which is created when there is none, after checking all of it. Links stay links.
 * Files get mode 0644, or 0755 when the zip marks them as executable, folders 0755. After a failure the folder holds
 * a part, for the caller to remove.
 * @param label what messages call the zip
 * @throws Failure `InvalidArtifact`, `Conflict` when the folder is not empty; the signal's reason
 */
export function extractZip(
  path: string,
  into: string,
  signal?: AbortSignal,
  label = basename(path),
): Promise<void> {
  const extract = async (archive: Archive) => {
    const targets = await linkTargets(archive);
    await mkdir(into, { recursive: true });
    if ((await readdir(into)).length > 0)
      throw new Failure('Conflict', `${into} is not empty: ${archive.label} is extracted to an empty folder`);
    const made = new Set<string>();
    for (const entry of archive.entries) {
      signal?.throwIfAborted();
      const place = join(into, entry.name);
      const folder = entry.type === 'folder' ? entry.name : dirname(entry.name);
      if (!made.has(folder)) await makeFolders(into, folder);
      made.add(folder);
      if (entry.type === 'file') await extractFile(archive, entry, place, signal);
    }
    // Links last: until then there is nothing that a file could be written through.
    for (const [name, target] of targets) await symlink(target, join(into, name));
  };
  return withArchive(path, extract, label);
}

/** Reads what the links point at, and checks the entries together. */
async function linkTargets(archive: Archive): Promise<Map<string, string>> {
  const targets = new Map<string, string>();
  for (const entry of archive.entries)
    if (entry.type === 'link')
      targets.set(entry.name, (await readWhole(archive, entry, MAX_LINK_TARGET_BYTES)).toString());
  const problem = layoutProblem(archive.entries, targets);
  if (problem) throw invalid(archive.label, problem);
  return targets;
}

async function makeFolders(root: string, name: string): Promise<void> {
  const first = await mkdir(join(root, name), { recursive: true });
  // mkdir obeys the process's umask, which must not decide whether Apache can read its configuration.
  for (let made = join(root, name); first && made.length >= first.length; made = dirname(made))
    await chmod(made, 0o755);
}

async function extractFile(
  archive: Archive,
  entry: ArchiveEntry,
  place: string,
  signal?: AbortSignal,
): Promise<void> {
  if (entry.size < SMALL) await writeFile(place, await readWhole(archive, entry, SMALL), { flag: 'wx' });
  else await copyEntry(archive, entry, createWriteStream(place, { flags: 'wx' }), signal);
  await chmod(place, entry.executable ? 0o755 : 0o644);
}
