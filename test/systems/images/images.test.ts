import assert from 'node:assert/strict';
import { lstat, mkdir, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { prepare } from '../../../src/local/setup/prepare.ts';
import type { BuildImagesInput } from '../../../src/model/images.ts';
import type { Failure } from '../../../src/systems/failure.ts';
import { buildImages, type ImageSettings, type LocalImage } from '../../../src/systems/images/build.ts';
import { run } from '../../../src/systems/process.ts';
import { storedArtifact, packageFile } from '../../support/aem-packages.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { imageBench, type ImageBench } from '../../support/images.ts';
import { billOfMaterialsProblems } from '../../support/schema-validators.ts';

const INSTALL = 'opt/aem/crx-quickstart/install';

describe('images', function () {
  this.timeout(300_000);
  const folder = temporaryFolder();
  let bench: ImageBench;
  let lines: string[];
  beforeEach(async () => {
    bench = await imageBench(folder());
    lines = [];
  });

  async function build(
    name: string,
    {
      input = {},
      settings = {},
      signal,
      onLine,
    }: {
      input?: Partial<BuildImagesInput>;
      settings?: Partial<ImageSettings>;
      signal?: AbortSignal;
      onLine?: (line: string) => void;
    } = {},
  ): Promise<Record<string, LocalImage>> {
    const work = join(folder(), name);
    await mkdir(work);
    const log = (line: string) => {
      lines.push(line);
      onLine?.(line);
    };
    const context = { id: '1-2-3', work, storage: bench.storage, log, signal };
    const images = await buildImages(
      { ...bench.settings, ...settings },
      { ...bench.input, ...input },
      context,
    );
    return Object.fromEntries(images.map((image) => [image.role, image]));
  }

  /** What an archive says of itself to another program, and its files as a third one unpacks them. */
  async function opened(image: LocalImage | undefined) {
    assert.ok(image);
    const { skopeo, umoci } = await prepare(['skopeo', 'umoci'], () => undefined);
    const perform = async (program: string, ...args: string[]) => {
      const { code, stdout, stderr } = await run(program, args);
      assert.equal(code, 0, stderr);
      return stdout;
    };
    const inspected = JSON.parse(await perform(skopeo, 'inspect', `oci-archive:${image.archive}`)) as {
      Digest: string;
      Labels: Record<string, string>;
      Created: string;
    };
    const layout = join(folder(), `${image.role}.opened`);
    await mkdir(layout);
    await perform('tar', '-xf', image.archive, '-C', layout);
    const bundle = join(folder(), `${image.role}.bundle`);
    await perform(umoci, 'unpack', '--rootless', '--image', `${layout}:image`, bundle);
    return { inspected, root: join(bundle, 'rootfs') };
  }

  interface Component {
    name: string;
    version?: string;
    purl?: string;
    hashes: { alg: string; content: string }[];
    properties: { name: string; value: string }[];
    components?: Component[];
  }
  const componentsOf = (image: LocalImage | undefined) =>
    (JSON.parse(image?.billOfMaterials ?? '') as { components: Component[] }).components;

  /** Packages, what is embedded, run modes, files. */
  async function hasItsBillOfMaterials(images: Record<string, LocalImage>): Promise<void> {
    const [all, sample] = componentsOf(images.aem);
    assert.equal(sample?.name, 'site.sample');
    const artifact = bench.input.artifacts[1];
    assert.deepEqual(all?.hashes, [{ alg: 'SHA-256', content: artifact?.file.sha256 }]);
    const runModes = ({ properties }: Component) =>
      properties.find(({ name }) => name === 'fairway:runModes')?.value ?? '';
    assert.deepEqual(
      all?.components?.map((inner) => [inner.name, inner.version, runModes(inner), inner.purl ?? '']),
      [
        ['site.author', '1.0.0.SNAPSHOT', 'author', 'pkg:maven/com.example/site.author@1.0.0-SNAPSHOT'],
        ['site.content', '1.0.0', '', ''],
        ['site.apps', '1.0.0', '', ''],
        ['site.core', '1.0.0', '', ''],
      ],
    );
    assert.ok(
      componentsOf(images.dispatcher).some(({ name }) => name === 'conf.d/available_vhosts/site.vhost'),
    );
    for (const { billOfMaterials } of Object.values(images))
      assert.deepEqual(await billOfMaterialsProblems(billOfMaterials), []);
  }

  it('hold packages in install order and the tested configuration, with a bill of materials; the same input gives the same bytes', async () => {
    const first = await build('first');
    const { inspected, root } = await opened(first.aem);
    assert.deepEqual(await readdir(join(root, INSTALL)), [
      '001-com.example.site.site.all-1.0.0.zip',
      '002-com.example.site.site.sample-1.0.0.zip',
    ]);
    assert.equal(inspected.Digest, first.aem?.digest);
    assert.equal(inspected.Created, '1970-01-01T00:00:00Z');
    const { commit } = bench.input;
    const labels = {
      'org.opencontainers.image.title': 'AEM',
      'org.opencontainers.image.revision': commit,
      'org.opencontainers.image.source': 'https://git.example.com/site.git',
      'org.opencontainers.image.version': '2026.1122.183000.0000000003',
      ...{ 'fairway.program': '1', 'fairway.pipeline': '2', 'fairway.execution': '3' },
      ...{ 'fairway.commit': commit, 'fairway.role': 'aem' },
    };
    assert.deepEqual(
      { ...inspected.Labels, 'io.buildah.version': undefined },
      {
        ...labels,
        'io.buildah.version': undefined,
      },
    );

    const httpd = join((await opened(first.dispatcher)).root, 'etc/httpd');
    const vhost = join(httpd, 'conf.d/available_vhosts/site.vhost');
    assert.match(await readFile(vhost, 'utf8'), /X-Configuration new/);
    assert.equal((await lstat(vhost)).mode & 0o777, 0o644);
    assert.equal(
      await readlink(join(httpd, 'conf.d/enabled_vhosts/site.vhost')),
      '../available_vhosts/site.vhost',
    );
    // The package's own httpd.conf is another one.
    assert.match(await readFile(join(httpd, 'conf/httpd.conf'), 'utf8'), /^ServerRoot /);
    assert.ok(lines.includes("conf/httpd.conf: immutable, the package's version is ignored"));
    assert.deepEqual((await readdir(httpd)).sort(), [
      'conf',
      'conf.d',
      'conf.dispatcher.d',
      'conf.modules.d',
    ]);

    await hasItsBillOfMaterials(first);

    const second = await build('second');
    for (const role of ['aem', 'dispatcher']) {
      assert.equal(second[role]?.digest, first[role]?.digest);
      assert.ok((await readFile(second[role]!.archive)).equals(await readFile(first[role]!.archive)));
      assert.equal(second[role]?.billOfMaterials, first[role]?.billOfMaterials);
    }
    const packages = bench.input.artifacts.slice(0, 2);
    const other = await build('other', { input: { commit: 'd'.repeat(40), artifacts: packages } });
    assert.notEqual(other.aem?.digest, first.aem?.digest);
    assert.deepEqual(await bench.left(), []);
  });

  it('stand on a base image, which their labels name by digest', async () => {
    const base = await build('base', { input: { artifacts: bench.input.artifacts.slice(0, 2) } });
    const reference = 'localhost/aem:6.5';
    await bench.keep(base.aem!.archive, reference);
    const { aem } = await build('images', {
      settings: { base: { aem: reference, dispatcher: 'scratch' } },
      input: {
        artifacts: [await storedArtifact(bench.storage, await packageFile(folder(), { name: 'late' }))],
      },
    });
    assert.deepEqual(aem?.base, { name: reference, digest: base.aem?.digest });
    const { inspected, root } = await opened(aem);
    assert.equal(inspected.Labels['org.opencontainers.image.base.digest'], base.aem?.digest);
    assert.equal((await readdir(join(root, INSTALL))).length, 3);
    assert.equal(componentsOf(aem)[0]?.version, base.aem?.digest);
  });

  it('are not built when the base image cannot be had, which is said', async () => {
    const on = (reference: string) => ({ settings: { base: { aem: reference, dispatcher: 'scratch' } } });
    await assert.rejects(build('unknown', on('registry.invalid/aem:6.5')), {
      type: 'Unavailable',
      message: /^the base image registry\.invalid\/aem:6\.5 cannot be had: its registry cannot be reached/,
    });
    await assert.rejects(build('nowhere', on('oci:/nowhere:1')), {
      type: 'Missing',
      message: /^the base image oci:\/nowhere:1 cannot be had: name one that is there/,
    });
    assert.deepEqual(await bench.left(), []);
  });

  it('are not begun before the dispatcher configuration is known to be good', async () => {
    const [first, second] = bench.input.artifacts;
    const withPackage = async (changes: Record<string, string>) => ({
      input: { artifacts: [first!, second!, await bench.dispatcherPackage(changes)] },
    });
    const bad = await withPackage({ 'conf.d/available_vhosts/site.vhost': 'NoSuchDirective on\n' });
    await assert.rejects(build('bad', bad), (error: Failure) => {
      assert.equal(error.type, 'Rejected');
      assert.match(error.message, /site\.vhost.*NoSuchDirective/);
      return true;
    });
    assert.deepEqual(
      lines.filter((line) => line.startsWith('$ buildah')),
      [],
    );
  });

  it('are made of the two folders that a Cloud Service package has; the defaults give the others', async () => {
    const artifact = await bench.cloudPackage();
    const { dispatcher, aem } = await build('images', { input: { artifacts: [artifact] } });
    assert.equal(aem, undefined);
    const httpd = join((await opened(dispatcher)).root, 'etc/httpd');
    assert.match(await readFile(join(httpd, 'conf.d/available_vhosts/site.vhost'), 'utf8'), /cloud/);
    assert.ok((await readdir(join(httpd, 'conf.modules.d'))).includes('00-base.conf'));
  });

  it('are refused for packages that depend on each other in a circle', async () => {
    const make = async (name: string, needs: string) =>
      storedArtifact(
        bench.storage,
        await packageFile(folder(), { name, dependencies: `com.example.site:${needs}` }),
      );
    const artifacts = [await make('a', 'b'), await make('b', 'a')];
    await assert.rejects(build('images', { input: { artifacts } }), {
      type: 'InvalidArtifact',
      message: /in a circle: com\.example\.site:a:1\.0\.0, com\.example\.site:b:1\.0\.0/,
    });
  });

  it('leave nothing when they are cancelled, wherever it was, and can be built afterwards', async () => {
    for (const command of ['from', 'copy', 'commit']) {
      const cancel = new AbortController();
      const onLine = (line: string) =>
        line.startsWith(`$ buildah ${command} `) && cancel.abort(new Error('enough'));
      await assert.rejects(build(command, { signal: cancel.signal, onLine }), /enough/);
      assert.deepEqual(await bench.left(), [], command);
    }
    await build('again');
  });
});
