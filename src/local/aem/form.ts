import { open, rm, type FileHandle } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';

/** What an HTTP form held: text fields, and files that were written to disk as they arrived. */
export interface Form {
  readonly fields: Map<string, string>;
  /** Path on disk, by field name. */
  readonly files: Map<string, string>;
}

const HEADER_LIMIT = 16_384;
const FIELD_LIMIT = 1_000_000;
const CRLF = '\r\n';

type Pass = () => Promise<void>;

/**
 * Reads a form, urlencoded or multipart. Files go to `folder` in pieces: memory does not grow with their size.
 * @param onPiece asked before each piece of a file is taken
 */
export async function readForm(
  request: IncomingMessage,
  folder: string,
  onPiece: Pass = async () => undefined,
): Promise<Form> {
  const type = request.headers['content-type'] ?? '';
  const boundary = /^multipart\/form-data\b.*;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(type);
  if (boundary) return readMultipart(request, (boundary[1] ?? boundary[2])!, folder, onPiece);
  const form: Form = { fields: new Map(), files: new Map() };
  const body = await readText(request);
  if (/^application\/x-www-form-urlencoded\b/i.test(type))
    for (const [name, value] of new URLSearchParams(body)) form.fields.set(name, value);
  return form;
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > FIELD_LIMIT) throw new Error('the request body is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

interface Part {
  write(chunk: Buffer): Promise<void>;
  end(): Promise<void>;
}

async function readMultipart(
  request: IncomingMessage,
  boundary: string,
  folder: string,
  onPiece: Pass,
): Promise<Form> {
  const form: Form = { fields: new Map(), files: new Map() };
  const delimiter = Buffer.from(`${CRLF}--${boundary}`);
  // The first delimiter has no line before it: give it one, and every delimiter looks alike.
  let rest: Buffer = Buffer.from(CRLF);
  let part: Part | undefined;
  let state = 'body' as 'body' | 'delimiter' | 'headers' | 'end';

  const advance = async (): Promise<boolean> => {
    if (state === 'body') {
      const at = rest.indexOf(delimiter);
      const upTo = at < 0 ? Math.max(0, rest.length - delimiter.length) : at;
      if (upTo > 0) await part?.write(rest.subarray(0, upTo));
      rest = rest.subarray(at < 0 ? upTo : at + delimiter.length);
      if (at < 0) return false;
      await part?.end();
      part = undefined;
      state = 'delimiter';
    } else if (state === 'delimiter') {
      if (rest.length < 2) return false;
      state = rest.subarray(0, 2).toString('latin1') === '--' ? 'end' : 'headers';
    } else if (state === 'headers') {
      const end = rest.indexOf(`${CRLF}${CRLF}`);
      if (end > HEADER_LIMIT || (end < 0 && rest.length > HEADER_LIMIT))
        throw new Error('the headers of a form part are too long');
      if (end < 0) return false;
      part = await openPart(rest.subarray(0, end).toString('utf8'), form, folder, onPiece);
      rest = rest.subarray(end + 4);
      state = 'body';
    } else return false;
    return true;
  };

  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      while (await advance());
      if (state === 'end') rest = Buffer.alloc(0);
    }
    if (state !== 'end') throw new Error('the form ended before its last boundary');
    return form;
  } catch (error) {
    await part?.end();
    for (const path of form.files.values()) await rm(path, { force: true });
    throw error;
  }
}

async function openPart(headers: string, form: Form, folder: string, onPiece: Pass): Promise<Part> {
  const disposition = /^content-disposition:(.*)$/im.exec(headers)?.[1] ?? '';
  const name = /\bname="([^"]*)"/i.exec(disposition.replace(/\bfilename\*?=("[^"]*"|[^;]*)/gi, ''))?.[1];
  if (name === undefined) throw new Error('a form part has no name');
  if (!/\bfilename\*?=/i.test(disposition)) {
    let text: Buffer = Buffer.alloc(0);
    return {
      write: async (chunk) => {
        text = Buffer.concat([text, chunk]);
        if (text.length > FIELD_LIMIT) throw new Error(`form field ${name} is too long`);
      },
      end: async () => void form.fields.set(name, text.toString('utf8')),
    };
  }
  const path = join(folder, `upload-${randomUUID()}`);
  const file: FileHandle = await open(path, 'wx');
  form.files.set(name, path);
  return {
    write: async (chunk) => {
      await onPiece();
      await file.writeFile(chunk);
    },
    end: () => file.close(),
  };
}
