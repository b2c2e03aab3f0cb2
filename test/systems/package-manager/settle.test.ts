import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startAem, type AemStandIn } from '../../../src/local/aem/aem.ts';
import { Failure } from '../../../src/systems/failure.ts';
import { crxPackageManager } from '../../../src/systems/package-manager/crx.ts';
import type { PackageManager } from '../../../src/systems/package-manager/package-manager.ts';
import { expectationOf, lookBefore, untilSettled } from '../../../src/systems/package-manager/settle.ts';
import { readArtifact } from '../../../src/systems/packages/artifact.ts';
import { bundle, containerPackage, packageFile } from '../../support/aem-packages.ts';
import { temporaryFolder } from '../../support/folder.ts';

describe('settling after an installation', () => {
  afterEach(() => aem.stop()); // before its folder goes
  const folder = temporaryFolder();
  let aem: AemStandIn;
  let manager: PackageManager;

  beforeEach(async () => {
    aem = await startAem({
      runMode: 'publish',
      password: 'secret',
      folder: join(folder(), 'aem'),
      restartMs: 300,
    });
    manager = crxPackageManager(aem);
  });

  const install = async (file: string, limitMs = 10_000) => {
    const read = await readArtifact(file);
    assert.ok(read.kind === 'aem');
    const expectation = expectationOf(read.package);
    const before = await lookBefore(manager, expectation);
    const { path } = await manager.upload(file);
    await manager.install(path);
    return untilSettled(manager, expectation, before, { limitMs });
  };
  const broken = () => bundle('site.broken', { 'Import-Package': 'com.nosuch.pkg;version="[1,2)"' });
  const embed = (jar: Buffer) => ({ 'apps/site-packages/application/install/x.jar': jar });

  it('names a bundle that does not start, and why', async () => {
    const file = await containerPackage(folder(), { files: embed(await broken()) });
    await assert.rejects(install(file, 1_800), (error) => {
      assert.ok(error instanceof Failure);
      assert.equal(error.type, 'NotReady');
      assert.match(
        error.message,
        /has not settled within 2 s: bundle site\.broken 1\.0\.0 is Installed \(com\.nosuch\.pkg/,
      );
      return true;
    });
  });

  it('does not wait any longer where nothing changes any more', async () => {
    const read = await readArtifact(await containerPackage(folder(), { files: embed(await broken()) }));
    assert.ok(read.kind === 'aem');
    const started = Date.now();
    await assert.rejects(
      untilSettled(
        manager,
        expectationOf(read.package),
        { broken: [], indistinct: false },
        { standstillMs: 500 },
      ),
      (error) => {
        assert.ok(error instanceof Failure);
        assert.equal(error.type, 'Damaged');
        assert.match(error.message, /come to a standstill .*bundle site\.broken is not there/);
        return true;
      },
    );
    assert.ok(Date.now() - started >= 500);
  });

  it('names an embedded package that is not unpacked', async () => {
    const inner = await readFile(
      await packageFile(folder(), { name: 'needy', dependencies: 'com.nosuch:base' }),
    );
    const file = await containerPackage(folder(), {
      files: { 'apps/site-packages/application/install/needy.zip': inner },
    });
    await assert.rejects(install(file, 1_800), /package com\.example\.site:needy:1\.0\.0 is not installed/);
  });

  it('lets a bundle be that was broken before, and names it', async () => {
    const old = await packageFile(folder(), {
      name: 'old',
      filterRoots: ['/apps/old'],
      files: { 'apps/old/install/x.jar': await broken() },
    });
    await assert.rejects(install(old, 1_500), /site\.broken/);
    assert.deepEqual(await install(await containerPackage(folder())), [
      'bundle site.broken 1.0.0 is Installed',
    ]);
  });

  it('waits for what is unpacked after the answer, through a restart of the package manager', async () => {
    assert.deepEqual(await install(await containerPackage(folder())), []);
    assert.deepEqual(
      aem
        .installed()
        .map(({ name }) => name)
        .sort(),
      ['site.all', 'site.apps', 'site.content'],
    );
    const page = await fetch(`${aem.url}/content/site/en.html`);
    assert.match(await page.text(), /Home 1\.0\.0/);
  });

  it('waits for the new content of a version that is there already', async () => {
    await install(await containerPackage(folder()));
    const changed = await bundle('site.core', {
      'Import-Package': 'com.nosuch.later',
      'Bundle-Version': '1.0.0',
    });
    const again = containerPackage(folder(), {
      files: { 'apps/site-packages/application/install/site.core.jar': changed },
    });
    await assert.rejects(install(await again, 2_400), /bundle site\.core 1\.0\.0 is Installed/);
  });

  it('does not expect what is for other run modes', async () => {
    const inner = await readFile(
      await packageFile(folder(), { name: 'for.author', filterRoots: ['/apps/a'] }),
    );
    const files = {
      'apps/site-packages/application/install.author/x.zip': inner,
      'apps/site-packages/application/install.author/x.jar': await bundle('site.author'),
    };
    await install(await containerPackage(folder(), { files }));
    assert.ok(!aem.installed().some(({ name }) => name === 'for.author'));
  });

  it('says what it waits for when nobody answers any more', async () => {
    await aem.crash();
    const nothing = { packages: [], bundles: [] };
    await assert.rejects(
      untilSettled(manager, nothing, { broken: [], indistinct: false }, { limitMs: 300 }),
      /has not settled within 0 s: .*does not answer/,
    );
    await aem.resume();
  });
});
