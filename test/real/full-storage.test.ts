import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Failure } from '../../src/systems/failure.ts';
import { MARK } from '../../src/systems/storage/key.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import { temporaryFolder } from '../support/folder.ts';
import { SmallDisk } from '../support/small-disk.ts';

describe('a storage folder whose disk is full', () => {
  const disk = new SmallDisk();
  afterEach(() => disk.stop());
  const folder = temporaryFolder();
  beforeEach(() => disk.mount(join(folder(), 'storage')));

  it('says so, loses nothing, leaves nothing half written, and goes on when there is room', async () => {
    const root = join(folder(), 'storage');
    const storage = fileStorage(root);
    await storage.put('1/site.zip', 'old');
    await storage.append('1/build.log', 'first\n');
    const large = () => Readable.from(Array.from({ length: 64 }, () => Buffer.alloc(65_536, 1)));
    const isFull = (error: unknown) =>
      error instanceof Failure &&
      error.type === 'Unavailable' &&
      /storage is full .*make room/.test(error.message);

    await disk.fill(1_024);
    await assert.rejects(storage.put('1/site.zip', large()), isFull);
    assert.deepEqual(await readdir(join(root, MARK)), []);
    await disk.fill(0);
    await assert.rejects(storage.append('1/build.log', 'second\n'.repeat(100_000)), isFull);
    assert.equal(await text(await storage.get('1/site.zip')), 'old');
    assert.match(await text(await storage.get('1/build.log')), /^first\n/);

    await disk.empty();
    await storage.put('1/site.zip', large());
    assert.equal(await storage.size('1/site.zip'), 64 * 65_536);
  });
});
