import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';

/** Few large pieces: each costs the same, however long it is. */
const CHUNK = 1024 * 1024;

export interface UploadBody {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
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
    for await (const chunk of createReadStream(file, {
      highWaterMark: CHUNK,
    }) as AsyncIterable<Buffer>) {
      yield chunk;
      sent += chunk.length;
      onSent?.(sent);
    }
    yield tail;
  }
  return {
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': String(head.length + size + tail.length),
    },
    body: Readable.from(content(), { objectMode: false }),
  };
}
