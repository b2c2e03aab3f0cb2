import assert from 'node:assert/strict';
import { crc32, inflateSync } from 'node:zlib';
import { startAem, type AemStandIn } from '../../../src/local/aem/aem.ts';
import { assetsApi } from '../../../src/systems/assets/assets-api.ts';
import { sampleFiles } from '../../../src/systems/assets/samples.ts';
import { uploadLoad } from '../../../src/systems/assets/upload-load.ts';
import { Failure } from '../../../src/systems/failure.ts';
import { temporaryFolder } from '../../support/folder.ts';

describe('files for the assets test', () => {
  it('are PNG images with good checksums, all different', () => {
    const fileOf = sampleFiles();
    const files = [0, 1, 4].map((number) => fileOf('png', number).content);
    for (const content of files) {
      assert.equal(content.toString('latin1', 1, 4), 'PNG');
      const types: string[] = [];
      for (let at = 8; at < content.length;) {
        const length = content.readUInt32BE(at);
        const body = content.subarray(at + 4, at + 8 + length);
        types.push(body.toString('latin1', 0, 4));
        assert.equal(content.readUInt32BE(at + 8 + length), crc32(body), types.at(-1));
        if (types.at(-1) === 'IDAT') assert.ok(inflateSync(body.subarray(4)).length > 70_000);
        at += length + 12;
      }
      assert.deepEqual(types, ['IHDR', 'tEXt', 'IDAT', 'IEND']);
    }
    assert.equal(new Set(files.map((file) => file.toString('latin1'))).size, 3);
    assert.ok(files[0]!.length < 200_000 && files[2]!.length > 2_000_000, 'small and large ones');
  });

  it('are PDF documents whose table of objects is right', () => {
    const content = sampleFiles()('pdf', 3).content.toString('latin1');
    const [, start] = /startxref\n(\d+)\n%%EOF\n$/.exec(content) ?? [];
    assert.ok(content.startsWith('%PDF-1.4\n%fairway-0000000003\n'));
    const table = content.slice(Number(start)).split('\n').slice(3, 9);
    table.forEach((line, index) =>
      assert.ok(content.startsWith(`${index + 1} 0 obj`, Number(line.slice(0, 10))), line),
    );
  });
});

describe('uploads to the DAM', () => {
  let aem: AemStandIn;
  afterEach(() => aem.stop());
  const folder = temporaryFolder();
  beforeEach(async () => {
    aem = await startAem({ runMode: 'author', password: 'long', folder: folder() });
  });
  const api = (credentials = aem.credentials) => assetsApi({ url: aem.url, credentials });
  const status = async (path: string) =>
    (
      await fetch(`${aem.url}/api/assets${path}`, {
        headers: { authorization: `Basic ${btoa(aem.credentials)}` },
      })
    ).status;
  const fails = (work: Promise<unknown>, type: string, words: RegExp) =>
    assert.rejects(work, (error) => {
      assert.ok(error instanceof Failure);
      assert.equal(error.type, type);
      assert.match(error.message, words);
      return true;
    });

  it('that are refused say who is refused what', async () => {
    await fails(
      api('admin:wrong').createFolder('x', 'X'),
      'Denied',
      /does not let the user admin create the folder \/content\/dam\/x \(status 401\)/,
    );
    await fails(api('admin:wrong').removeFolder('x'), 'Denied', /status 401/);
    await api().createFolder('x', 'X');
    await fails(api().createFolder('x', 'X'), 'Rejected', /status 409/);
    await fails(
      assetsApi({ url: 'http://127.0.0.1:1', credentials: 'a:b' }).createFolder('x', 'X'),
      'Unavailable',
      /ECONNREFUSED/,
    );
  });

  it('go into a folder that is removed with all that is in it, and may be removed twice', async () => {
    const file = sampleFiles()('pdf', 0);
    await api().createFolder('fairway-1', 'Test');
    assert.equal(await api().upload('fairway-1', 'a.pdf', file), 201);
    assert.equal(await api().upload('fairway-1', 'a.pdf', file), 409);
    assert.equal(await api().upload('nowhere', 'a.pdf', file), 500);
    assert.equal(await status('/fairway-1/a.pdf.json'), 200);
    assert.equal(await api().removeFolder('fairway-1'), true);
    assert.equal(await status('/fairway-1.json'), 404);
    assert.equal(await api().removeFolder('fairway-1'), false);
  });

  it('go on when AEM gives a new CSRF token, as it does after a restart', async () => {
    const there = api();
    const file = sampleFiles()('pdf', 0);
    await there.createFolder('fairway-1', 'Test');
    await aem.stop();
    aem = await startAem({ runMode: 'author', password: 'long', folder: folder(), port: aem.port });
    assert.equal(await there.upload('fairway-1', 'a.pdf', file), 201);
    assert.equal(await there.removeFolder('fairway-1'), true);
  });

  const load = (change: object = {}) =>
    uploadLoad({
      ...{ api: api(), folder: 'fairway-1', perMinute: 1200, imagesPercent: 70, durationMs: 500 },
      signal: new AbortController().signal,
      ...change,
    });

  it('come at their rate, images and documents as asked', async () => {
    await api().createFolder('fairway-1', 'Test');
    const names: string[] = [];
    const { total, failed, p95Ms } = await load({
      onResult: ({ path }: { path: string }) => names.push(path),
    });
    assert.deepEqual([total, failed], [10, 0]);
    assert.ok(p95Ms !== undefined);
    assert.equal(names.filter((name) => name.endsWith('.png')).length, 7);
    assert.equal(new Set(names).size, 10);
  });

  it('that AEM has no space for fail, one by one', async () => {
    await api().createFolder('fairway-1', 'Test');
    aem.faults.fullDisk = true;
    const { total, failed, unanswered, failures } = await load();
    assert.deepEqual([total, failed, unanswered], [10, 10, 0]);
    assert.equal(failures[0]?.failure, 'status 500');
    await aem.crash();
    assert.equal((await load()).unanswered, 10);
  });
});
