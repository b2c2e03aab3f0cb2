import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { startAem, type AemStandIn } from '../../src/local/aem/aem.ts';
import { freePorts } from '../../src/local/ports.ts';
import { qualityGatesSchema } from '../../src/model/schema/quality-gates.ts';
import { healthCheckOf, securityKpis, type SecurityKpi } from '../../src/model/security.ts';
import { checkSecurity, securityChecks } from '../../src/systems/security-checks/check.ts';
import { insideChecks } from '../../src/systems/security-checks/health.ts';
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
    response
      .writeHead(200, {
        'x-frame-options': 'SAMEORIGIN',
        'x-content-type-options': 'nosniff',
        'content-type': 'text/html',
      })
      .end(page);
  else status(404)(response);
  return true;
};

/** An instance whose health checks for these KPIs say this; it has no others. */
const health =
  (statuses: Partial<Record<SecurityKpi, string>>): Reply =>
  (request, response, path) => {
    if (path !== '/system/health.json') return false;
    const wanted = new URL(request.url ?? '', 'http://site').searchParams.get('names')?.split(',') ?? [];
    const results = Object.entries(statuses)
      .map(([kpi, status]) => ({ name: healthCheckOf(kpi as SecurityKpi), status }))
      .filter(({ name }) => wanted.includes(name))
      .map((result) => ({ ...result, messages: [{ status: result.status, message: 'as configured' }] }));
    const critical = results.some(({ status }) => status === 'CRITICAL');
    response.writeHead(critical ? 503 : 200).end(JSON.stringify({ overallResult: 'x', results }));
    return true;
  };
