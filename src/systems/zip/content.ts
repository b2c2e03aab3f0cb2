import { Transform, type Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { damaged, invalid, type Archive, type ArchiveEntry } from './archive.ts';
import { printable } from './names.ts';

/**
 * Writes an entry's bytes to `target`, streamed. yauzl holds it to its declared size; the checksum is checked here.
 * @throws Failure `InvalidArtifact`; the signal's reason
 */
export async function copyEntry(
  { zip, label }: Archive,
  entry: ArchiveEntry,
  target: Writable,
  signal?: AbortSignal,
): Promise<void> {
  let checksum = 0;
  const summing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      checksum = crc32(chunk, checksum);
      done(null, chunk);
    },
  });
  let source: Readable | undefined;
  try {
    source = await zip.openReadStreamPromise(entry.source);
    await pipeline(source, summing, target, { signal });
  } catch (error) {
    source?.destroy();
    signal?.throwIfAborted();
    throw damaged(label, error, entry.name);
  }
  if (checksum !== entry.crc32)
    throw invalid(label, `is damaged: entry ${printable(entry.name)} does not match its checksum`);
}
