import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { startAem, type AemStandIn } from '../../src/local/aem/aem.ts';
import { freePorts } from '../../src/local/ports.ts';
import { checkSecurity, securityChecks } from '../../src/systems/security-checks/check.ts';
import type { NodeKind } from '../../src/systems/security-checks/target.ts';
import { temporaryFolder } from '../support/folder.ts';
import { httpServer, type HttpServer } from '../support/http-server.ts';

type Reply = (request: IncomingMessage, response: ServerResponse, path: string) => boolean;

const page = '<html><head><script src="/a.js"></script></head><body>Site</body></html>';
const status = (code: number) => (response: ServerResponse) => void response.writeHead(code).end();

/** A hardened AEM, or a dispatcher in front of it. */
const hardened: Reply = (request, response, path) => {
  if (request.method === 'POST') status(403)(response);
  else if (request.headers.authorization) status(401)(response);
  else if (path === '/') response.writeHead(302, { location: '/content/site.html' }).end();
  else if (path === '/content/site.html')
    response.writeHead(200, { 'x-frame-options': 'SAMEORIGIN', 'content-type': 'text/html' }).end(page);
  else status(404)(response);
  return true;
};

/** For each check the one answer that makes it fail, given by a server that is hardened otherwise. */
const weak: Record<string, Reply> = {
  default_login_accounts: (request, response, path) =>
    path === '/libs/granite/security/currentuser.json' &&
    request.headers.authorization === `Basic ${btoa('admin:admin')}` &&
    Boolean(response.end('{"authorizableId":"admin"}')),
  sling_referrer_filter: (request, response) =>
    request.method === 'POST' && Boolean(response.writeHead(200).end()),
  sling_get_servlet: (_, response, path) => path === '/content.-1.json' && Boolean(response.end('{}')),
  crxde_support: (_, response, path) => path === '/crx/de/index.jsp' && Boolean(response.end('CRXDE')),
  davex_health_check: (_, response, path) =>
    path === '/crx/server/crx.default/jcr:root/.1.json' && Boolean(response.end('{}')),
  webdav_health_check: (request, response, path) =>
    path === '/crx/repository' &&
    request.method === 'PROPFIND' &&
    Boolean(response.writeHead(207).end('<D:multistatus/>')),
  example_content_packages: (_, response, path) =>
    path === '/content/we-retail.html' && Boolean(response.end('We.Retail')),
  user_profile_default_access: (_, response, path) =>
    path === '/home/users.1.json' && Boolean(response.end('{"a":{}}')),
  cq_dispatcher_configuration: (_, response, path) =>
    path === '/bin/querybuilder.json' && Boolean(response.end('{"hits":[]}')),
  web_server_configuration: (_, response, path) =>
    path === '/content/site.html' && Boolean(response.writeHead(200).end(page)),
  cq_html_library_manager_config: (request, response) =>
    /debugClientLibs=true/.test(request.url ?? '') &&
    Boolean(response.end(page.replace('</body>', '<script src="/source/b.js"></script></body>'))),
  wcm_filter_configuration: (request, response) =>
    /wcmmode=edit/.test(request.url ?? '') && Boolean(response.end(`<cq data-path="/content"></cq>${page}`)),
};

describe('security checks', () => {
  const servers: HttpServer[] = [];
  const instances: AemStandIn[] = [];
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
    await Promise.all(instances.splice(0).map((instance) => instance.stop()));
  });
  const folder = temporaryFolder();

  const serve = async (...replies: Reply[]) => {
    const server = await httpServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://site');
      replies.some((reply) => reply(request, response, pathname));
    });
    servers.push(server);
    return server.url;
  };
  const nodes = (kind: NodeKind, ...urls: string[]) => urls.map((url, n) => ({ id: `${kind}${n + 1}`, url }));
  const check = async (urls: Partial<Record<NodeKind, string[]>>, path = '/content/site.html') => {
    const instance = (kind: NodeKind) =>
      nodes(kind, ...(urls[kind] ?? [])).map((node) => ({ ...node, credentials: 'ADMIN' }));
    const findings = await checkSecurity({
      author: instance('author'),
      publish: instance('publish'),
      dispatchers: nodes('dispatcher', ...(urls.dispatcher ?? [])).map((node) => ({
        ...node,
        publish: 'publish1',
        server: node.id,
      })),
      probe: { path, host: 'www.example.com' },
    });
    return findings
      .filter(({ outcome }) => outcome !== 'passed')
      .map(({ kpi, node, outcome }) => `${kpi} ${outcome} ${node}`)
      .sort();
  };

  it('has a failing answer here for each check', () => {
    assert.deepEqual(Object.keys(weak).sort(), securityChecks.map(({ kpi }) => kpi).sort());
  });

  for (const { kpi, concerns } of securityChecks)
    it(`${kpi} fails for the one ${concerns.join(' or ')} that is open, and nothing else does`, async () => {
      const good = await serve(hardened);
      const open = await serve(weak[kpi] ?? hardened, hardened);
      const urls = { author: [good], publish: [good], dispatcher: [good] };
      for (const kind of concerns)
        assert.deepEqual(await check({ ...urls, [kind]: [good, open] }), [`${kpi} failed ${kind}2`]);
    });

  it('finds nothing wrong with hardened nodes, also where the page is reached by a redirect', async () => {
    const good = await serve(hardened);
    assert.deepEqual(await check({ author: [good], publish: [good, good] }, '/'), []);
  });

  it('does not take an instance that is away or broken for a safe one', async () => {
    const [port] = await freePorts(1);
    const broken = await serve((_, response) => Boolean(response.writeHead(503).end()));
    const concerned = (kind: NodeKind) =>
      securityChecks.filter(({ concerns }) => concerns.includes(kind)).length;
    const found = await check({
      author: [`http://127.0.0.1:${port}`],
      publish: [broken],
      dispatcher: [broken],
    });
    const unknown = found.filter((line) => line.includes(' unknown '));
    // A 503 hides a path as well as a 404 does, but only for now.
    assert.equal(unknown.length, concerned('author') + concerned('publish') + concerned('dispatcher'));
  });

  it('throws when it is cancelled', async () => {
    const url = await serve(() => true);
    const cancel = new AbortController();
    const environment = {
      author: [{ id: 'author1', url, credentials: 'ADMIN' }],
      publish: [],
      dispatchers: [],
      probe: { path: '/' },
    };
    const running = checkSecurity(environment, cancel.signal);
    const reason = new Error('cancelled');
    cancel.abort(reason);
    await assert.rejects(running, reason);
  });

  it('passes a hardened AEM stand-in and names what one has open', async () => {
    const start = async (name: string, insecure: ['crxde_support', 'sling_referrer_filter'] | []) => {
      const aem = await startAem({
        runMode: 'author',
        password: 'long',
        folder: `${folder()}/${name}`,
        insecure,
      });
      instances.push(aem);
      return aem.url;
    };
    const hard = await start('hard', []);
    const open = await start('open', ['crxde_support', 'sling_referrer_filter']);
    assert.deepEqual(await check({ author: [hard] }), []);
    const found = await check({ author: [hard, open] });
    assert.ok(found.includes('crxde_support failed author2'), found.join('\n'));
  });
});