const inside = insideChecks.map(({ kpi }) => kpi);
const allOk = (kpis: readonly SecurityKpi[]) => Object.fromEntries(kpis.map((kpi) => [kpi, 'OK']));
/** What cannot be seen from outside is in order. */
const healthy = health(allOk(inside));

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
    path === '/content/site.html' &&
    Boolean(response.writeHead(200, { 'x-frame-options': 'DENY' }).end(page)),
  cq_html_library_manager_config: (request, response) =>
    /debugClientLibs=true/.test(request.url ?? '') &&
    Boolean(response.end(page.replace('</body>', '<script src="/source/b.js"></script></body>'))),
  wcm_filter_configuration: (request, response) =>
    /wcmmode=edit/.test(request.url ?? '') && Boolean(response.end(`<cq data-path="/content"></cq>${page}`)),
  ...Object.fromEntries(inside.map((kpi) => [kpi, health({ ...allOk(inside), [kpi]: 'CRITICAL' })])),
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
  const secret = async () => 'admin:long';
  const nodes = (kind: NodeKind, ...urls: string[]) => urls.map((url, n) => ({ id: `${kind}${n + 1}`, url }));
  const findings = async (
    urls: Partial<Record<NodeKind, string[]>>,
    { path = '/content/site.html', balancer }: { path?: string; balancer?: string } = {},
  ) => {
    const instance = (kind: NodeKind) =>
      nodes(kind, ...(urls[kind] ?? [])).map((node) => ({ ...node, credentials: 'ADMIN' }));
    const environment = {
      author: instance('author'),
      publish: instance('publish'),
      dispatchers: nodes('dispatcher', ...(urls.dispatcher ?? [])).map((node) => ({
        ...node,
        publish: 'publish1',
        server: node.id,
      })),
      probe: { path, host: 'www.example.com' },
      loadBalancer: balancer
        ? { type: 'haproxy' as const, socket: '/s', backend: 'b', url: balancer }
        : undefined,
    };
    return checkSecurity(environment, { secret });
  };
  const check = async (...asked: Parameters<typeof findings>) =>
    (await findings(...asked))
      .filter(({ outcome }) => outcome !== 'passed')
      .map(({ kpi, node, outcome }) => `${kpi} ${outcome} ${node}`)
      .sort();

  it('are the twenty of the table, each with a failing answer here', () => {
    assert.equal(securityKpis.length, 20);
    assert.deepEqual(securityChecks.map(({ kpi }) => kpi).sort(), [...securityKpis].sort());
    assert.deepEqual(Object.keys(weak).sort(), [...securityKpis].sort());
    const settable = Object.keys(qualityGatesSchema.shape);
    assert.deepEqual(
      securityKpis.filter((kpi) => !settable.includes(kpi)),
      [],
      'a program may set the severity of each',
    );
  });

  for (const { kpi, concerns } of securityChecks)
    it(`${kpi} fails for the one ${concerns.join(' or ')} that is open, and nothing else does`, async () => {
      const good = await serve(healthy, hardened);
      const closed = await serve(hardened);
      const urls = { author: [good], publish: [good], dispatcher: [closed] };
      const rest = concerns.includes('dispatcher') ? [hardened] : [healthy, hardened];
      const open = await serve(weak[kpi] ?? hardened, ...rest);
      for (const kind of concerns)
        assert.deepEqual(await check({ ...urls, [kind]: [...(urls[kind] ?? []), open] }), [
          `${kpi} failed ${kind}2`,
        ]);
    });

  it('finds nothing wrong with hardened nodes, also where the page is reached by a redirect', async () => {
    const good = await serve(healthy, hardened);
    assert.deepEqual(await check({ author: [good], publish: [good, good] }, { path: '/' }), []);
  });

  it('believe the health checks of an instance, whatever it looks like from outside', async () => {
    const says = async (status: string) => {
      const url = await serve(health({ ...allOk(inside), crxde_support: status }), hardened);
      return findings({ author: [url] });
    };
    const found = (await says('WARN')).find(({ kpi }) => kpi === 'crxde_support');
    assert.deepEqual([found?.outcome, found?.node], ['failed', 'author1']);
    assert.match(found?.evidence ?? '', /health check "CRXDE Support": WARN; as configured/);
    const busy = (await says('TEMPORARILY_UNAVAILABLE')).find(({ kpi }) => kpi === 'crxde_support');
    assert.equal(busy?.outcome, 'unknown');
  });

  it('leave unknown what only a health check could tell, and say why', async () => {
    const reasons: [Reply, RegExp][] = [
      [hardened, /answered 401 without a report/],
      [
        (_, response, path) => path === '/system/health.json' && Boolean(response.end('<html>')),
        /answered 200 without a report/,
      ],
      [health({}), /does not report on it/],
    ];
    for (const [reply, why] of reasons) {
      const open = (await findings({ publish: [await serve(reply, hardened)] })).filter(
        ({ outcome }) => outcome === 'unknown',
      );
      assert.deepEqual(open.map(({ kpi }) => kpi).sort(), [...inside].sort());
      for (const { evidence } of open) assert.match(evidence, why);
    }
  });

  it('never ask for all health checks, and ask as an administrator', async () => {
    const asked: string[] = [];
    const url = await serve((request) => {
      if (request.url?.startsWith('/system/health'))
        asked.push(`${request.url} ${request.headers.authorization}`);
      return false;
    }, hardened);
    await findings({ author: [url] });
    assert.equal(asked.length, 1);
    assert.match(asked[0] ?? '', /names=\w/);
    assert.ok(asked[0]?.endsWith(`Basic ${btoa('admin:long')}`));
  });

  it('find a dispatcher that lets strangers flush, by whatever host and through the load balancer', async () => {
    const flushes =
      (host: string): Reply =>
      (request, response, path) =>
        path === '/dispatcher/invalidate.cache' &&
        request.headers.host === host &&
        request.headers['cq-action'] === 'Test' &&
        Boolean(response.end('<H1>OK</H1>'));
    const good = await serve(hardened);
    for (const host of ['www.example.com', 'flush', 'dispflush']) {
      const open = await serve(flushes(host), hardened);
      const expected = ['cq_dispatcher_configuration failed dispatcher1'];
      assert.deepEqual(await check({ dispatcher: [open] }), expected);
      assert.deepEqual(await check({ dispatcher: [good] }, { balancer: open }), expected);
      // This worker may be an allowed client of the dispatcher: what counts is what visitors can do.
      assert.deepEqual(await check({ dispatcher: [open] }, { balancer: good }), []);
    }
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
    const running = checkSecurity(environment, { secret, signal: cancel.signal });
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
