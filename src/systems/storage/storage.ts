import type { Readable } from 'node:stream';
import type { StoredFile } from '../../model/artifacts.ts';

/**
 * Where artifacts, logs, results and records are kept. Keys are relative paths with `/`; an implementation refuses
 * keys that leave it. Every method may be repeated: writing the same key again replaces it as a whole.
 */
export interface Storage {
  /** Stores a stream, without holding it in memory; visible only once complete. */
  put(key: string, content: Readable | string | Uint8Array): Promise<StoredFile>;
  /** The content, all of it or that from byte `from` on. @throws Failure `Missing` */
  get(key: string, from?: number): Promise<Readable>;
  /**
   * Copies a stored file to `path` and checks its size and SHA-256 on the way.
   * @throws Failure `InvalidArtifact` when it is not the file that was stored, `Missing` when it is gone.
   */
  fetch(file: StoredFile, path: string, signal?: AbortSignal): Promise<void>;
  /** Adds text to a log, creating it; several writers may append to one key. */
  append(key: string, text: string): Promise<void>;
  /** Undefined when there is no such key. */
  size(key: string): Promise<number | undefined>;
  /** Keys below a prefix, sorted. */
  list(prefix: string): Promise<string[]>;
  /** The names that come directly after a prefix, which ends with `/`, and before another `/`; sorted. */
  folders(prefix: string): Promise<string[]>;
}
