import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { storageFinding } from '../../../src/client/doctor/machine.ts';
import type { Failure } from '../../../src/systems/failure.ts';
import type { S3Options } from '../../../src/systems/storage/s3/objects.ts';
import { s3Place } from '../../../src/systems/storage/s3/place.ts';
import { requireS3, s3Storage } from '../../../src/systems/storage/s3/s3-storage.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { httpServer } from '../../support/http-server.ts';
import {
  faultyServer,
  s3Server,
  type Fault,
  type FaultyServer,
  type S3Server,
} from '../../support/s3-server.ts';
import { until } from '../../support/until.ts';
import { storageContract } from './contract.ts';

const MIB = 1024 * 1024;

describe('storage in S3', function () {
  this.timeout(60_000);
  const folder = temporaryFolder();
  let moto: S3Server;
  let server: FaultyServer;
  let s3: S3Client;
  let bucket = '';
  const given = { ...process.env };
  before(async function () {
    this.timeout(300_000);
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: 'key',
      AWS_SECRET_ACCESS_KEY: 'very-secret',
      AWS_REGION: 'us-east-1',
    });
    moto = await s3Server();
    server = await faultyServer(moto.url);
    s3 = new S3Client({ endpoint: moto.url, forcePathStyle: true });
  });
  after(async () => {
    s3.destroy();
    await server.close();
    await moto.stop();
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_REGION'])
      if (given[name] === undefined) delete process.env[name];
      else process.env[name] = given[name];
  });
  beforeEach(async () => {
    server.fault = undefined;
    bucket = `b-${randomBytes(8).toString('hex')}`;
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  });

  const place = (more = '') => s3Place(`s3://${bucket}/fairway?endpoint=${server.url}&pathStyle=true${more}`);
  const storage = (options: S3Options = {}, more = '') => s3Storage(place(more), options);
  const uploads = async () =>
    (await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? [];
  const objects = async () => {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
    return Contents.map(({ Key }) => Key);
  };
  const fails = async (what: Promise<unknown>, type: Failure['type'], words: RegExp) =>
    assert.rejects(what, (error: Failure) => {
      assert.equal(error.name, 'Failure', String(error));
      assert.match(error.message, words);
      assert.equal(error.type, type, error.message);
      assert.ok(!error.message.includes('very-secret'));
      return true;
    });
  const refuse =
    (status: number, code: string, when: RegExp = /./): Fault =>
    (asked, answer) => {
      if (!when.test(`${asked.method} ${asked.url}`)) return false;
      asked.resume();
      answer.writeHead(status, { 'content-type': 'application/xml' });
      answer.end(`<Error><Code>${code}</Code><Message>no</Message></Error>`);
      return true;
    };
  /** Content that is made while it is read. */
  const large = (mib: number) =>
    Readable.from(
      (function* () {
        for (let n = 0; n < mib; n += 1) yield Buffer.alloc(MIB, n);
      })(),
    );

  describe('as any storage', () => {
    storageContract(() => storage(), folder);
  });

  it('uploads what is large in parts, without holding it in memory, encrypted where it is to be', async () => {
    const hash = createHash('sha256');
    for (let n = 0; n < 20; n += 1) hash.update(Buffer.alloc(MIB, n));
    const encrypted = storage({}, '&encryption=aws:kms&kmsKey=alias/fairway');
    const stored = await encrypted.put('1/large.zip', large(20));
    assert.deepEqual(stored, { key: '1/large.zip', size: 20 * MIB, sha256: hash.digest('hex') });
    assert.equal(server.asked.filter((asked) => /^PUT .*large\.zip.*partNumber=/.test(asked)).length, 3);
    const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: 'fairway/1/large.zip' }));
    assert.deepEqual([head.ServerSideEncryption, head.SSEKMSKeyId], ['aws:kms', 'alias/fairway']);
    await encrypted.append('1/log', 'x');
    const log = await s3.send(
      new HeadObjectCommand({ Bucket: bucket, Key: 'fairway/1/log.fairway-storage/0000000001' }),
    );
    assert.equal(log.ServerSideEncryption, 'aws:kms');
    await storage().fetch(stored, join(folder(), 'copy'));
    assert.deepEqual(await objects(), ['fairway/1/large.zip', 'fairway/1/log.fairway-storage/0000000001']);
  });

  describe('an upload that is cut in the middle', () => {
    const secondPart = (asked: { method?: string; url?: string }) =>
      asked.method === 'PUT' && /partNumber=2/.test(asked.url ?? '');
    const cut =
      (times: number): Fault =>
      (asked) => {
        if (!secondPart(asked) || times-- <= 0) return false;
        asked.once('data', () => asked.socket.destroy());
        return true;
      };

    it('fails when it stays so, and leaves neither a part of it nor an upload that hangs', async () => {
      await storage().put('a', 'old');
      server.fault = cut(Infinity);
      await fails(storage().put('a', large(20)), 'Unavailable', /does not answer as it should/);
      assert.deepEqual(await uploads(), []);
      assert.deepEqual(await objects(), ['fairway/a']);
      assert.equal(await text(await storage().get('a')), 'old');
    });

    it('goes on where it was when the connection is back', async () => {
      server.fault = cut(1);
      const stored = await storage({ patienceMs: 60_000 }).put('a', large(20));
      await storage().fetch(stored, join(folder(), 'copy'));
    });

    it('by a source that breaks off leaves nothing', async () => {
      const breaking = Readable.from(
        (async function* () {
          yield* large(20) as AsyncIterable<Buffer>;
          throw new Error('the disk broke');
        })(),
      );
      await assert.rejects(storage().put('a', breaking), /^Error: the disk broke/);
      assert.deepEqual(await uploads(), []);
      assert.deepEqual(await objects(), []);
    });

    it('by a cancellation ends at once and leaves nothing', async () => {
      const cancelled = new AbortController();
      server.fault = (asked) => {
        if (!secondPart(asked)) return false;
        cancelled.abort(new Error('cancelled'));
        return true; // and no answer, ever
      };
      await assert.rejects(
        storage({ interruption: () => cancelled.signal }).put('a', large(20)),
        /cancelled/,
      );
      server.fault = undefined;
      await until('no upload hangs', async () => (await uploads()).length === 0);
      assert.deepEqual(await objects(), []);
    });

    it('by a writer that died is ended by a later one', async () => {
      // moto begins all uploads in 2010.
      await s3.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: 'fairway/dead.zip' }));
      await s3.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: 'of-somebody-else' }));
      await storage().append('log', 'x');
      assert.deepEqual(
        (await uploads()).map(({ Key }) => Key),
        ['of-somebody-else'],
      );
    });
  });

  describe('whose server', () => {
    const put = (options?: S3Options) => storage(options).put('a', 'x');
    const cases: [what: string, fault: Fault, type: Failure['type'], words: RegExp][] = [
      ['is full', refuse(507, 'XMinioStorageFull'), 'Unavailable', /is full: make room/],
      ['lets nobody have more', refuse(403, 'QuotaExceeded'), 'Unavailable', /is full: make room/],
      [
        'does not know the key',
        refuse(403, 'InvalidAccessKeyId'),
        'Denied',
        /refuses these credentials.*abort/,
      ],
      ['refuses to write', refuse(403, 'AccessDenied', /^PUT/), 'Denied', /refuses these credentials/],
      [
        'has the bucket elsewhere',
        refuse(301, 'PermanentRedirect'),
        'Missing',
        /another region or at another/,
      ],
      ['is broken', refuse(500, 'InternalError'), 'Unavailable', /does not answer as it should \(500/],
      ['is busy', refuse(503, 'SlowDown'), 'Unavailable', /does not answer as it should/],
      ['cuts every connection', (asked) => !!asked.socket.destroy(), 'Unavailable', /does not answer/],
      ['refuses what nobody foresaw', refuse(400, 'Strange'), 'Rejected', /refused a request \(400 Strange/],
    ];
    for (const [what, fault, type, words] of cases)
      it(`${what}: ${type}, with the place and what to do`, async () => {
        server.fault = fault;
        await fails(put(), type, words);
        await fails(put(), type, new RegExp(`the storage s3://${bucket}/fairway/ `));
      });

    it('keeps silent: Unavailable, after its time', async () => {
      server.fault = () => true;
      await fails(put({ answerMs: 100 }), 'Unavailable', /does not answer as it should/);
    });

    it('stops in the middle of an answer: Unavailable, and no half of a file', async () => {
      const stored = await storage().put('a', large(1));
      server.fault = (asked, answer) => {
        if (asked.method !== 'GET') return false;
        answer.writeHead(200, { 'content-length': String(MIB) });
        answer.write(Buffer.alloc(1000), () => answer.destroy());
        return true;
      };
      await fails(storage().fetch(stored, join(folder(), 'copy')), 'Unavailable', /does not answer/);
      assert.deepEqual(await readdir(folder()), []);
    });

    it('is away: Unavailable; one that comes back is waited for', async () => {
      const gone = await httpServer(() => undefined);
      await gone.close();
      const away = s3Storage(s3Place(`s3://${bucket}?endpoint=${gone.url}&pathStyle=true`));
      await fails(away.put('a', 'x'), 'Unavailable', /ECONNREFUSED/);
      let times = 0;
      server.fault = (asked, answer) => times++ < 3 && refuse(503, 'SlowDown')(asked, answer);
      await put({ patienceMs: 60_000 });
    });

    it('has no such bucket: Missing', async () => {
      const nothing = s3Storage(s3Place(`s3://no-such-bucket?endpoint=${server.url}&pathStyle=true`));
      await fails(nothing.put('a', 'x'), 'Missing', /does not exist: make the bucket/);
      await fails(nothing.list(''), 'Missing', /does not exist/);
    });
  });

  describe('a log', () => {
    it('has no line twice where the answer to a first try was lost', async () => {
      let lost = 0;
      server.fault = (asked, answer) => {
        if (asked.method !== 'PUT' || lost++ > 0) return false;
        answer.write = () => true; // the server does it, and nobody hears of it
        answer.writeHead = () => answer;
        answer.end = () => answer.destroy();
        return false;
      };
      await storage({ patienceMs: 60_000 }).append('log', 'one\n');
      await storage().append('log', 'two\n');
      assert.equal(await text(await storage().get('log')), 'one\ntwo\n');
      assert.ok(lost > 1);
    });

    it('of many pieces is read from anywhere', async () => {
      const one = storage();
      for (let n = 0; n < 40; n += 1) await one.append('log', `${String(n).padStart(3, '0')}\n`);
      assert.equal(await text(await storage().get('log', 38 * 4 + 1)), '38\n039\n');
      assert.equal(await storage().size('log'), 160);
    });
  });

  describe('before it is used', () => {
    it('is asked whether it can be', async () => {
      await requireS3(place());
      assert.deepEqual(await objects(), []);
      server.fault = refuse(403, 'AccessDenied', /^PUT/);
      await fails(requireS3(place()), 'Denied', /refuses these credentials/);
    });

    it('is refused where the server does not keep to conditions', async () => {
      server.fault = (asked) => {
        delete asked.headers['if-none-match'];
        return false;
      };
      await fails(requireS3(place()), 'Rejected', /does not keep to If-None-Match/);
    });

    it('is looked at by doctor', async () => {
      const at = `s3://${bucket}/fairway?endpoint=${server.url}&pathStyle=true`;
      assert.equal((await storageFinding(at)).state, 'good');
      server.fault = refuse(403, 'AccessDenied');
      const { state, found, remedy } = await storageFinding(at);
      assert.equal(state, 'bad');
      assert.match(`${found} ${remedy}`, /does not|refuses.* see to the bucket/);
      assert.match((await storageFinding('s3://X')).found, /does not name a bucket/);
    });
  });

  for (const [where, words] of [
    ['s3://', /does not name a bucket/],
    ['s3://a', /does not name a bucket/],
    ['s3://Bucket', /does not name a bucket/],
    ['s3://key:secret@bucket/x', /holds credentials/],
    ['s3://bucket/a/../b', /prefix that no key/],
    ['s3://bucket//a', /prefix that no key/],
    ['s3://bucket?colour=red', /unknown option colour/],
    ['s3://bucket?endpoint=ftp://x', /endpoint that is no http/],
    ['s3://bucket?endpoint=http://a:b@x', /endpoint that is no http.*without credentials/],
    ['s3://bucket?pathStyle=1', /pathStyle that is neither/],
    ['s3://bucket?encryption=none', /encryption that is neither AES256 nor aws:kms/],
    ['s3://bucket?kmsKey=x', /kmsKey without encryption/],
  ] as const)
    it(`is not at ${where}`, () => {
      assert.throws(
        () => s3Place(where),
        (error: Failure) => {
          assert.match(error.message, words);
          assert.ok(!error.message.includes('secret'), error.message);
          return error.type === 'InvalidInput';
        },
      );
    });
});
