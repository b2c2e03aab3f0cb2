import { fileSet } from './systems/httpd/host.ts';
import { LINK, rawZip, type RawEntry } from './systems/zip/raw-zip.ts';

/** The table of hostile input: what it is, how it is made, and what people are told. */

const PROPERTIES = 'META-INF/vault/properties.xml';

const properties = (name: string, more = '') =>
  `<properties><entry key="group">g</entry><entry key="name">${name}</entry>` +
  `<entry key="version">1</entry>${more}</properties>`;

/** The entries of a small content package, of this name or with this properties.xml. */
export const packageOf = (name = 'site', xml: string = properties(name)): RawEntry[] => [
  { name: PROPERTIES, data: xml },
  { name: 'jcr_root/' },
];

/** The entries of a whole dispatcher package. */
export const wholeFileSet: RawEntry[] = Object.entries(fileSet('new')).map(([name, content]) =>
  content.startsWith('-> ') ? { name, data: content.slice(3), mode: LINK } : { name, data: content },
);

type BadZip = readonly [what: string, make: (good: readonly RawEntry[]) => Buffer, told: RegExp];

const entry =
  (...bad: RawEntry[]): BadZip[1] =>
  (good) =>
    rawZip([...good, ...bad]);

/** Offset of the directory of a zip. */
const directoryOf = (zip: Buffer) => zip.readUInt32LE(zip.length - 6);

function changedZip(change: (zip: Buffer) => Buffer | void): BadZip[1] {
  return (good) => {
    const zip = rawZip([...good, { name: 'last', data: 'hello', method: 0 }]);
    return change(zip) ?? zip;
  };
}

/** A zip that says in its Zip64 record that it has this many entries. */
const claiming = (count: bigint) => (zip: Buffer) => {
  const end = Buffer.alloc(56 + 20);
  end.write('PK\x06\x06', 'latin1');
  end.writeBigUInt64LE(count, 32);
  end.write('PK\x06\x07', 56, 'latin1');
  end.writeBigUInt64LE(BigInt(zip.length - 22), 64);
  return Buffer.concat([zip.subarray(0, -22), end, zip.subarray(-22)]);
};

/** The last entry of the directory says that its data is that of the one before (a bomb without a ratio). */
function overlapping(good: readonly RawEntry[]): Buffer {
  const kernel = { name: 'last', data: 'hello', method: 0 };
  const zip = rawZip([
    ...good,
    { ...kernel, name: 'quoted', data: rawZip([kernel]).subarray(0, 39) },
    kernel,
  ]);
  const inside = zip.indexOf('quoted') + 'quoted'.length;
  const last = zip.lastIndexOf('last');
  zip.writeUInt32LE(inside, last - 4);
  return zip;
}

