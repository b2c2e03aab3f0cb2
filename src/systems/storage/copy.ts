import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { StoredFile } from '../../model/artifacts.ts';
import { Failure } from '../failure.ts';

export type Content = Readable | string | Uint8Array;
export type Measure = Omit<StoredFile, 'key'>;

export const streamOf = (content: Content): Readable =>
  content instanceof Readable ? content : Readable.from([Buffer.from(content)]);

/** A stream that measures what passes through it. */
export function measuring(): { readonly through: Transform; readonly measure: () => Measure } {
  const hash = createHash('sha256');
  let size = 0;
  const through = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  return { through, measure: () => ({ sha256: hash.digest('hex'), size }) };
}

/** Writes a file that a power cut does not take away once this has returned. */
export const writeSynced = (path: string, content: Readable): Promise<Measure> =>
  write(path, content, { flush: true });

async function write(
  path: string,
  content: Readable,
  { flush, signal }: { readonly flush: boolean; readonly signal?: AbortSignal },
): Promise<Measure> {
  const { through, measure } = measuring();
  const file = await open(path, 'w');
  await pipeline(content, through, file.createWriteStream({ flush }), { signal });
  return measure();
}

/**
 * Copies what storage has to `path`, which is not there unless all of it was good. The copy is to work with now: the disk
 * is not waited for, which would take seconds for a big package.
 * @throws Failure `InvalidArtifact` when it is not the file that was stored
 */
export async function copyChecked(
  stored: StoredFile,
  content: Readable,
  path: string,
  signal?: AbortSignal,
): Promise<void> {
  try {
    const { sha256, size } = await write(path, content, { flush: false, signal });
    if (sha256 !== stored.sha256 || size !== stored.size)
      throw new Failure(
        'InvalidArtifact',
        `${stored.key} in storage is not the file that was stored (${stored.size} bytes, SHA-256 ${stored.sha256}; ` +
          `now ${size} bytes, SHA-256 ${sha256}); run the pipeline again`,
      );
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}
