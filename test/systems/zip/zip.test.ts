import assert from 'node:assert/strict';
import { mkdir, open, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { createWriteStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { Failure } from '../../../src/systems/failure.ts';
import { extractZip, listExtractable } from '../../../src/systems/zip/extract.ts';
import { listZip, readEntry } from '../../../src/systems/zip/read.ts';
import { temporaryFolder } from '../../support/folder.ts';
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
    ['a path upwards', [{ name: '../evil' }], /"\.\.\/evil" has "\.\."/],
    ['a path upwards in the middle', [{ name: 'a/../../evil' }], /has "\.\."/],
    ['an absolute path', [{ name: '/etc/passwd' }], /"\/etc\/passwd" has an absolute path/],
    ['a drive', [{ name: 'C:/evil' }], /absolute path/],
    ['a backslash', [{ name: 'a\\..\\evil' }], /backslash/],
    ['a NUL', [{ name: 'a\0b' }], /"a\\u\{0\}b" has a control character/],
    ['a line break', [{ name: 'a\nb' }], /"a\\u\{a\}b" has a control character/],
    ['no name', [{ name: '' }], /has no name/],
    ['an empty segment', [{ name: 'a//b' }], /empty or "\." segment/],
    ['a dot segment', [{ name: 'a/./b' }], /empty or "\." segment/],
    ['a name that is too long', [{ name: 'x'.repeat(1001) }], /longer than 1000 bytes/],
    ['bytes that are no UTF-8', [{ name: Buffer.from([0x61, 0xff]) }], /not valid UTF-8/],
    ['the same name twice', [{ name: 'a' }, { name: 'a' }], /"a" is there twice/],
    ['a file and a folder of one name', [{ name: 'a' }, { name: 'a/' }], /"a" is there twice/],
    ['a device', [{ name: 'a', mode: 0o020666 }], /"a" is neither a file nor a folder nor a link/],
    ['a named pipe', [{ name: 'a', mode: 0o010666 }], /neither a file/],
    [
      'a folder that says it is a file',
      [{ name: 'a/', mode: 0o100644 }],
      /folder by its name and not by its type/,
    ],
    ['a folder with content', [{ name: 'a/', data: 'x' }], /folder with content/],
    ['an encrypted entry', [{ name: 'a', data: 'x', flags: 1 }], /"a" is encrypted/],
    ['an unknown compression', [{ name: 'a', data: 'x', method: 12 }], /compression method 12/],
    [
      'a bomb by its declared ratio',
      [{ name: 'a', size: 65 * 1024 ** 2, data: 'x' }],
      /"a" is compressed .* to 1/,
    ],
    ['overlapping entries', [{ name: 'a', compressedSize: 4000 }], /entries overlap/],
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
      'names that differ in case only',
      [{ name: 'a/Readme' }, { name: 'a/README' }],
      /"a\/Readme" and "a\/README" differ in case/,
    ],
    ['folders that differ in case only', [{ name: 'A/x' }, { name: 'a/y' }], /"A" and "a" differ in case/],
    [
      'names that differ in Unicode form only',
      [{ name: 'caf\u00e9' }, { name: 'cafe\u0301' }],
      /differ in case or Unicode form/,
    ],
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
      'a write through a link',
      [{ name: 'l', data: 'd', mode: LINK }, { name: 'l/x' }, { name: 'd/y' }],
      /"l\/x" would be written through the link "l"/,
    ],
    [
      'a folder through a link',
      [{ name: 'l/x/' }, { name: 'l', data: 'd', mode: LINK }],
      /written through the link/,
    ],
    [
      'a link that leaves the folder',
      [{ name: 'a/l', data: '../../x', mode: LINK }],
      /link "a\/l" to "\.\.\/\.\.\/x" leaves/,
    ],
    ['an absolute link', [{ name: 'l', data: '/etc/passwd', mode: LINK }], /absolute target/],
    ['a link without target', [{ name: 'l', data: '', mode: LINK }], /no usable target/],
    ['a link with a NUL', [{ name: 'l', data: 'a\0b', mode: LINK }], /no usable target/],
    [
      'a link that leaves through another one',
      [
        { name: 'a/b/c/f' },
        { name: 'up', data: 'a/b/c', mode: LINK },
        { name: 'a/l', data: '../up/../../../../x', mode: LINK },
      ],
      /leaves/,
    ],
    [
      'a link through a place that only the host has',
      [{ name: 'conf/l', data: '../modules/../x', mode: LINK }],
      /passes through "modules"/,
    ],
    [
      'links in a circle',
      [
        { name: 'a', data: 'b', mode: LINK },
        { name: 'b', data: 'a', mode: LINK },
      ],
      /circle/,
    ],
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

  it('refuses content that is larger than declared', async () => {
    const path = await write([{ name: 'a', data: 'x'.repeat(50_000), size: 10 }]);
    await assert.rejects(extractZip(path, target()), invalid(/entry "a": too many bytes/));
    await assert.rejects(readEntry(path, 'a', 100), invalid(/too many bytes/));
    assert.ok((await stat(join(target(), 'a'))).size <= 10);
  });

  it('refuses content that does not match its checksum', async () => {
    for (const method of [0, 8]) {
      const path = await write([{ name: 'a', data: 'hello', crc: 1, method }]);
      await assert.rejects(readEntry(path, 'a', 100), invalid(/"a" does not match its checksum/));
      await assert.rejects(extractZip(path, join(folder(), `out${method}`)), invalid(/checksum/));
    }
  });

  it('refuses a damaged file', async () => {
    const good = rawZip([{ name: 'a', data: 'hello '.repeat(100) }, { name: 'b' }]);
    await assert.rejects(listZip(await write(Buffer.from('not a zip'))), invalid(/damaged/));
    await assert.rejects(listZip(await write(Buffer.alloc(0))), invalid(/damaged/));
    await assert.rejects(listZip(await write(good.subarray(0, good.length - 30))), invalid(/damaged/));
    await assert.rejects(listZip(await write(good.subarray(10))), invalid(/damaged/));
    await assert.rejects(listZip(await write(rawZip([{ name: 'a' }], 2))), invalid(/damaged/));
    const broken = Buffer.from(good);
    broken.fill(0xff, 31, 40);
    await assert.rejects(readEntry(await write(broken), 'a', 1e6), invalid(/damaged in entry "a"/));
  });

  it('refuses more entries than the limit, before reading them', async () => {
    const zip64 = rawZip([{ name: 'a' }]);
    const end = Buffer.alloc(56 + 20);
    end.write('PK\x06\x06', 'latin1');
    end.writeBigUInt64LE(100_001n, 32);
    end.write('PK\x06\x07', 56, 'latin1');
    end.writeBigUInt64LE(BigInt(zip64.length - 22), 64);
    const path = await write(Buffer.concat([zip64.subarray(0, -22), end, zip64.subarray(-22)]));
    await assert.rejects(listZip(path), invalid(/100001 entries are more than the limit of 100000/));
  });

  it('refuses more than 8 GiB in total', async () => {
    const entry = { size: 0xfffffffe, compressedSize: 0x0fffffff };
    const zip = rawZip(['a', 'b', 'c'].map((name) => ({ name, ...entry })));
    const hole = 3 * entry.compressedSize;
    zip.writeUInt32LE(zip.readUInt32LE(zip.length - 6) + hole, zip.length - 6);
    const path = join(folder(), 'site.zip');
    const file = await open(path, 'w');
    await file.write(zip, 0, zip.length, hole);
    await file.close();
    await assert.rejects(listZip(path), invalid(/content is larger than 8589934592 bytes/));
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
    setTimeout(() => controller.abort(new Error('cancelled by a person')), 10);
    await assert.rejects(extraction, /cancelled by a person/);
  });

  it('leaves no file open, whatever happens', async () => {
    const openFiles = () => readdirSync('/proc/self/fd').length;
    const before = openFiles();
    const bad = await write([{ name: 'a', data: 'x'.repeat(500_000), size: 10 }]);
    for (let round = 0; round < 20; round += 1) {
      await assert.rejects(readEntry(bad, 'a', 100));
      await assert.rejects(extractZip(bad, join(folder(), `out${round}`)));
    }
    for (let tries = 0; openFiles() > before && tries < 200; tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 10));
    assert.ok(openFiles() <= before, `${openFiles()} files open, ${before} before`);
  });
});
