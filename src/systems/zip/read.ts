import { createWriteStream } from 'node:fs';
import { Writable } from 'node:stream';
import {
  invalid,
  withArchive,
  withEntry,
  type Archive,
  type ArchiveEntry,
  type ZipEntry,
} from './archive.ts';
import { copyEntry } from './content.ts';
import { printable } from './names.ts';

/**
 * Lists a zip after checking all of its entries: names, types, sizes, duplicates. Memory grows with the number of
 * entries, not with their size. What may be listed may still be refused by `extractZip`, which has to put it on a disk.
 * @throws Failure `InvalidArtifact` naming the zip's file name, the entry and what is wrong
 */
export function listZip(path: string): Promise<ZipEntry[]> {
  return withArchive(path, async ({ entries }) =>
    entries.map(({ name, size, type }) => ({ name, size, type })),
  );
}

/**
 * The bytes of one file in a zip, undefined when there is none of that name. Judges no other entry: that is for
 * `listZip`.
 * @param limit bytes; a larger entry is refused before it is read
 * @param label what messages call the zip, when its file name says nothing
 * @throws Failure `InvalidArtifact`
 */
export function readEntry(
  path: string,
  name: string,
  limit: number,
  label?: string,
): Promise<Buffer | undefined> {
  return withEntry(path, name, (archive, entry) => readWhole(archive, entry, limit), label);
}

export async function readWhole(archive: Archive, entry: ArchiveEntry, limit: number): Promise<Buffer> {
  if (entry.size > limit)
    throw invalid(
      archive.label,
      `entry ${printable(entry.name)} has ${entry.size} bytes, more than the limit of ${limit}`,
    );
  const chunks: Buffer[] = [];
  const collect = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  await copyEntry(archive, entry, collect);
  return Buffer.concat(chunks);
}

/** Copies one file of an open zip to a new file. */
export function saveEntry(
  archive: Archive,
  entry: ArchiveEntry,
  path: string,
  signal?: AbortSignal,
): Promise<void> {
  return copyEntry(archive, entry, createWriteStream(path, { flags: 'wx' }), signal);
}

/**
 * Reads one file of an open zip to its end, to no other purpose than its size and checksum.
 * @throws Failure `InvalidArtifact`; the signal's reason
 */
export function checkContent(archive: Archive, entry: ArchiveEntry, signal?: AbortSignal): Promise<void> {
  return copyEntry(archive, entry, new Writable({ write: (_chunk, _encoding, done) => done() }), signal);
}
