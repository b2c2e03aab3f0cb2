import { Readable } from 'node:stream';
import type { StoredFile } from '../model/artifacts.ts';
import type { ExecutionState } from '../model/execution.ts';
import type { Metric } from '../model/gates.ts';
import { resultFile, type ResultFile } from '../model/result-files.ts';
import { Failure } from '../systems/failure.ts';
import type { Storage } from '../systems/storage/storage.ts';
import { FairwayError } from './fairway-error.ts';

/** A piece of a step's log. */
export interface LogPiece {
  readonly text: string;
  /** Where the next piece begins, in bytes. */
  readonly next: number;
  /** Whether nothing more will come: the step has ended and this piece reaches its end. */
  readonly complete: boolean;
}

/** What a step that tests something found. */
export interface StepResults {
  readonly metrics: readonly Metric[];
  /** The results in full, as the step wrote them; absent when it has none (yet). */
  readonly content?: unknown;
  readonly file?: StoredFile;
  /** What lies beside it: what was found, time series, a picture of them, pages, images. */
  readonly files: readonly ResultFile[];
  /** How the step went, in one line; absent before it has ended. */
  readonly details?: string;
}

/** A file of storage as it is at this moment; a log may grow later. */
export interface Content {
  /** Bytes. */
  readonly size: number;
  /** The bytes from `from` up to, not including, `size`. */
  read(from: number): Promise<Readable>;
}

/** Where files are read from: the storage of the workers, or the API in front of it. */
export type ReadStorage = Pick<Storage, 'get' | 'size' | 'fetch'>;

const PIECE = 256 * 1024;

/** Reads what executions leave in storage. */
export class ReadFiles {
  private readonly source: () => ReadStorage;

  constructor(source: () => ReadStorage) {
    this.source = source;
  }

  /** The text of a key; undefined when there is none. */
  async text(key: string): Promise<string | undefined> {
    try {
      return (await bytes(await this.source().get(key))).toString('utf8');
    } catch (error) {
      if (error instanceof Failure && error.type === 'Missing') return undefined;
      throw known(error);
    }
  }

  /** From byte `from` on, one piece; `ended` says whether the log had its last line before this was asked. */
  async log(key: string, from: number, ended: boolean): Promise<LogPiece> {
    try {
      const size = (await this.source().size(key)) ?? 0;
      if (from >= size) return { text: '', next: from, complete: ended };
      const read = await bytes(await this.source().get(key, from), PIECE);
      // A character or a line is not cut in two, unless a line is longer than a piece.
      const lastLine = read.lastIndexOf('\n') + 1;
      const whole = ended && from + read.length >= size ? read.length : lastLine || wholeCharacters(read);
      const next = from + whole;
      return { text: read.toString('utf8', 0, whole), next, complete: ended && next >= size };
    } catch (error) {
      throw known(error);
    }
  }

  /** @throws FairwayError `notFound`, `unavailable` */
  async content(key: string): Promise<Content> {
    try {
      const size = await this.source().size(key);
      if (size === undefined) throw new FairwayError('notFound', `${key} is not in storage`);
      return {
        size,
        read: async (from) => Readable.from(firstBytes(await this.source().get(key, from), size - from)),
      };
    } catch (error) {
      throw known(error);
    }
  }

  async results({
    metrics = [],
    results,
    findings = [],
    details,
  }: ExecutionState['steps'][number]): Promise<StepResults> {
    const files = findings.map(resultFile);
    if (!results) return { metrics, files, details };
    const text = await this.text(results.key);
    const content = text === undefined ? undefined : parsed(text);
    // A step whose gate is another one's (the load test, of which the report decides) has them in its results only.
    const own = (content as { metrics?: readonly Metric[] } | undefined)?.metrics;
    return { metrics: metrics.length > 0 ? metrics : (own ?? []), files, file: results, content, details };
  }

  async download({ file }: { readonly file: StoredFile }, path: string): Promise<void> {
    try {
      await this.source().fetch(file, path);
    } catch (error) {
      throw known(error);
    }
  }
}

async function bytes(stream: Readable, limit = Infinity): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= limit) break;
  }
  return Buffer.concat(chunks);
}

async function* firstBytes(stream: Readable, count: number): AsyncGenerator<Buffer> {
  let left = count;
  if (left <= 0) return void stream.destroy();
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    yield chunk.length > left ? chunk.subarray(0, left) : chunk;
    left -= chunk.length;
    if (left <= 0) return;
  }
}

/** How many bytes make whole characters: the last character may not have come entirely. */
function wholeCharacters(read: Buffer): number {
  let end = read.length;
  while (end > 0 && read.length - end < 4 && ((read[end - 1] ?? 0) & 0xc0) === 0x80) end -= 1;
  const lead = read[end - 1] ?? 0;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return read.length - (end - 1) >= length ? read.length : end - 1;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** What storage says, in the terms of this library. */
function known(error: unknown): unknown {
  if (!(error instanceof Failure)) return error;
  return new FairwayError(error.type === 'Missing' ? 'notFound' : 'unavailable', error.message, error);
}
