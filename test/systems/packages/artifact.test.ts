import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildDispatcherZip, buildPackage, type ContentPackage } from '../../../src/local/content-package.ts';
import { Failure } from '../../../src/systems/failure.ts';
import { readArtifact } from '../../../src/systems/packages/artifact.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { rawZip, type RawEntry } from '../zip/raw-zip.ts';

const PROPERTIES = 'META-INF/vault/properties.xml';

describe('artifacts of a build', () => {
  const folder = temporaryFolder();
  const { TMPDIR } = process.env;
  beforeEach(() => (process.env.TMPDIR = folder()));
  afterEach(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  });
  const zipPath = () => join(folder(), 'site.zip');
  const pack = async (content: Partial<ContentPackage> = {}) => {
    await buildPackage(zipPath(), { group: 'g', name: 'site', version: '1.0', ...content });
    return readFile(zipPath());
  };
  const read = async (entries: readonly RawEntry[]) => {
    await writeFile(zipPath(), rawZip(entries));
    return readArtifact(zipPath());
  };
  const readPackage = async (content: Partial<ContentPackage>) => {
    await pack(content);
    const artifact = await readArtifact(zipPath());
    assert.equal(artifact.kind, 'aem');
    return artifact.package;
  };
  const invalid = (message: RegExp) => (error: unknown) => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.type, 'InvalidArtifact');
    assert.match(error.message, message);
    return true;
  };
  const withProperties = (xml: string | Buffer, manifest?: string) =>
    read([
      { name: PROPERTIES, data: xml },
      { name: 'jcr_root/' },
      ...(manifest === undefined ? [] : [{ name: 'META-INF/MANIFEST.MF', data: manifest }]),
    ]);
  const properties = (...entries: string[]) => `<properties>${entries.join('\n')}</properties>`;
  const entry = (key: string, value: string) => `<entry key="${key}">${value}</entry>`;
  const named = [entry('group', 'g'), entry('name', 'n'), entry('version', '1')];

  describe('told apart', () => {
    it('refuses what is both package and dispatcher configuration', async () => {
      await pack({ files: { '/conf/httpd.conf': '', '/conf.d/a.conf': '' } });
      await assert.rejects(readArtifact(zipPath()), invalid(/^site\.zip: it holds both/));
    });

    it('knows a dispatcher package, a complete one and one with a folder missing', async () => {
      const folders = ['conf', 'conf.d', 'conf.dispatcher.d', 'conf.modules.d'];
      for (const missing of [undefined, ...folders.slice(0, 3)]) {
        const files = folders.filter((name) => name !== missing).map((name) => [`${name}/x`, ''] as const);
        await buildDispatcherZip(zipPath(), Object.fromEntries<string>(files), { 'conf.modules.d/l': 'x' });
        assert.deepEqual(await readArtifact(zipPath()), { kind: 'dispatcher' });
      }
    });

    it("refuses the other flavour's dispatcher configuration, both ways", async () => {
      const cloud = { 'conf.d/x': '', 'conf.dispatcher.d/x': '' };
      await buildDispatcherZip(zipPath(), cloud, {});
      await assert.rejects(readArtifact(zipPath()), invalid(/for AEM as a Cloud Service, without conf\//));
      const flavour = 'aem_cloud_service';
      assert.deepEqual(await readArtifact(zipPath(), flavour), { kind: 'dispatcher', flavour });
      await buildDispatcherZip(zipPath(), { ...cloud, 'conf/x': '', 'conf.modules.d/x': '' }, {});
      await assert.rejects(
        readArtifact(zipPath(), flavour),
        invalid(/it is a dispatcher configuration for Managed Services/),
      );
    });

    it('keeps everything else, with the reason', async () => {
      const neither = 'it is neither a content package nor a dispatcher package';
      assert.deepEqual(await read([{ name: 'readme.txt' }]), { kind: 'kept', reason: neither });
      assert.deepEqual(await read([{ name: 'conf/tool.conf' }]), { kind: 'kept', reason: neither });
      assert.deepEqual(await read([]), { kind: 'kept', reason: neither });
      assert.deepEqual(await read([{ name: PROPERTIES }]), {
        kind: 'kept',
        reason: `${neither}: there is no jcr_root/`,
      });
      assert.deepEqual(await read([{ name: 'jcr_root/apps/x' }]), {
        kind: 'kept',
        reason: `${neither}: there is no ${PROPERTIES}`,
      });
    });

    it('keeps a package with cloudManagerTarget none', async () => {
      await pack({ cloudManagerTarget: 'none' });
      assert.deepEqual(await readArtifact(zipPath()), {
        kind: 'kept',
        reason: 'its property cloudManagerTarget is none',
      });
    });
  });

  describe('packages', () => {
    const bad: [string, string | Buffer, RegExp][] = [
      ['a stray ampersand', properties(...named, entry('x', 'a & b')), /entity/],
      ['no XML', 'name=site', /not the XML of Java properties/],
      ['XML that breaks off', properties(...named).slice(0, -5), /not the XML/],
      [
        'an element that does not close',
        properties(...named, '<entry key="x">'),
        /not the XML.*from "<entry/,
      ],
      ['other XML', '<project/>', /not the XML/],
      ['bytes that are no UTF-8', Buffer.from([0xff, 0xfe, 0x3c]), /not encoded in UTF-8/],
      ['no name', properties(entry('group', 'g')), /has no name/],
      ['an empty name', properties(entry('group', 'g'), entry('name', '')), /has no name/],
      ['a name that is a path', properties(entry('group', 'g'), entry('name', '../n')), /name "\.\.\/n"/],
      ['a name with a line break', properties(entry('group', 'g'), entry('name', 'a&#10;b')), /name "a\\nb"/],
      [
        'a group that leaves its place',
        properties(entry('group', 'a/../b'), entry('name', 'n')),
        /group "a\/\.\.\/b"/,
      ],
      [
        'a version that is a path',
        properties(entry('group', 'g'), entry('name', 'n'), entry('version', '1/2')),
        /version "1\/2"/,
      ],
      [
        'a dependency without name',
        properties(...named, entry('dependencies', 'g:n,::')),
        /dependency "::" has no name/,
      ],
      [
        'a broken range',
        properties(...named, entry('dependencies', 'g:a:[2,1]')),
        /dependency "g:a:\[2,1\]" is wrong.*lower bound/,
      ],
    ];
    for (const [what, xml, message] of bad)
      it(`refuses properties.xml with ${what}`, () =>
        assert.rejects(
          withProperties(xml),
          invalid(new RegExp(`^site\\.zip: ${PROPERTIES} cannot be used: .*(?:${message.source})`)),
        ));

    it('refuses a properties.xml of more than a megabyte', () =>
      assert.rejects(withProperties('x'.repeat(1024 ** 2 + 1)), invalid(/more than the limit of 1048576/)));

    it('refuses a damaged package inside, and says where', async () => {
      await pack({ files: { 'etc/packages/g/inner.zip': 'not a zip' } });
      await assert.rejects(
        readArtifact(zipPath()),
        invalid(/^site\.zip!jcr_root\/etc\/packages\/g\/inner\.zip is damaged/),
      );
    });

    it('reads the id, dependencies and type', async () => {
      assert.deepEqual(
        await readPackage({
          group: 'day/cq60 & more',
          name: 'site.all',
          version: '1.0.0-SNAPSHOT',
          dependencies: 'g:a:[1.0,2.0),g:b',
          packageType: 'container',
        }),
        {
          id: { group: 'day/cq60 & more', name: 'site.all', version: '1.0.0-SNAPSHOT' },
          dependencies: [
            { group: 'g', name: 'a', range: '[1.0,2.0)' },
            { group: 'g', name: 'b', range: '' },
          ],
          packageType: 'container',
          embedded: [],
          bundles: [],
        },
      );
    });

    it('reads properties.xml as other tools write it', async () => {
      const artifact = await withProperties(
        '\ufeff<?xml version="1.0" encoding="utf-8" standalone="no"?>\r\n<!-- made by hand -->\r\n' +
          '<!DOCTYPE properties SYSTEM "http://java.sun.com/dtd/properties.dtd">\r\n<properties version="1.0">\r\n' +
          "<comment>FileVault &amp; co</comment><entry key='description'><![CDATA[<b>x</b> &]]></entry>" +
          '<entry key="group">/etc/packages/g</entry>\r\n<!-- --><entry key="name">caf&#xe9;</entry><entry key="version"/>' +
          '</properties>\r\n',
      );
      assert.equal(artifact.kind, 'aem');
      assert.deepEqual(artifact.package.id, { group: 'g', name: 'caf\u00e9', version: '' });
    });

    it('falls back to the manifest', async () => {
      const artifact = await withProperties(
        properties(),
        'Manifest-Version: 1.0\r\nContent-Package-Id: com.example:a-very-long-na\r\n me:1.2\r\nContent-Package-Type: CONTENT\r\n' +
          'Content-Package-Dependencies: g:a:1\r\n\r\nName: x\r\nContent-Package-Id: other\r\n',
      );
      assert.deepEqual(artifact, {
        kind: 'aem',
        package: {
          id: { group: 'com.example', name: 'a-very-long-name', version: '1.2' },
          dependencies: [{ group: 'g', name: 'a', range: '1' }],
          packageType: 'content',
          embedded: [],
          bundles: [],
        },
      });
    });

    it('finds packages and bundles at any depth, and what they need from outside', async () => {
      const jar = (name: string, odd: readonly RawEntry[] = []) =>
        rawZip([
          ...odd,
          { name: 'META-INF/MANIFEST.MF', data: `Bundle-SymbolicName: ${name};singleton:=true\n\n` },
        ]);
      const apps = await pack({
        name: 'apps',
        dependencies: 'g:site:1,vendor:lib:2',
        files: {
          'apps/x/install/core.jar': jar('x.core', [{ name: 'LICENSE' }, { name: 'LICENSE' }]),
          'apps/x/install.author.prod/20/late.jar': jar('x.late'),
          'apps/x/clientlibs/not-a-bundle.jar': 'anything',
        },
      });
      const content = await pack({ name: 'content', dependencies: 'g:apps:[1,2),g:apps:[2,3),vendor:lib:2' });
      const nested = await pack({ name: 'nested', files: { 'etc/packages/g/apps.zip': apps } });
      const found = await readPackage({
        dependencies: 'g:first',
        files: {
          'apps/site-packages/content/install/content.zip': content,
          'apps/site-packages/application/install.publish/nested.zip': nested,
          'apps/site/install/plain.jar': rawZip([{ name: 'x.class' }]),
          'apps/site/install/data.zip': rawZip([{ name: 'data.csv' }]),
          'content/dam/customer.zip': 'left alone',
        },
      });
      const embedded = ['content', 'nested', 'apps'].map((name) => ({ group: 'g', name, version: '1.0' }));
      assert.deepEqual(found.embedded, embedded);
      assert.deepEqual(found.bundles, ['x.core', 'x.late']);
      assert.deepEqual(found.runModeSpecific, {
        packages: embedded.slice(1),
        bundles: ['x.core', 'x.late'],
      });
      assert.deepEqual(found.dependencies, [
        { group: 'g', name: 'first', range: '' },
        { group: 'g', name: 'apps', range: '[2,3)', requiredBy: 'g:content:1.0' },
        { group: 'vendor', name: 'lib', range: '2', requiredBy: 'g:content:1.0' },
        { group: 'vendor', name: 'lib', range: '2', requiredBy: 'g:apps:1.0' },
      ]);
      assert.deepEqual(await readdir(folder()), ['site.zip']);
    });

    it('does not take for specific what all run modes get as well', async () => {
      const jar = rawZip([{ name: 'META-INF/MANIFEST.MF', data: 'Bundle-SymbolicName: core\n' }]);
      const apps = await pack({ name: 'apps' });
      const found = await readPackage({
        files: {
          'apps/x/install.author/core.jar': jar,
          'apps/x/install/core.jar': jar,
          'apps/x/install/apps.zip': apps,
          'apps/x/install.author/apps.zip': apps,
        },
      });
      assert.deepEqual(
        [found.embedded.length, found.bundles, found.runModeSpecific],
        [1, ['core'], undefined],
      );
    });

    it('builds the same bytes from the same content', async () =>
      assert.deepEqual(await pack({ files: { 'apps/a': 'x' } }), await pack({ files: { 'apps/a': 'x' } })));
  });
});
