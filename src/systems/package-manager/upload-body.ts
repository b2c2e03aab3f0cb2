import { open, stat, type FileHandle } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';

/** Few large pieces: each costs the same, however long it is. */
const CHUNK = 1024 * 1024;

export interface UploadBody {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * The form that package managers take: the file in a field of their choice, and `force` to replace a package of the
 * same version. The file is read while it is sent.
 */
export async function uploadBody(
  file: string,
  field: 'package' | 'file',
  onSent?: (bytes: number) => void,
): Promise<UploadBody> {
  const { size } = await stat(file);
  const boundary = `fairway-${randomUUID()}`;
  const head = Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="force"\r\n\r\ntrue\r\n` +
      `--${boundary}\r\nContent-Disposition: form-data; name="${field}"; filename="package.zip"\r\n` +
      'Content-Type: application/zip\r\n\r\n',
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  async function* content(): AsyncGenerator<Uint8Array> {
    yield head;
    let sent = 0;
    for await (const piece of piecesOf(file)) {
      yield piece;
      sent += piece.length;
      onSent?.(sent);
    }
    yield tail;
  }
  return {
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': String(head.length + size + tail.length),
    },
    body: content(),
  };
}

/**
 * A file's content: while one piece is used the next one is read. There are only two places for them, since new memory for
 * every piece costs more than reading it: each is good until the next one is asked for. Only the last is shorter.
 */
async function* piecesOf(path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path);
  const begun = (place: Buffer) => {
    const reading = filled(file, place);
    reading.catch(() => undefined); // whoever waits for the piece gets it
    return reading;
  };
  let [current, next] = [Buffer.allocUnsafeSlow(CHUNK), Buffer.allocUnsafeSlow(CHUNK)];
  let reading = begun(current);
  try {
    for (;;) {
      const piece = await reading;
      if (piece.length === 0) return;
      reading = begun(next);
      [current, next] = [next, current];
      yield piece;
    }
  } finally {
    await reading.catch(() => undefined);
    await file.close();
  }
}

async function filled(file: FileHandle, place: Buffer): Promise<Uint8Array> {
  let end = 0;
  for (let more = 1; more > 0 && end < place.length; end += more)
    more = (await file.read(place, end, place.length - end)).bytesRead;
  return place.subarray(0, end);
}
