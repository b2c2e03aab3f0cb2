import { open, type FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';

/** Bytes read at once: the headers of hundreds of entries. */
const BLOCK = 64 * 1024;

/** Opens a zip so that its headers, which are small and mostly one behind the other, are read in blocks. */
export async function openZip(path: string): Promise<ZipFile> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const options = { autoClose: false, decodeStrings: false };
    return await fromRandomAccessReaderPromise(new FileReader(file), size, options);
  } catch (error) {
    await file.close();
    throw error;
  }
}

class FileReader extends RandomAccessReader {
  readonly #file: FileHandle;
  #block = Buffer.alloc(0);
  #blockAt = 0;

  constructor(file: FileHandle) {
    super();
    this.#file = file;
  }

  override read(
    into: Buffer,
    offset: number,
    length: number,
    position: number,
    done: (error: Error | null) => void,
  ): void {
    const from = position - this.#blockAt;
    if (from >= 0 && from + length <= this.#block.length) {
      this.#block.copy(into, offset, from, from + length);
      return done(null);
    }
    const block = Buffer.allocUnsafe(Math.max(BLOCK, length));
    this.#file.read(block, 0, block.length, position).then(({ bytesRead }) => {
      [this.#block, this.#blockAt] = [block.subarray(0, bytesRead), position];
      if (bytesRead < length) return done(new Error('unexpected end of the file'));
      block.copy(into, offset, 0, length);
      done(null);
    }, done);
  }

  override _readStreamForRange(start: number, end: number): Readable {
    const file = this.#file;
    let at = start;
    return new Readable({
      read() {
        const chunk = Buffer.allocUnsafe(Math.min(BLOCK, end - at));
        file.read(chunk, 0, chunk.length, at).then(
          ({ bytesRead }) => {
            at += bytesRead;
            this.push(bytesRead > 0 ? chunk.subarray(0, bytesRead) : null);
          },
          (error: Error) => this.destroy(error),
        );
      },
    });
  }

  override close(done: (error: Error | null) => void): void {
    this.#file.close().then(() => done(null), done);
  }
}
