import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { createWriteStream, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { Failure } from '../../../src/systems/failure.ts';
import { extractZip, listExtractable } from '../../../src/systems/zip/extract.ts';
import { listZip, readEntry } from '../../../src/systems/zip/read.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { until } from '../../support/until.ts';
import { LINK, rawZip, type RawEntry } from './raw-zip.ts';

describe('zips', () => {
  const folder = temporaryFolder();
  const write = async (content: Buffer | readonly RawEntry[]) => {
    const path = join(folder(), 'site.zip');
    await writeFile(path, content instanceof Buffer ? content : rawZip(content as RawEntry[]));
    return path;
  };
  const invalid = (message: RegExp) => (error: unknown) => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.type, 'InvalidArtifact', error.message);
    assert.match(error.message, /^site\.zip/);
    assert.match(error.message, message);
    return true;
  };
  const target = () => join(folder(), 'out');
  const nothingOutside = async () => assert.deepEqual(await readdir(folder()), ['site.zip']);

  const badEntries: [string, RawEntry[], RegExp][] = [
    ['no name', [{ name: '' }], /has no name/],
    ['an empty segment', [{ name: 'a//b' }], /empty or "\." segment/],
    ['a dot segment', [{ name: 'a/./b' }], /empty or "\." segment/],
    ['bytes that are no UTF-8', [{ name: Buffer.from([0x61, 0xff]) }], /not valid UTF-8/],
    [
      'a folder that says it is a file',
      [{ name: 'a/', mode: 0o100644 }],
      /folder by its name and not by its type/,
    ],
    ['a folder with content', [{ name: 'a/', data: 'x' }], /folder with content/],
    ['an encrypted entry', [{ name: 'a', data: 'x', flags: 1 }], /"a" is encrypted/],
    ['an unknown compression', [{ name: 'a', data: 'x', method: 12 }], /compression method 12/],
  ];
  for (const [what, entries, message] of badEntries)
    it(`refuses ${what}, before anything is written`, async () => {
      const path = await write(entries);
      await assert.rejects(listZip(path), invalid(message));
      await assert.rejects(extractZip(path, target()), invalid(message));
      await nothingOutside();
    });

  const badTogether: [string, RawEntry[], RegExp][] = [
    [
      'a file where a folder is needed',
      [{ name: 'a' }, { name: 'a/b' }],
      /"a\/b" needs a folder where "a" is a file/,
    ],
    [
      'the same in reverse order',
      [{ name: 'a/b/c' }, { name: 'a/b' }],
      /needs a folder where "a\/b" is a file/,
    ],
    [
      'a folder through a link',
      [{ name: 'l/x/' }, { name: 'l', data: 'd', mode: LINK }],
      /written through the link/,
    ],
    ['a link without target', [{ name: 'l', data: '', mode: LINK }], /no usable target/],
    [
      'a link with a long target',
      [{ name: 'l', data: 'x'.repeat(1001), mode: LINK }],
      /more than the limit of 1000/,
    ],
  ];
  for (const [what, entries, message] of badTogether)
    it(`does not extract ${what}`, async () => {
      const path = await write(entries);
      await assert.rejects(listExtractable(path), invalid(message));
      await assert.rejects(extractZip(path, target()), invalid(message));
      await nothingOutside();
    });

  it('refuses an entry whose own header says something else than the directory', async () => {
    const good = rawZip([{ name: 'conf/a', data: 'hello' }]);
    const changes: [string, (zip: Buffer) => void, RegExp][] = [
      ['name', (zip) => zip.write('/etc/a', 30), /"conf\/a" has another name in its own header/],
      ['method', (zip) => zip.writeUInt16LE(0, 8), /another compression method in its own header/],
      ['checksum', (zip) => zip.writeUInt32LE(1, 14), /another size or checksum in its own header/],
      ['size', (zip) => zip.writeUInt32LE(1, 22), /another size or checksum in its own header/],
    ];
    for (const [, change, message] of changes) {
      const zip = Buffer.from(good);
      change(zip);
      const path = await write(zip);
      await assert.rejects(listZip(path), invalid(message));
      await assert.rejects(extractZip(path, target()), invalid(message));
      await nothingOutside();
    }
  });

  it('refuses a damaged file', async () => {
    const good = rawZip([{ name: 'a', data: 'hello '.repeat(100) }, { name: 'b' }]);
    await assert.rejects(listZip(await write(Buffer.from('not a zip'))), invalid(/damaged/));
    await assert.rejects(listZip(await write(Buffer.alloc(0))), invalid(/damaged/));
    await assert.rejects(listZip(await write(good.subarray(10))), invalid(/damaged/));
    await assert.rejects(listZip(await write(rawZip([{ name: 'a' }], 2))), invalid(/damaged/));
    const broken = Buffer.from(good);
    broken.fill(0xff, 31, 40);
    await assert.rejects(readEntry(await write(broken), 'a', 1e6), invalid(/damaged in entry "a"/));
  });

  it('says which file is missing', async () => {
    await assert.rejects(listZip(join(folder(), 'gone.zip')), { type: 'Missing', message: /gone\.zip/ });
  });

  it('does not read more than the limit', async () => {
    const path = await write([{ name: 'a', data: 'x'.repeat(101) }]);
    await assert.rejects(readEntry(path, 'a', 100), invalid(/"a" has 101 bytes, more than the limit of 100/));
    assert.equal((await readEntry(path, 'a', 101))?.length, 101);
    assert.equal(await readEntry(path, 'b', 101), undefined);
  });

  it('does not extract over anything', async () => {
    const path = await write([{ name: 'a', data: 'new' }]);
    await mkdir(target());
    await writeFile(join(target(), 'a'), 'old');
    await assert.rejects(extractZip(path, target()), { type: 'Conflict', message: /not empty/ });
    assert.equal(await readFile(join(target(), 'a'), 'utf8'), 'old');
  });

  it('keeps names apart that only a disk would mix up, as long as nothing is extracted', async () => {
    const path = await write([{ name: 'dam/Logo.png' }, { name: 'dam/logo.png' }]);
    assert.deepEqual(
      (await listZip(path)).map(({ name }) => name),
      ['dam/Logo.png', 'dam/logo.png'],
    );
  });

  it('lists and extracts files, folders, links and modes', async () => {
    const path = await write([
      { name: 'conf.d/', mode: 0o040700 },
      { name: 'conf.d/', mode: 0o040700 },
      { name: 'conf.d/available/a b \u00e9.vhost', data: 'host', mode: 0o100600 },
      { name: 'conf.d/enabled/a.vhost', data: '../available/a b \u00e9.vhost', mode: LINK },
      { name: 'conf.d/script', data: '#!', mode: 0o104755, method: 0 },
      { name: 'plain', data: '' },
    ]);
    assert.deepEqual(await listZip(path), [
      { name: 'conf.d', size: 0, type: 'folder' },
      { name: 'conf.d/available/a b \u00e9.vhost', size: 4, type: 'file' },
      { name: 'conf.d/enabled/a.vhost', size: 25, type: 'link' },
      { name: 'conf.d/script', size: 2, type: 'file' },
      { name: 'plain', size: 0, type: 'file' },
    ]);
    const umask = process.umask(0o077);
    try {
      await extractZip(path, target());
    } finally {
      process.umask(umask);
    }
    const mode = async (name: string) => ((await stat(join(target(), name))).mode & 0o7777).toString(8);
    assert.equal(await readlink(join(target(), 'conf.d/enabled/a.vhost')), '../available/a b \u00e9.vhost');
    assert.equal(await readFile(join(target(), 'conf.d/enabled/a.vhost'), 'utf8'), 'host');
    assert.equal(await mode('conf.d'), '755');
    assert.equal(await mode('conf.d/available'), '755');
    assert.equal(await mode('conf.d/available/a b \u00e9.vhost'), '644');
    assert.equal(await mode('conf.d/script'), '755');
    assert.equal(await mode('plain'), '644');
  });

  it('extracts 200 MB in little memory, and stops when told to', async function () {
    const path = join(folder(), 'big.zip');
    const zip = new ZipFile();
    const block = Buffer.alloc(1024 ** 2);
    for (let index = 0; index < block.length; index += 64)
      block.writeUInt32LE((index * 2654435761) % 2 ** 32, index);
    zip.addReadStream(Readable.from(Array.from({ length: 200 }, () => block)), 'big', { compress: false });
    zip.end();
    await pipeline(zip.outputStream as Readable, createWriteStream(path));

    const before = process.memoryUsage().rss;
    let most = before;
    const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 5);
    try {
      await extractZip(path, target());
    } finally {
      clearInterval(timer);
    }
    assert.equal((await stat(join(target(), 'big'))).size, 200 * 1024 ** 2);
    assert.ok(most - before < 80 * 1024 ** 2, `${Math.round((most - before) / 1024 ** 2)} MiB more`);

    const controller = new AbortController();
    const extraction = extractZip(path, join(folder(), 'out2'), controller.signal);
    const refused = assert.rejects(extraction, /cancelled by a person/);
    await until('the extraction has begun', () => existsSync(join(folder(), 'out2', 'big')));
    controller.abort(new Error('cancelled by a person'));
    await refused;
  });

  it('leaves no file open, whatever happens', async () => {
    const openFiles = () => readdirSync('/proc/self/fd').length;
    const before = openFiles();
    const bad = await write([{ name: 'a', data: 'x'.repeat(500_000), size: 10 }]);
    for (let round = 0; round < 20; round += 1) {
      await assert.rejects(readEntry(bad, 'a', 100));
      await assert.rejects(extractZip(bad, join(folder(), `out${round}`)));
    }
    await until('no more files are open than before', () => openFiles() <= before);
  });
});