/** Refused wherever they turn up. */
export const badZips: readonly BadZip[] = [
  ['zip slip', entry({ name: '../evil' }), /"\.\.\/evil" has "\.\."/],
  ['zip slip in the middle', entry({ name: 'conf.d/../../evil' }), /"conf\.d\/\.\.\/\.\.\/evil" has "\.\."/],
  ['zip slip with backslashes', entry({ name: 'conf.d\\..\\..\\evil' }), /backslash/],
  ['an absolute path', entry({ name: '/etc/passwd' }), /"\/etc\/passwd" has an absolute path/],
  ['a drive path', entry({ name: 'C:/evil' }), /"C:\/evil" has an absolute path/],
  ['a drive path with backslashes', entry({ name: 'C:\\evil' }), /backslash/],
  ['the same entry twice', entry({ name: 'x' }, { name: 'x', data: 'y' }), /"x" is there twice/],
  ['a file and a folder of one name', entry({ name: 'x' }, { name: 'x/' }), /"x" is there twice/],
  ['a character device', entry({ name: 'x', mode: 0o020666 }), /"x" is neither a file nor a folder nor a/],
  ['a block device', entry({ name: 'x', mode: 0o060666 }), /"x" is neither a file nor a folder nor a/],
  ['a named pipe', entry({ name: 'x', mode: 0o010666 }), /"x" is neither a file nor a folder nor a/],
  ['a NUL in a name', entry({ name: 'a\0b' }), /"a\\u\{0\}b" has a control character/],
  ['a line break in a name', entry({ name: 'a\nb' }), /"a\\u\{a\}b" has a control character/],
  ['an escape sequence in a name', entry({ name: 'a\u001b[2Jb' }), /"a\\u\{1b\}\[2Jb" has a control char/],
  ['a name of 10 kB', entry({ name: 'x'.repeat(10_240) }), /name longer than 1000 bytes/],
  ['a path of 10 kB', entry({ name: 'x/'.repeat(5120) + 'x' }), /name longer than 1000 bytes/],
  [
    'a bomb by its entries',
    changedZip(claiming(100_001n)),
    /100001 entries are more than the limit of 100000/,
  ],
  [
    'a bomb by its size',
    entry(...['a', 'b', 'c'].map((name) => ({ name, size: 0xfffffffe, compressedSize: 0x0fffffff }))),
    /content is larger than 8589934592 bytes/,
  ],
  [
    'a bomb by the ratio of one entry',
    entry({ name: 'x', size: 65 * 1024 ** 2, data: 'x' }),
    /"x" is compressed \d+ to 1: more than 200/,
  ],
  [
    'a bomb by the ratio of many entries',
    entry(...Array.from({ length: 17 }, (_, n) => ({ name: `${n}`, size: 4 * 1024 ** 2 }))),
    /content is compressed more than 200 to 1/,
  ],
  ['a bomb by entries that share their data', overlapping, /entries "quoted" and "last" overlap/],
  [
    'more content than is declared',
    entry({ name: 'conf.d/x', data: 'x'.repeat(50_000), size: 10 }),
    /damaged in entry "conf\.d\/x": too many bytes/,
  ],
  ['a damaged central directory', changedZip((zip) => void (zip[directoryOf(zip)] = 0)), /is damaged: /],
  [
    'a central directory elsewhere',
    changedZip((zip) => void zip.writeUInt32LE(0, zip.length - 6)),
    /is damaged/,
  ],
  ['a central directory that is cut', changedZip((zip) => zip.subarray(0, -40)), /is damaged: /],
  ['a wrong CRC', entry({ name: 'conf.d/x', data: 'x', crc: 1 }), /"conf\.d\/x" does not match its checksum/],
  [
    'a wrong CRC of a stored entry',
    entry({ name: 'conf.d/x', data: 'x', crc: 1, method: 0 }),
    /"conf\.d\/x" does not match its checksum/,
  ],
];

/** Refused where they are to be put on a disk together. */
export const badFileSets: readonly (readonly [what: string, entries: RawEntry[], told: RegExp])[] = [
  [
    'entries that differ in case only',
    [{ name: 'conf.d/Readme' }, { name: 'conf.d/README' }],
    /"conf\.d\/Readme" and "conf\.d\/README" differ in case/,
  ],
  ['folders that differ in case only', [{ name: 'CONF.D/x' }], /"conf\.d" and "CONF\.D" differ in case/],
  [
    'entries that differ in Unicode form only',
    [{ name: 'conf.d/caf\u00e9' }, { name: 'conf.d/cafe\u0301' }],
    /differ in case or Unicode form/,
  ],
  [
    'a link that leaves the root',
    [{ name: 'conf.d/l', data: '../../x', mode: LINK }],
    /link "conf\.d\/l" to "\.\.\/\.\.\/x" leaves/,
  ],
  [
    'a link to an absolute path',
    [{ name: 'conf.d/l', data: '/etc/shadow', mode: LINK }],
    /link "conf\.d\/l" to "\/etc\/shadow" has an absolute target/,
  ],
  [
    'a link that leaves the root through another link',
    [
      { name: 'conf.d/b/c/f' },
      { name: 'up', data: 'conf.d/b/c', mode: LINK },
      { name: 'conf.d/l', data: '../up/../../../../x', mode: LINK },
    ],
    /link "conf\.d\/l" .*leaves/,
  ],
  [
    'a write through a link',
    [{ name: 'l', data: 'conf.d', mode: LINK }, { name: 'l/x' }],
    /"l\/x" would be written through the link "l"/,
  ],
  [
    'a link through a place that only the host has',
    [{ name: 'conf.d/l', data: '../modules/../x', mode: LINK }],
    /passes through "modules"/,
  ],
  [
    'links in a circle',
    [
      { name: 'conf.d/a', data: 'b', mode: LINK },
      { name: 'conf.d/b', data: 'a', mode: LINK },
    ],
    /circle/,
  ],
  ['a link with a NUL', [{ name: 'conf.d/l', data: 'a\0b', mode: LINK }], /no usable target/],
  ['a name that no disk takes', [{ name: `conf.d/${'x'.repeat(241)}` }], /name longer than 240 bytes/],
];

