import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { ZipFile } from 'yazl';
import { collectArtifacts } from '../../src/activities/build-artifacts.ts';
import { preflightActivities } from '../../src/activities/preflight.ts';
import type { EnvironmentAnswers } from '../../src/model/activities.ts';
import { packageActivities } from '../../src/activities/packages.ts';
import { startAem, type AemStandIn } from '../../src/local/aem/aem.ts';
import { buildDispatcherZip, buildPackage, type ContentPackage } from '../../src/local/content-package.ts';
import { packageLabel, type AemArtifact, type Artifact } from '../../src/model/artifacts.ts';
import { allAtOnce, type Plan } from '../../src/model/deployment-plan.ts';
import { orderPackages } from '../../src/model/package-order.ts';
import { preflight as preflightHost } from '../../src/systems/httpd/preflight.ts';
import { hashTree } from '../../src/systems/httpd/tree.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import { bundle, contentPackage, GROUP } from '../support/aem-packages.ts';
import { temporaryFolder } from '../support/folder.ts';
import { random } from '../support/random.ts';
import { testHost } from '../systems/httpd/host.ts';

const MIB = 1024 ** 2;

/** From what a build leaves to what an instance has, by the code that a pipeline runs. */
describe('artifacts as projects have them', () => {
  afterEach(async () => {
    await aem?.stop(); // before its folder goes
    aem = undefined;
  });
  let aem: AemStandIn | undefined;
  const folder = temporaryFolder();
  const project = (...parts: string[]) => join(folder(), 'project', ...parts);
  const storage = () => fileStorage(join(folder(), 'storage'));
  const environment = () => new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });
  let lines: string[] = [];
  beforeEach(() => void (lines = []));

  async function built(path: string, content: { name: string } & Partial<ContentPackage>): Promise<string> {
    await mkdir(dirname(project(path)), { recursive: true });
    await buildPackage(project(path), { group: GROUP, version: '1.0.0', ...content });
    return project(path);
  }
  const collect = () => collectArtifacts(project(), '1/2/3/artifacts', storage(), (line) => lines.push(line));
  const aemOf = (artifacts: readonly Artifact[]) =>
    artifacts.filter(({ kind }) => kind === 'aem') as AemArtifact[];

  /** Asks a fresh stand-in, then installs on it in the order of the plan. */
  async function deploy(artifacts: readonly AemArtifact[]): Promise<AemStandIn> {
    aem = await startAem({ runMode: 'publish', password: 'x', folder: join(folder(), 'aem'), restartMs: 20 });
    const { order, problems } = orderPackages(artifacts);
    assert.deepEqual(problems, []);
    const { url, credentials } = aem;
    const instance = { id: 'publish1', url, credentials: 'AEM' };
    const topology = { author: [], publish: [instance], dispatchers: [] };
    const deps = {
      storage: storage(),
      secret: async () => credentials,
      workFolder: join(folder(), 'work'),
    };
    const activities = { ...preflightActivities(deps), ...packageActivities(deps) };
    const common = { instance, log: '1/2/3/deploy.log' };
    const asked: EnvironmentAnswers = await environment().run(activities.preflightEnvironment, {
      ...{ instances: [instance], dispatchers: [], log: common.log },
      artifacts: order,
    });
    assert.deepEqual(asked.troubles, []);
    for (const artifact of installed(allAtOnce(topology, { aem: order }, { skipDetaching: true })))
      await environment().run(activities.installPackage, { ...common, deployment: '1-2-3', artifact });
    assert.deepEqual(await readdir(join(folder(), 'work')), []);
    return aem;
  }
  const installed = (plan: Plan): readonly AemArtifact[] =>
    plan.do === 'install' ? plan.artifacts : 'steps' in plan ? plan.steps.flatMap(installed) : [];

  /** Three times 50 MiB that do not compress, stored, and a package beside them. */
  async function writeContainer(path: string): Promise<void> {
    const zip = new ZipFile();
    const block = randomBytes(MIB);
    await mkdir(project('parts'), { recursive: true });
    const properties = `<properties><entry key="group">${GROUP}</entry><entry key="name">site.all</entry><entry key="version">1.0.0</entry><entry key="packageType">container</entry></properties>`;
    zip.addBuffer(Buffer.from(properties), 'META-INF/vault/properties.xml');
    zip.addBuffer(
      Buffer.from('<workspaceFilter version="1.0"><filter root="/apps/site"/></workspaceFilter>'),
      'META-INF/vault/filter.xml',
    );
    zip.addFile(await contentPackage(project('parts'), 'Home'), 'jcr_root/apps/site/install/content.zip');
    for (const name of ['one', 'two', 'three'])
      zip.addReadStream(
        Readable.from(Array.from({ length: 50 }, () => block)),
        `jcr_root/apps/site/${name}.bin`,
        { compress: false },
      );
    zip.end();
    await mkdir(dirname(path), { recursive: true });
    await pipeline(zip.outputStream, createWriteStream(path));
  }

  it('a container of 150 MB is collected, uploaded and installed, and memory does not grow with it', async function () {
    this.timeout(180_000);
    await writeContainer(project('all/target/site.all-1.0.0.zip'));
    const before = process.memoryUsage().rss;
    let most = before;
    const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 10);
    try {
      const artifacts = aemOf(await collect());
      assert.ok(artifacts[0]!.file.size > 150 * MIB);
      const { actions, ...there } = await deploy(artifacts);
      assert.deepEqual(there.installed().map(packageLabel).sort(), [
        `${GROUP}:site.all:1.0.0`,
        `${GROUP}:site.content:1.0.0`,
      ]);
      assert.deepEqual(
        actions.map(({ what }) => what),
        ['upload', 'install'],
      );
    } finally {
      clearInterval(timer);
    }
    const grown = Math.round((most - before) / MIB);
    assert.ok(grown < 100, `${grown} MiB more`);
  });

  it('stop being collected when the build is cancelled, and say before each how far they are', async () => {
    for (const name of ['all', 'apps']) await built(`${name}/target/${name}.zip`, { name });
    const stopAt = async (told: RegExp) => {
      const controller = new AbortController();
      const log = (line: string) => {
        if (told.test(line)) controller.abort(new Error('cancelled by a person'));
      };
      const collecting = collectArtifacts(project(), '1/2/3/artifacts', storage(), log, {
        signal: controller.signal,
      });
      await assert.rejects(collecting, /cancelled by a person/);
      return storage().list('');
    };
    assert.deepEqual(await stopAt(/^all\/target\/all\.zip: checking, 1 of 2 \(\d+ bytes\)$/), []);
    assert.deepEqual(await stopAt(/^apps\/target\/apps\.zip: checking, 2 of 2 /), [
      '1/2/3/artifacts/all/all.zip',
    ]);
  });

  it('a zip that is neither kind is kept, with the reason, and deployed nowhere', async () => {
    await mkdir(project('it.tests/target'), { recursive: true });
    await buildDispatcherZip(project('it.tests/target/reports.zip'), { 'cypress/videos/a.spec.txt': 'x' });
    await built('apps/target/site.apps.zip', { name: 'site.apps' });
    const artifacts = await collect();
    const kept = artifacts.find(({ kind }) => kind === 'kept');
    assert.ok(kept?.kind === 'kept');
    assert.equal(kept.path, 'it.tests/target/reports.zip');
    assert.equal(kept.reason, 'it is neither a content package nor a dispatcher package');
    assert.ok(lines.some((line) => line.startsWith(`${kept.path}: kept, not deployed: it is neither`)));
    assert.equal(await storage().size(kept.file.key), kept.file.size);
    const there = await deploy(aemOf(artifacts));
    assert.deepEqual(there.installed().map(packageLabel), [`${GROUP}:site.apps:1.0.0`]);
  });

  it('a dispatcher package of the Cloud Service is refused by the build and by a host, and the flavour named', async () => {
    const zip = project('dispatcher/target/site.dispatcher.cloud.zip');
    const files = {
      'conf.d/available_vhosts/default.vhost': '<VirtualHost *:80>\n</VirtualHost>\n',
      'conf.d/rewrites/rewrite.rules': '# none\n',
      'conf.d/variables/custom.vars': '# none\n',
      'conf.dispatcher.d/available_farms/default.farm': '/default { }\n',
      'conf.dispatcher.d/cache/rules.any': '# none\n',
      'opt-in/USE_SOURCES_DIRECTLY': '\n',
    };
    const links = {
      'conf.d/enabled_vhosts/default.vhost': '../available_vhosts/default.vhost',
      'conf.dispatcher.d/enabled_farms/default.farm': '../available_farms/default.farm',
    };
    await mkdir(dirname(zip), { recursive: true });
    await buildDispatcherZip(zip, files, links);
    await assert.rejects(collect(), {
      type: 'InvalidArtifact',
      message:
        /^dispatcher\/target\/site\.dispatcher\.cloud\.zip: .*for AEM as a Cloud Service, without conf\/ and/,
    });
    assert.deepEqual(await storage().list(''), []);

    const host = await testHost(folder());
    const path = 'dispatcher/target/site.dispatcher.cloud.zip';
    const file = await host.storage.put('1/2/3/cloud.zip', await readFile(zip));
    const before = await hashTree(host.settings.serverRoot, () => false);
    const asked = preflightHost(
      host.settings,
      host.storage,
      'd1',
      { kind: 'dispatcher', path, file },
      host.log,
    );
    await assert.rejects(asked, {
      type: 'InvalidArtifact',
      message:
        /^dispatcher\/target\/site\.dispatcher\.cloud\.zip .*Cloud Service flavour: this host needs the Managed/,
    });
    assert.equal(await hashTree(host.settings.serverRoot, () => false), before);
    assert.deepEqual(await readdir(host.settings.stateFolder), []);
  });

  it('a dependency embedded two levels deep is there once the outermost package is', async () => {
    const lib = await readFile(await built('parts/lib.zip', { name: 'vendor.lib', version: '2.1.0' }));
    const vendor = await readFile(
      await built('parts/vendor.zip', {
        name: 'vendor.all',
        packageType: 'container',
        filterRoots: ['/apps/vendor-packages'],
        files: {
          'apps/vendor-packages/application/install/vendor.lib.zip': lib,
          'apps/vendor-packages/application/install/vendor.core.jar': await bundle('vendor.core'),
        },
      }),
    );
    await built('all/target/site.all.zip', {
      name: 'site.all',
      packageType: 'container',
      filterRoots: ['/apps/site-packages'],
      files: { 'apps/site-packages/container/install/vendor.all.zip': vendor },
    });
    // Collected first, installed last.
    await built('aaa.content/target/site.content.zip', {
      name: 'site.content',
      dependencies: `${GROUP}:vendor.lib:[2.1,3)`,
    });
    const artifacts = aemOf(await collect());
    const names = (all: readonly AemArtifact[]) => all.map((artifact) => artifact.package.id.name);
    assert.deepEqual(names(artifacts), ['site.content', 'site.all']);
    assert.deepEqual(names(orderPackages(artifacts).order), ['site.all', 'site.content']);
    const all = artifacts[1]!.package;
    assert.deepEqual(all.embedded.map(({ name }) => name).sort(), ['vendor.all', 'vendor.lib']);
    assert.deepEqual(all.bundles, ['vendor.core']);
    const there = await deploy(artifacts);
    assert.deepEqual(
      there
        .installed()
        .map(({ name }) => name)
        .sort(),
      ['site.all', 'site.content', 'vendor.all', 'vendor.lib'],
    );
  });

  it('60 packages are installed in the order of a wide graph of dependencies', async function () {
    this.timeout(180_000);
    const { below } = random(60);
    const needs = Array.from({ length: 60 }, (_, n) =>
      n < 8 ? [] : [...new Set(Array.from({ length: 1 + below(6) }, () => below(n)))],
    );
    const name = (n: number) => `p${String(n).padStart(2, '0')}`;
    // By their paths they are collected in the reverse order of what they need.
    for (const [n, needed] of needs.entries())
      await built(`m${String(99 - n)}/target/${name(n)}.zip`, {
        name: name(n),
        packageType: 'content', // the installer need not be waited for, sixty times
        dependencies: needed.map((other) => `${GROUP}:${name(other)}:[1,2)`).join(','),
      });
    const artifacts = aemOf(await collect());
    assert.equal(artifacts[0]!.package.id.name, 'p59');
    const order = orderPackages(artifacts).order.map((artifact) => artifact.package.id.name);
    for (const [n, needed] of needs.entries())
      for (const other of needed)
        assert.ok(order.indexOf(name(other)) < order.indexOf(name(n)), `${n}, ${other}`);
    assert.equal(order[0], 'p07', 'of those that may be next the one that was collected first');
    const again = orderPackages(orderPackages(artifacts).order).order;
    assert.deepEqual(
      again.map((artifact) => artifact.package.id.name),
      order,
      'what is in order stays',
    );
    const there = await deploy(artifacts);
    assert.deepEqual(
      there.installed().map((id) => id.name),
      order,
    );
  });
});
