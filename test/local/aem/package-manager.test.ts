import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startAem, type AemStandIn } from '../../../src/local/aem/aem.ts';
import { bundle, contentPackage, containerPackage, GROUP, packageFile } from '../../support/aem-packages.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { until } from '../../support/until.ts';

interface Verdict {
  success: boolean;
  msg: string;
  path?: string;
}

describe('AEM stand-in: package manager', () => {
  afterEach(() => aem.stop()); // before its folder goes
  const folder = temporaryFolder();
  let aem: AemStandIn;
  let headers: Record<string, string>;

  const start = async (runMode: 'author' | 'publish' = 'publish') => {
    aem = await startAem({ runMode, password: 'secret', folder: join(folder(), 'aem'), restartMs: 0 });
    headers = { authorization: `Basic ${Buffer.from(aem.credentials).toString('base64')}` };
  };
  beforeEach(() => start());

  const post = (path: string, body?: FormData, more: Record<string, string> = {}) =>
    fetch(`${aem.url}${path}`, {
      method: 'POST',
      body,
      headers: { 'user-agent': 'test', ...headers, ...more },
    });
  const upload = async (file: string, force = true): Promise<Verdict> => {
    const form = new FormData();
    if (force) form.set('force', 'true');
    form.set('package', new Blob([await readFile(file)]), 'it.zip');
    const answer = await post('/crx/packmgr/service/.json/?cmd=upload', form);
    assert.equal(answer.status, 200);
    return (await answer.json()) as Verdict;
  };
  const command = async (path: string, cmd: string): Promise<Verdict> =>
    (await (await post(`/crx/packmgr/service/.json${path}?cmd=${cmd}&recursive=true`)).json()) as Verdict;
  const install = async (file: string) => command((await upload(file)).path!, 'install');
  const get = async <T>(path: string) => (await (await fetch(`${aem.url}${path}`, { headers })).json()) as T;
  const text = async (path: string) => {
    const answer = await fetch(`${aem.url}${path}`);
    return `${answer.status} ${await answer.text()}`;
  };
  const bundles = async () => (await get<{ s: number[] }>('/system/console/bundles.json')).s;
  const names = () =>
    aem
      .installed()
      .map(({ name }) => name)
      .sort();

  it('refuses other passwords, browsers from elsewhere, and sends strangers at the console to the login', async () => {
    const wrong = { authorization: `Basic ${Buffer.from('admin:admin').toString('base64')}` };
    assert.equal((await fetch(`${aem.url}/crx/packmgr/list.jsp`, { headers: wrong })).status, 401);
    assert.equal((await fetch(`${aem.url}/crx/packmgr/list.jsp`)).status, 401);
    const console = await fetch(`${aem.url}/system/console/bundles.json`, { redirect: 'manual' });
    assert.equal(console.status, 302);
    assert.match(console.headers.get('location') ?? '', /login\.html/);
    const browser = { 'user-agent': 'Mozilla/5.0' };
    assert.equal((await post('/crx/packmgr/service/.json/x?cmd=delete', undefined, browser)).status, 403);
    const foreign = { ...browser, referer: 'http://elsewhere.example/' };
    assert.equal((await post('/crx/packmgr/service/.json/x?cmd=delete', undefined, foreign)).status, 403);
    const own = { ...browser, referer: `${aem.url}/crx/packmgr/index.jsp` };
    assert.equal((await post('/crx/packmgr/service/.json/x?cmd=delete', undefined, own)).status, 200);
  });

  it('refuses in AEM’s words what is no package', async () => {
    const path = join(folder(), 'text.zip');
    await writeFile(path, 'no zip');
    assert.match((await upload(path)).msg, /ZipException/);
    const nothing = (await (
      await post('/crx/packmgr/service/.json/?cmd=upload', new FormData())
    ).json()) as Verdict;
    assert.deepEqual(nothing, { success: false, msg: 'package file parameter missing' });
    const jar = join(folder(), 'bundle.zip');
    await writeFile(jar, await bundle('site.core'));
    assert.equal((await upload(jar)).msg, "Given archive is not a content package. Missing 'jcr_root'.");
    aem.faults.fullDisk = true;
    assert.equal((await upload(await contentPackage(folder(), 'Home'))).msg, 'Inaccessible value');
    assert.deepEqual(aem.actions, []);
  });

  it('keeps a package that is there unless it is told to replace it', async () => {
    const file = await contentPackage(folder(), 'Home');
    const path = `/etc/packages/${GROUP}/site.content-1.0.0.zip`;
    assert.deepEqual(await upload(file, false), { success: true, msg: 'Package uploaded', path });
    assert.deepEqual(await upload(file, false), { success: false, msg: `Package already exists: ${path}` });
    assert.equal((await upload(file, true)).success, true);
    const download = await fetch(`${aem.url}${path}`, { headers });
    assert.deepEqual(Buffer.from(await download.arrayBuffer()), await readFile(file));
  });

  it('refuses a package whose dependency is missing, and installs one that is only uploaded', async () => {
    const first = await packageFile(folder(), { name: 'first', filterRoots: ['/apps/first'] });
    const second = await packageFile(folder(), { name: 'second', dependencies: `${GROUP}:first:[1.0,2.0)` });
    const refused = await install(second);
    assert.equal(
      refused.msg,
      'org.apache.jackrabbit.vault.packaging.DependencyException: Refusing to install package ' +
        'com.example.site:second:1.0.0. required dependencies missing: [com.example.site:first:[1.0,2.0)]',
    );
    assert.deepEqual(names(), []);
    await upload(first);
    assert.equal((await install(second)).success, true);
    assert.deepEqual(names(), ['first', 'second']);
  });

  it('reports broken XML by path and imports the rest', async () => {
    const files = {
      'content/site/.content.xml': '<jcr:root xmlns:jcr="x">',
      'content/site/logo.txt': 'logo',
    };
    const file = await contentPackage(folder(), '', { files });
    const { path } = await upload(file);
    const html = await (await post(`/crx/packmgr/service/.html${path}?cmd=install`)).text();
    assert.match(
      html,
      /<span class="E"><b>E<\/b>&nbsp;\/content\/site \(org\.xml\.sax\.SAXParseException; line/,
    );
    assert.match(html, /<span class="Package imported \(with errors/);
    assert.match((await command(path!, 'install')).msg, /must start and end within the same entity/);
    assert.equal(await text('/content/site/logo.txt'), '200 logo');
  });

  it('serves what the newest installation holds, and what was there before once that is uninstalled', async () => {
    await install(
      await packageFile(folder(), {
        name: 'site.apps',
        filterRoots: ['/apps/site'],
        files: { 'apps/site/components/page/page.html': '<h1>${properties.jcr:title}</h1>' },
      }),
    );
    assert.match(await text('/content/site/en.html'), /^404/);
    await install(await contentPackage(folder(), 'Old &amp; slow'));
    assert.equal(await text('/content/site/en.html'), '200 <h1>Old &amp; slow</h1>');
    const newer = await contentPackage(folder(), 'New', { version: '2.0.0' });
    const { path } = await upload(newer);
    await command(path!, 'install');
    assert.equal(await text('/content/site/en.html'), '200 <h1>New</h1>');
    assert.equal((await command(path!, 'uninstall')).success, true);
    assert.equal(await text('/content/site/en.html'), '200 <h1>Old &amp; slow</h1>');
    assert.match((await command(path!, 'uninstall')).msg, /No snapshot present/);
    assert.equal((await command(path!, 'delete')).success, true);
    assert.match((await command(path!, 'delete')).msg, /no package at/);
  });

  it('unpacks a container later: says it is idle first, then that it works, then is done', async () => {
    assert.equal((await install(await containerPackage(folder()))).success, true);
    assert.deepEqual(names(), ['site.all']);
    const status = async () =>
      (await get<{ status: { finished: boolean } }>('/crx/packmgr/installstatus.jsp')).status.finished;
    assert.equal(await status(), true);
    await until('the installer works', async () => !(await status()));
    await until('the installer is done', status);
    await until('all three packages are installed', () => names().length === 3);
    assert.equal(await text('/content/site/en.html'), '200 <h1>Home 1.0.0</h1><i>1.0.0</i>');
    await until('the bundle is active', async () => (await bundles())[1] === 6);
    assert.deepEqual(await bundles(), [8, 6, 1, 0, 0]);
  });

  it('takes from run-mode folders what is meant for it', async () => {
    const inner = async (name: string) =>
      readFile(await packageFile(folder(), { name, filterRoots: [`/apps/${name}`] }));
    const all = await containerPackage(folder(), {
      files: {
        'apps/site-packages/application/install.author/c-author.zip': await inner('for.author'),
        'apps/site-packages/application/install.publish/c-publish.zip': await inner('for.publish'),
      },
    });
    await install(all);
    await until('the publish package is there', () => names().includes('for.publish'));
    assert.ok(!names().includes('for.author'));
  });

  it('leaves a bundle Installed whose imports nobody exports', async () => {
    const broken = await bundle('site.broken', {
      'Import-Package': 'com.nosuch.pkg;version="[1,2)",javax.jcr',
    });
    await install(
      await containerPackage(folder(), { files: { 'apps/site-packages/application/install/x.jar': broken } }),
    );
    await until('the bundle is there and not active', async () => (await bundles())[0] === 9);
    await until('the others are active', async () => (await bundles())[1] === 6);
    const { data } = await get<{ data: { id: number; symbolicName: string; state: string }[] }>(
      '/system/console/bundles.json',
    );
    const found = data.find(({ symbolicName }) => symbolicName === 'site.broken')!;
    assert.equal(found.state, 'Installed');
    const details = JSON.stringify(await get(`/system/console/bundles/${found.id}.json`));
    assert.match(details, /ERROR: com\.nosuch\.pkg -- Cannot be resolved/);
  });

  it('has its packages, bundles and content again after a restart', async () => {
    await install(await containerPackage(folder()));
    await until('all three packages are installed', () => names().length === 3);
    await until('the bundle is active', async () => (await bundles())[1] === 6);
    await aem.stop();
    await start();
    assert.equal(names().length, 3);
    assert.equal((await bundles())[1], 6);
    assert.match(await text('/content/site/en.html'), /Home 1\.0\.0/);
  });
});