const attributes = (count: number) => Array.from({ length: count }, (_, n) => `a${n}="1"`).join(' ');

export const badProperties: readonly (readonly [what: string, xml: string, told: RegExp])[] = [
  [
    'an external entity',
    `<!DOCTYPE properties [<!ENTITY x SYSTEM "file:///etc/passwd">]>${properties('&x;')}`,
    /properties\.xml cannot be used: it declares entities/,
  ],
  ['a DTD', `<!DOCTYPE properties [ ]>${properties('n')}`, /cannot be used: it declares entities or a DTD/],
  ['an entity that nobody declares', properties('&evil;'), /cannot be used: it uses the entity "&evil;/],
  [
    'as many attributes as fit',
    properties('n', `<entry ${attributes(90_000)}/>`),
    /cannot be used: it is not the XML of Java properties/,
  ],
  [
    'a million attributes',
    properties('n', `<entry ${attributes(1_000_000)}/>`),
    /more than the limit of 1048576/,
  ],
  ['nesting without end', `<properties>${'<entry>'.repeat(100_000)}</properties>`, /is not the XML of Java/],
];

export const badReports: readonly (readonly [what: string, xml: () => string, told: RegExp])[] = [
  [
    'an entity',
    () => '<!-- <a> --><!DOCTYPE x [<!ENTITY a "aaaa">]><testsuite name="&a;"/>',
    /DTD of its own/,
  ],
  ['a DTD', () => '<?xml version="1.0"?>\n<!DOCTYPE x [ ]><testsuite/>', /has a DTD of its own/],
  [
    'a million attributes',
    () => `<testsuite><testcase ${attributes(1_000_000)}/></testsuite>`,
    /element testcase of more than 100 attributes/,
  ],
  ['nesting without end', () => '<a>'.repeat(100_000) + '</a>'.repeat(100_000), /cannot be read: .*nest/i],
];

export const badBranches: readonly string[] = [
  '--upload-pack=touch ran',
  '--upload-pack=x',
  '-b',
  '',
  'a b',
  'a..b',
  'a\nb',
  'a\0b',
  'a~1',
  'a^',
  'a:b',
  'a*',
  'a?',
  'a[b',
  'a\\b',
  '/a',
  'a/',
  'a//b',
  'a.',
  '.a',
  'a/.b',
  'a.lock',
  'a.lock/b',
  '@',
  'a@{1}',
  'x'.repeat(256),
];

/** Refused even where the worker may read its own folders. */
export const badAddresses: readonly string[] = [
  'ext::sh -c "touch ran"',
  'fd::3',
  'http://example.com/a.git',
  'git://example.com/a.git',
  'ftp://example.com/a.git',
  'file://host/share/a.git',
  '--upload-pack=x',
  '/srv/a.git',
  '../a.git',
  'a.git',
  '',
  'ssh://-oProxyCommand=x/a.git',
  'user@-oProxyCommand=x:a.git',
  'https://user:hunter2@example.com/a.git',
  'https://hunter2@example.com/a.git',
  'ssh://git:hunter2@example.com/a.git',
  'https://example.com/a\nb',
  'https://exa mple.com/a',
  `https://example.com/${'x'.repeat(1000)}`,
];
