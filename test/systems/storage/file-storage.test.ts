import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rename, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileStorage, makeStorage, requireStorage } from '../../../src/systems/storage/file-storage.ts';
import { storageContract } from './contract.ts';
import { temporaryFolder } from '../../support/folder.ts';

describe('file storage', () => {
  const folder = temporaryFolder();
  const storage = () => fileStorage(join(folder(), 'storage'));

  storageContract(storage, folder);

  it('is unavailable while its folder is away, makes none in its place, and goes on when it is back', async () => {
    const one = storage();
    const stored = await one.put('a/b.txt', 'hello');
    await rename(join(folder(), 'storage'), join(folder(), 'away'));
    const unavailable = { name: 'Failure', type: 'Unavailable', message: /storage is not there/ };
    await assert.rejects(one.put('a/c.txt', 'x'), unavailable);
    await assert.rejects(one.append('a/b.txt', 'x'), unavailable);
    await assert.rejects(one.get('a/b.txt'), unavailable);
    await assert.rejects(one.size('a/b.txt'), unavailable);
    await assert.rejects(one.list('a/'), unavailable);
    await assert.rejects(one.fetch(stored, join(folder(), 'out')), unavailable);
    const another = storage().fetch(stored, join(folder(), 'out'));
    await assert.rejects(another, unavailable, 'to a process that was started meanwhile');
    assert.deepEqual(await readdir(folder()), ['away']);
    await rename(join(folder(), 'away'), join(folder(), 'storage'));
    assert.equal(await text(await one.get('a/b.txt')), 'hello');
  });

  it('waits for its folder where it is to, also where a mount leaves an empty one', async () => {
    const [path, away] = [join(folder(), 'storage'), join(folder(), 'away')];
    await storage().put('a', 'x');
    const patient = fileStorage(path, { patienceMs: 60_000 });
    await patient.append('log', 'one\n');
    await rename(path, away);
    await mkdir(path);
    const written = [patient.append('log', 'two\n'), patient.put('b', 'y')];
    assert.deepEqual(await readdir(path), []);
    await rename(away, path);
    await Promise.all(written);
    assert.equal(await text(await storage().get('log')), 'one\ntwo\n');
    assert.equal(await text(await storage().get('b')), 'y');
  });

  it('stops waiting for its folder when whoever asks is cancelled', async () => {
    const [path, away] = [join(folder(), 'storage'), join(folder(), 'away')];
    const cancel = new AbortController();
    const interruption = () => cancel.signal;
    const patient = fileStorage(path, { patienceMs: 60_000, interruption });
    await patient.append('log', 'one\n');
    await rename(path, away);
    const waiting = patient.append('log', 'two\n');
    const reason = new Error('cancelled');
    cancel.abort(reason);
    await assert.rejects(waiting, reason);
  });

  it('waits again where it goes away again, however long ago it was away before', async () => {
    const [path, away] = [join(folder(), 'storage'), join(folder(), 'away')];
    const patient = fileStorage(path, { patienceMs: 1000 });
    await patient.append('log', 'one\n');
    await rename(path, away);
    await assert.rejects(patient.append('log', 'x'), /is not there/);
    await rename(away, path);
    await delay(1050); // it is back, and nobody has asked for it meanwhile
    await rename(path, away);
    const written = patient.append('log', 'two\n');
    await delay(50);
    await rename(away, path);
    await written;
  });

  it('is required: a folder that nobody has made a storage of is none, empty or absent', async () => {
    const path = join(folder(), 'storage');
    const none = { name: 'Failure', type: 'Unavailable', message: /is no storage: .*Mount it; .*mkdir -p/ };
    await assert.rejects(requireStorage(path), none);
    await mkdir(path);
    await assert.rejects(requireStorage(path), none);
    await assert.rejects(fileStorage(path, { existing: true }).put('a', 'x'), none);
    assert.deepEqual(await readdir(path), []);
    await makeStorage(path);
    await requireStorage(path);
  });

  it('waits for one that must exist before its first write as well', async () => {
    const [path, away] = [join(folder(), 'storage'), join(folder(), 'away')];
    await makeStorage(away);
    const written = fileStorage(path, { existing: true, patienceMs: 60_000 }).append('log', 'one\n');
    await rename(away, path);
    await written;
    assert.deepEqual(await readdir(path), ['.fairway-storage', 'log']);
  });

  it('removes what writers have left that died a day ago, and nothing that is still being written', async () => {
    await storage().put('a', 'x');
    const partial = (name: string) => join(folder(), 'storage', '.fairway-storage', name);
    await writeFile(partial('old'), 'half');
    await writeFile(partial('new'), 'half');
    const yesterday = Date.now() / 1000 - 25 * 3600;
    await utimes(partial('old'), yesterday, yesterday);
    await storage().append('log', 'x');
    assert.deepEqual(await readdir(partial('')), ['new']);
  });

  it('leaves nothing beside it of a stream that breaks off', async () => {
    const breaking = Readable.from(
      (async function* () {
        yield Buffer.from('half');
        throw new Error('the connection broke');
      })(),
    );
    await assert.rejects(storage().put('a', breaking), /the connection broke/);
    assert.deepEqual(await readdir(join(folder(), 'storage', '.fairway-storage')), []);
  });

  it('fetches from a copy of a storage that holds the files alone', async () => {
    const file = await storage().put('1/a.zip', 'content');
    await rm(join(folder(), 'storage', '.fairway-storage'), { recursive: true });
    await storage().fetch(file, join(folder(), 'a.zip'));
    assert.equal(await readFile(join(folder(), 'a.zip'), 'utf8'), 'content');
  });

  it('does not hand out a file that was changed or cut', async () => {
    const file = await storage().put('1/a.zip', 'content');
    const path = join(folder(), 'a.zip');
    const inside = join(folder(), 'storage', '1', 'a.zip');
    await writeFile(inside, 'CONTENT');
    await assert.rejects(storage().fetch(file, path), { type: 'InvalidArtifact', message: /1\/a\.zip/ });
    await truncate(inside, 3);
    await assert.rejects(storage().fetch(file, path), { type: 'InvalidArtifact' });
    assert.deepEqual(await readdir(folder()), ['storage']);
  });

  it('has no folders as files', async () => {
    await storage().put('file', 'x');
    assert.equal(await storage().size('file/below'), undefined);
    await mkdir(join(folder(), 'storage', 'empty'));
    await assert.rejects(storage().get('empty'), { type: 'Missing' });
  });
});
