import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buildDispatcherZip, buildPackage } from '../../../src/local/content-package.ts';
import { allRules } from '../../../src/systems/scan/rules/all.ts';
import { scan, type ScanResult } from '../../../src/systems/scan/scan.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { contentExamples } from './content-examples.ts';
import { dispatcherExamples, goodConfiguration } from './dispatcher-examples.ts';
import { indexExamples } from './index-examples.ts';

const folder = temporaryFolder();

async function put(files: Readonly<Record<string, string | Buffer | undefined>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    if (content === undefined) continue;
    const path = join(folder(), name);
    await mkdir(dirname(path), { recursive: true });
    if (typeof content === 'string' && content.startsWith('-> ')) await symlink(content.slice(3), path);
    else await writeFile(path, content);
  }
}

const brief = ({ findings }: ScanResult) =>
  findings.map(({ rule, file, line }) => `${rule} ${file}${line === undefined ? '' : `:${line}`}`);

const ours = { group: 'com.example', version: '1.0.0' };

describe('A scan', () => {
  it('says what is not there, and what cannot be scanned', async () => {
    await rejects(scan(join(folder(), 'no')), {
      name: 'Failure',
      type: 'Missing',
      message: /no file or folder/,
    });
    await rejects(scan(folder()), { type: 'InvalidInput', message: /neither a content package/ });
    await put({ 'a.zip': 'not a zip' });
    await rejects(scan(join(folder(), 'a.zip')), { type: 'InvalidArtifact', message: /a\.zip/ });
    await buildDispatcherZip(join(folder(), 'b.zip'), { 'readme.txt': 'x' });
    await rejects(scan(join(folder(), 'b.zip')), { type: 'InvalidInput' });
  });

  it('stops when it is told to', async () => {
    await put({ 'jcr_root/apps/a/x.txt': 'x' });
    await rejects(scan(folder(), { signal: AbortSignal.abort(new Error('enough')) }), /enough/);
  });

  it('looks into packages inside a package, and knows what runs where', async () => {
    const inner = join(folder(), 'inner.zip');
    await buildPackage(inner, {
      ...ours,
      name: 'inner',
      filterRoots: ['/libs/x'],
      files: { 'libs/x/a.txt': 'x' },
    });
    const bytes = await readFile(inner);
    const outer = join(folder(), 'outer.zip');
    await buildPackage(outer, {
      ...ours,
      name: 'outer',
      filterRoots: ['/apps/p'],
      files: {
        'apps/p/application/install.author/inner.zip': bytes,
        'apps/p/application/install.publish/inner.zip': bytes,
      },
    });
    const at = (mode: string) =>
      `BannedPath outer.zip!/jcr_root/apps/p/application/install.${mode}/inner.zip!/META-INF/vault/filter.xml:2`;
    deepEqual(brief(await scan(outer)), [at('author'), at('publish')]);
  });

  it('of a built project names the files of its sources, and takes an embedded package once', async () => {
    const target = join(folder(), 'ui.apps/target');
    await put({
      'ui.apps/pom.xml': '<project/>',
      'all/pom.xml': '<project/>',
      'ui.apps/src/main/content/META-INF/vault/filter.xml': '',
      'all/target/ignored.txt': '',
    });
    await mkdir(target, { recursive: true });
    const inner = join(target, 'ui.apps.zip');
    const config = { 'apps/a/config/com.example.S.cfg.json': '{}' };
    const build = (cloudManagerTarget?: string) =>
      buildPackage(inner, {
        ...ours,
        name: 'ui.apps',
        filterRoots: ['/apps/a', '/libs/a'],
        files: config,
        ...(cloudManagerTarget && { cloudManagerTarget }),
      });
    await build('none');
    const all = async () =>
      buildPackage(join(folder(), 'all/target/all.zip'), {
        ...ours,
        name: 'all',
        filterRoots: ['/apps/p'],
        files: { 'apps/p/install/ui.apps.zip': await readFile(inner) },
      });
    await all();
    const filter = 'ui.apps/src/main/content/META-INF/vault/filter.xml';
    deepEqual(brief(await scan(folder())), [`BannedPath ${filter}:3`]);
    await build();
    await all();
    const twice = await scan(folder());
    ok(brief(twice).some((text) => text.startsWith('PackageOverlaps')));
    ok(brief(twice).some((text) => text.startsWith('DuplicateOsgiConfigurations')));
  });

  it('reads a dispatcher package and tells its flavour', async () => {
    const files: Record<string, string> = {};
    const links: Record<string, string> = {};
    for (const [name, text] of Object.entries(goodConfiguration))
      if (String(text).startsWith('-> ')) links[name] = String(text).slice(3);
      else files[name] = String(text);
    const zip = join(folder(), 'dispatcher.zip');
    await buildDispatcherZip(zip, files, links);
    deepEqual(await scan(zip), { flavour: 'ams', scanned: ['dispatcher.zip'], findings: [] });
    const { 'conf/httpd.conf': _, ...cloud } = files;
    await buildDispatcherZip(zip, { ...cloud, 'conf.dispatcher.d/available_farms/default.farm': '' }, links);
    equal((await scan(zip)).flavour, 'cloud');
  });

  it('of a project with something planted for every rule finds all of it', async () => {
    const content = { ...contentExamples, ...indexExamples };
    for (const [index, { bad }] of Object.values(content).entries())
      for (const [label, texts] of Object.entries(bad))
        for (const [name, text] of Object.entries(texts))
          await put({ [`module-${index}${label}/src/main/content/${name}`]: text });
    for (const [index, { bad }] of Object.values(dispatcherExamples).entries())
      for (const [name, text] of Object.entries({ ...goodConfiguration, ...bad }))
        await put({ [`dispatcher-${index}/src/${name}`]: text });
    const { findings } = await scan(folder(), { flavour: 'cloud' });
    const found = new Set(findings.map(({ rule }) => rule));
    deepEqual(
      allRules.map(({ key }) => key).filter((key) => !found.has(key)),
      [],
    );
    ok(findings.every(({ file }) => /^(module|dispatcher)-/.test(file)));
  });

  it('finds nothing in the example site', async () => {
    deepEqual(brief(await scan(join(import.meta.dirname, '../../../examples/site'))), []);
  });
});
