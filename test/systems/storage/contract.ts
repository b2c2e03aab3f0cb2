import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Storage } from '../../../src/systems/storage/storage.ts';

/** What every storage does. `storage` gives another view of the same one each time; a new test begins with an empty one. */
export function storageContract(storage: () => Storage, folder: () => string): void {
  for (const key of [
    '../secret',
    'a/../../secret',
    '/etc/passwd',
    'a//b',
    'a/',
    '',
    '.',
    'a/./b',
    'a\\..\\b',
    'a\nb',
    'a\0b',
    '.fairway-storage/x',
    'a/log.fairway-storage/x',
    'k'.repeat(1001),
  ])
    it(`refuses the key ${JSON.stringify(key.slice(0, 20))} in every method`, async () => {
      const refused = { name: 'Failure', type: 'InvalidInput' };
      await assert.rejects(storage().put(key, 'x'), refused);
      await assert.rejects(storage().get(key), refused);
      await assert.rejects(storage().append(key, 'x'), refused);
      await assert.rejects(storage().size(key), refused);
      const file = { key, sha256: '', size: 0 };
      await assert.rejects(storage().fetch(file, join(folder(), 'out')), refused);
      assert.deepEqual(await readdir(folder()), []);
    });

  it('stores text, bytes and streams, and says size and SHA-256', async () => {
    const stored = await storage().put('1/2/3/a.txt', 'hello');
    assert.deepEqual(stored, {
      key: '1/2/3/a.txt',
      size: 5,
      sha256: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
    });
    assert.equal((await storage().put('b', Buffer.from('hello'))).sha256, stored.sha256);
    assert.equal(
      (await storage().put('c', Readable.from([Buffer.from('hel'), Buffer.from('lo')]))).sha256,
      stored.sha256,
    );
    assert.equal(await text(await storage().get('1/2/3/a.txt')), 'hello');
    assert.equal((await storage().put('empty', '')).size, 0);
    assert.equal(await text(await storage().get('empty')), '');
  });

  it('gives a part of a file', async () => {
    await storage().put('a', 'hello');
    assert.equal(await text(await storage().get('a', 3)), 'lo');
    assert.equal(await text(await storage().get('a', 5)), '');
  });

  it('replaces a file as a whole', async () => {
    await storage().put('a', 'a longer text');
    await storage().put('a', 'short');
    assert.equal(await text(await storage().get('a')), 'short');
    await storage().append('a', ' and more');
    assert.equal(await text(await storage().get('a')), 'short and more');
    await storage().put('a', 'new');
    assert.equal(await text(await storage().get('a')), 'new');
  });

  it('shows nothing of a stream that breaks off, and keeps what was there', async () => {
    await storage().put('a', 'old');
    const breaking = Readable.from(
      (async function* () {
        yield Buffer.from('half');
        throw new Error('the connection broke');
      })(),
    );
    await assert.rejects(storage().put('a', breaking), /the connection broke/);
    assert.equal(await text(await storage().get('a')), 'old');
    assert.deepEqual(await storage().list(''), ['a']);
  });

  it('fetches a file and checks it', async () => {
    const file = await storage().put('1/a.zip', 'content');
    const path = join(folder(), 'a.zip');
    await storage().fetch(file, path);
    assert.equal(await readFile(path, 'utf8'), 'content');
  });

  it('does not hand out another file than the one that was stored', async () => {
    const file = await storage().put('1/a.zip', 'content');
    const path = join(folder(), 'a.zip');
    for (const other of ['CONTENT', 'con', 'content and more']) {
      await storage().put('1/a.zip', other);
      await assert.rejects(storage().fetch(file, path), { type: 'InvalidArtifact', message: /1\/a\.zip/ });
    }
    assert.ok(!(await readdir(folder())).includes('a.zip'));
  });

  it('names what is missing', async () => {
    const missing = { type: 'Missing', message: /1\/a\.zip is not in storage/ };
    await assert.rejects(storage().get('1/a.zip'), missing);
    assert.equal(await storage().size('1/a.zip'), undefined);
    await storage().put('file', 'x');
    await assert.rejects(
      storage().fetch({ key: '1/a.zip', sha256: '', size: 0 }, join(folder(), 'x')),
      missing,
    );
    assert.equal(await storage().size('file/below'), undefined);
  });

  it('stops a fetch that is cancelled', async () => {
    const file = await storage().put('a', 'content');
    await assert.rejects(storage().fetch(file, join(folder(), 'x'), AbortSignal.abort()), {
      name: 'AbortError',
    });
  });

  it('keeps every line of several writers of one log, and the order of each', async () => {
    const writers = Array.from({ length: 4 }, () => storage());
    const lines = Array.from({ length: 60 }, (_, n) => `line ${String(n).padStart(2, '0')}`);
    await Promise.all(lines.map((line, n) => writers[n % 4]!.append('1/build.log', `${line}\n`)));
    const written = (await text(await storage().get('1/build.log'))).trimEnd().split('\n');
    assert.deepEqual([...written].sort(), lines);
    assert.equal(await storage().size('1/build.log'), lines.join('\n').length + 1);
    assert.equal(await text(await storage().get('1/build.log', 8)), `${written.slice(1).join('\n')}\n`);
    await writers[0]!.append('1/build.log', 'ä');
    await writers[0]!.append('1/build.log', 'ö');
    assert.ok((await text(await storage().get('1/build.log'))).endsWith('äö'));
    assert.deepEqual(await storage().list('1/'), ['1/build.log']);
  });

  it('lists keys below a prefix, sorted', async () => {
    assert.deepEqual(await storage().list('1/'), []);
    for (const key of ['1/b', '1/a/c', '2/a', '10/a']) await storage().put(key, key);
    assert.deepEqual(await storage().list('1/'), ['1/a/c', '1/b']);
    assert.deepEqual(await storage().list(''), ['1/a/c', '1/b', '10/a', '2/a']);
  });

  it('names the folders directly below a prefix, sorted', async () => {
    assert.deepEqual(await storage().folders('1/'), []);
    for (const key of ['1/b/x', '1/b/y', '1/a/c/d', '1/file', '2/z/x']) await storage().put(key, key);
    assert.deepEqual(await storage().folders('1/'), ['a', 'b']);
    await assert.rejects(storage().folders('1/../'), { type: 'InvalidInput' });
  });
}
