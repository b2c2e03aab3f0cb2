import type { Readable } from 'node:stream';
import type { PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import { codeOf, failureOf, statusOf } from './failures.ts';
import type { S3Place } from './place.ts';

/** An object as lists have it. */
export interface Listed {
  readonly name: string;
  readonly size: number;
}

export interface S3Options {
  /** How long a server that is away is waited for, in milliseconds, before everything fails; 0 unless said otherwise. */
  readonly patienceMs?: number;
  /** How long a server may keep silent. */
  readonly answerMs?: number;
  /** Ends whatever is under way of whoever calls, with the signal's reason. */
  readonly interruption?: () => AbortSignal | undefined;
}

/** Parts of an upload: up to 80 GB in the 10,000 parts that S3 allows, and four of them in memory at a time. */
const PART_BYTES = 8 * 1024 * 1024;
const DELETED_AT_ONCE = 1000;
/** The first tries after 0.1, 0.2, 0.4 s and so on, those after the eighth 20 s apart; half of that on the average. */
const attemptsFor = (patienceMs: number) => (patienceMs === 0 ? 2 : 8 + Math.ceil(patienceMs / 10_000));

/** The SDK takes a while to load: only who uses S3 waits for it. */
const load = async () => ({
  ...(await import('@aws-sdk/client-s3')),
  ...(await import('@aws-sdk/lib-storage')),
});

/** The objects of a place. All of it throws Failures, or the reason of the interruption. */
export function s3Objects(place: S3Place, { patienceMs = 0, answerMs = 30_000, interruption }: S3Options) {
  const where = `s3://${place.bucket}/${place.prefix}`;
  let connected: Promise<Awaited<ReturnType<typeof connect>>> | undefined;
  async function connect() {
    const sdk = await load();
    const client = new sdk.S3Client({
      ...(place.region === undefined ? {} : { region: place.region }),
      ...(place.endpoint === undefined ? {} : { endpoint: place.endpoint }),
      forcePathStyle: place.pathStyle,
      maxAttempts: attemptsFor(patienceMs),
      requestHandler: { connectionTimeout: 5_000, socketTimeout: answerMs },
    });
    return { sdk, client };
  }
  type Sdk = Awaited<ReturnType<typeof load>>;

  async function ask<T>(
    question: (client: S3Client, sdk: Sdk, options: { abortSignal?: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    const signal = interruption?.();
    signal?.throwIfAborted();
    try {
      const { client, sdk } = await (connected ??= connect());
      return await question(client, sdk, signal ? { abortSignal: signal } : {});
    } catch (error) {
      signal?.throwIfAborted();
      throw failureOf(error, where);
    }
  }
  const none = (error: unknown): undefined => {
    if (statusOf(error) === 404 && codeOf(error) !== 'NoSuchBucket') return undefined;
    throw error;
  };
  const target = (name: string) => ({ Bucket: place.bucket, Key: place.prefix + name });
  const encrypted = {
    ...(place.encryption ? { ServerSideEncryption: place.encryption } : {}),
    ...(place.kmsKey === undefined ? {} : { SSEKMSKeyId: place.kmsKey }),
  } satisfies Partial<PutObjectCommandInput>;

  return {
    where,

    head: (name: string): Promise<{ size: number; metadata: Readonly<Record<string, string>> } | undefined> =>
      ask(async (client, { HeadObjectCommand }, options) => {
        const found = await client.send(new HeadObjectCommand(target(name)), options).catch(none);
        return found && { size: found.ContentLength ?? 0, metadata: found.Metadata ?? {} };
      }),

    /** From byte `from` on, which must be in it. */
    get: (name: string, from = 0): Promise<Readable | undefined> =>
      ask(async (client, { GetObjectCommand }, options) => {
        const range = from > 0 ? { Range: `bytes=${from}-` } : {};
        const command = new GetObjectCommand({ ...target(name), ...range });
        const found = await client.send(command, options).catch(none);
        return found?.Body as Readable | undefined;
      }),

    /** @returns false when it is there already; then nothing has changed */
    putIfAbsent: (name: string, body: string, metadata: Record<string, string> = {}): Promise<boolean> =>
      ask(async (client, { PutObjectCommand }, options) => {
        const input = {
          ...target(name),
          ...encrypted,
          Body: Buffer.from(body),
          Metadata: metadata,
          IfNoneMatch: '*',
        };
        try {
          await client.send(new PutObjectCommand(input), options);
          return true;
        } catch (error) {
          // 409: another one is just being written.
          if (statusOf(error) === 412 || statusOf(error) === 409) return false;
          throw error;
        }
      }),

    /** In parts where it is large; what broke off leaves nothing. */
    upload: (name: string, content: Readable): Promise<void> =>
      ask(async (client, { Upload, AbortMultipartUploadCommand }, { abortSignal }) => {
        const params = { ...target(name), ...encrypted, Body: content, ChecksumAlgorithm: 'SHA256' as const };
        const upload = new Upload({ client, params, partSize: PART_BYTES });
        const abort = () => void upload.abort();
        abortSignal?.addEventListener('abort', abort, { once: true });
        try {
          await upload.done();
        } catch (error) {
          content.destroy();
          if (upload.uploadId !== undefined) {
            const parts = new AbortMultipartUploadCommand({ ...target(name), UploadId: upload.uploadId });
            await client.send(parts).catch(() => undefined);
          }
          throw error;
        } finally {
          abortSignal?.removeEventListener('abort', abort);
        }
      }),

    remove: (names: readonly string[]): Promise<void> =>
      ask(async (client, { DeleteObjectsCommand }, options) => {
        for (let index = 0; index < names.length; index += DELETED_AT_ONCE) {
          const some = names.slice(index, index + DELETED_AT_ONCE);
          const Delete = { Objects: some.map((name) => ({ Key: target(name).Key })), Quiet: true };
          const { Errors = [] } = await client.send(
            new DeleteObjectsCommand({ Bucket: place.bucket, Delete }),
            options,
          );
          if (Errors[0]) throw Object.assign(new Error(Errors[0].Message), { name: Errors[0].Code ?? '' });
        }
      }),

    /** Those whose names begin so, sorted. */
    list: (beginning: string): Promise<readonly Listed[]> =>
      ask(async (client, { paginateListObjectsV2 }, options) => {
        const found: Listed[] = [];
        const input = { Bucket: place.bucket, Prefix: place.prefix + beginning };
        for await (const { Contents = [] } of paginateListObjectsV2({ client }, input, options))
          for (const { Key = '', Size = 0 } of Contents)
            found.push({ name: Key.slice(place.prefix.length), size: Size });
        return found;
      }),

    /** What comes after a beginning and before the next `/`. */
    folders: (beginning: string): Promise<string[]> =>
      ask(async (client, { paginateListObjectsV2 }, options) => {
        const found: string[] = [];
        const start = place.prefix + beginning;
        const input = { Bucket: place.bucket, Prefix: start, Delimiter: '/' };
        for await (const { CommonPrefixes = [] } of paginateListObjectsV2({ client }, input, options))
          for (const { Prefix = '' } of CommonPrefixes) found.push(Prefix.slice(start.length, -1));
        return found;
      }),

    /** Ends uploads that were begun before an instant and have not come to their end. */
    abortUploads: (before: number): Promise<void> =>
      ask(async (client, { AbortMultipartUploadCommand, ListMultipartUploadsCommand }, options) => {
        const bucket = { Bucket: place.bucket };
        for (let after = {}, more = true; more;) {
          const command = new ListMultipartUploadsCommand({ ...bucket, Prefix: place.prefix, ...after });
          const { Uploads = [], ...page } = await client.send(command, options);
          for (const { Key, UploadId, Initiated } of Uploads)
            if (Initiated && Initiated.getTime() < before)
              await client
                .send(new AbortMultipartUploadCommand({ ...bucket, Key, UploadId }), options)
                .catch(none);
          more = page.IsTruncated === true;
          after = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
        }
      }),
  };
}

export type S3Objects = ReturnType<typeof s3Objects>;
