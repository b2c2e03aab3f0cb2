import assert from 'node:assert/strict';
import { request } from 'undici';
import { startAem, type AemStandIn } from '../../../src/local/aem/aem.ts';
import type { Weakness } from '../../../src/local/aem/weaknesses.ts';
import { crxPackageManager } from '../../../src/systems/package-manager/crx.ts';
import { appsPackage, contentPackage } from '../../support/aem-packages.ts';
import { temporaryFolder } from '../../support/folder.ts';

interface Answer {
  readonly status: number;
  readonly body: string;
}
interface Question {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}
type Ask = (path: string, question?: Question) => Promise<Answer>;

const basic = (account: string) => ({ authorization: `Basic ${Buffer.from(account).toString('base64')}` });
const page = '/content/site/en.html';

/** For each weakness a question, and whether the answer shows it. */
const shown: Partial<Record<Weakness, (ask: Ask) => Promise<boolean>>> = {
  default_login_accounts: async (ask) =>
    (await ask('/system/console/bundles.json', { headers: basic('author:author') })).status === 200,
  sling_get_servlet: async (ask) => (await ask('/content.infinity.json')).status === 200,
  crxde_support: async (ask) => (await ask('/crx/de/index.jsp')).status === 200,
  davex_health_check: async (ask) => (await ask('/crx/server/crx.default/jcr:root/.1.json')).status === 200,
  webdav_health_check: async (ask) => (await ask('/crx/repository', { method: 'PROPFIND' })).status === 207,
  example_content_packages: async (ask) => (await ask('/content/we-retail.html')).status === 200,
  sling_referrer_filter: async (ask) => {
    const headers = {
      'user-agent': 'Mozilla/5.0',
      referer: 'http://elsewhere.example/',
      'content-type': 'application/x-www-form-urlencoded',
    };
    return (await ask('/content', { method: 'POST', headers, body: ':operation=nop' })).status === 200;
  },
  user_profile_default_access: async (ask) => (await ask('/home/users.1.json')).status === 200,
  cq_html_library_manager_config: async (ask) =>
    (await ask(`${page}?debugClientLibs=true`)).body.includes('/source/base.js'),
  wcm_filter_configuration: async (ask) => (await ask(`${page}?wcmmode=edit`)).body.includes('<cq data-path'),
};

const weaknesses = Object.keys(shown) as Weakness[];

describe('AEM stand-in: weaknesses', () => {
  afterEach(() => aem.stop()); // before its folder goes
  const folder = temporaryFolder();
  let aem: AemStandIn;

  const found = async (insecure: readonly Weakness[]): Promise<Weakness[]> => {
    aem = await startAem({ runMode: 'publish', password: 'secret', folder: `${folder()}/aem`, insecure });
    const manager = crxPackageManager(aem);
    for (const file of [await appsPackage(folder()), await contentPackage(folder(), 'Home')])
      await manager.install((await manager.upload(file)).path);
    const ask: Ask = async (path, { method = 'GET', headers, body } = {}) => {
      const answer = await request(`${aem.url}${path}`, { method: method as 'GET', headers, body });
      return { status: answer.statusCode, body: await answer.body.text() };
    };
    const all: Weakness[] = [];
    for (const weakness of weaknesses) if (await shown[weakness]?.(ask)) all.push(weakness);
    return all;
  };

  it('has none unless it is told to', async () => {
    assert.deepEqual(await found([]), []);
  });

  it('has all of them when it is told to', async () => {
    assert.deepEqual(await found(weaknesses), [...weaknesses]);
  });

  it('reports on them as the health check servlet does, by name', async () => {
    await found(['crxde_support', 'ssl_configuration']);
    const report = async (names: string) => {
      const answer = await request(`${aem.url}/system/health.json?names=${encodeURIComponent(names)}`);
      const { results } = (await answer.body.json()) as { results: { name: string; status: string }[] };
      return [answer.statusCode, ...results.map(({ name, status }) => `${name} ${status}`)];
    };
    assert.deepEqual(await report('SSL Configuration,No Such,Sling Get Servlet'), [
      503,
      'Sling Get Servlet OK',
      'SSL Configuration CRITICAL',
    ]);
    assert.deepEqual(await report('Sling Get Servlet'), [200, 'Sling Get Servlet OK']);
    assert.deepEqual(await report('No Such'), [200]);
    assert.ok((await report('')).length > 20, 'without names it reports on everything');
  });

  it('has one by itself', async () => {
    assert.deepEqual(await found(['crxde_support']), ['crxde_support']);
  });
});
