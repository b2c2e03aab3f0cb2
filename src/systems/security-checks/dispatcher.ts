import { ask, describe, failed, isBroken, noneAnswers, passed, unknown } from './target.ts';
import type { SecurityCheck, Target, Verdict } from './target.ts';

/** What no visitor may reach through a dispatcher (Adobe's "Dispatcher Security Checklist", abridged). */
const closed = [
  '/admin',
  '/system/console',
  '/system/console/bundles.json',
  '/system/health.json',
  '/crx/de/index.jsp',
  '/crx/explorer/browser/index.jsp',
  '/crx/packmgr/index.jsp',
  '/bin/crxde/logs?tail=100',
  '/bin/querybuilder.json?path=/home&p.limit=1',
  '/bin/wcm/search/gql.servlet.json?query=type:base&pathPrefix=',
  '/apps.1.json',
  '/apps.tidy.infinity.json',
  '/libs.1.json',
  '/libs/cq/core/content/login.json',
  '/libs/wcm/core/content/siteadmin.html',
  '/libs/cq/ui/content/dumplibs.html',
  '/etc.1.json',
  '/etc/packages.json',
  '/var.1.json',
  '/var/linkchecker.html',
  '/home/users.1.json',
  '/home/users/a/admin/profile.json',
  '/jcr:system/jcr:versionStorage.json',
  '/_jcr_system/_jcr_versionStorage.json',
  '/content.json',
  '/content.1.json',
  '/content.-1.json',
  '/content.infinity.json',
  '/content/dam.tidy.-100.json',
];

/** Views of a page that show how it is kept rather than what it says. */
const views = [
  '.infinity.json',
  '.-1.json',
  '.tidy.infinity.json',
  '.sysview.xml',
  '.docview.xml',
  '.pages.json',
  '.languages.json',
  '.blueprint.json',
  '.feed.xml',
  '.query.json?statement=//*',
  '/_jcr_content.json',
  '/jcr:content.json',
  '/_jcr_content.feed',
];

/** Hosts that flushes are sent to: the site's own, and the names that the vhost for them has by default. */
const flushHosts = ['flush', 'dispflush'];

/** Dispatchers, as anybody outside finds them. */
export const dispatcherChecks: readonly SecurityCheck[] = [
  {
    kpi: 'cq_dispatcher_configuration',
    concerns: ['dispatcher'],
    async check(target) {
      const page = target.page.path.replace(/(\.html|\/)$/, '');
      const paths = [...closed, ...(page ? views.map((view) => `${page}${view}`) : [])];
      const seen = await noneAnswers(target, paths);
      return seen.outcome === 'passed' ? strangersFlush(target, seen) : seen;
    },
  },
  {
    kpi: 'web_server_configuration',
    concerns: ['dispatcher'],
    async check(target) {
      const { path } = target.page;
      const answer = await ask(target, path);
      if (isBroken(answer)) return unknown(describe(path, answer));
      const header = (name: string) => [answer.headers[name] ?? ''].flat().join(', ').trim();
      const framing =
        /^(DENY|SAMEORIGIN)$/i.test(header('x-frame-options')) ||
        /\bframe-ancestors\s/i.test(header('content-security-policy'));
      const missing = [
        ...(framing ? [] : ['X-Frame-Options (DENY or SAMEORIGIN) or the policy frame-ancestors']),
        ...(/^nosniff$/i.test(header('x-content-type-options')) ? [] : ['X-Content-Type-Options: nosniff']),
      ];
      return missing.length > 0
        ? failed(`${describe(path, answer)} without ${missing.join(' and ')}`)
        : passed(`${describe(path, answer)} with its security headers`);
    },
  },
];

/**
 * Whether anybody may invalidate the cache. Asked where visitors come: this worker itself may be an allowed client. The
 * action `Test` flushes nothing.
 */
async function strangersFlush(target: Target, earlier: Verdict): Promise<Verdict> {
  const path = '/dispatcher/invalidate.cache';
  const outside = { ...target, url: target.visitors ?? target.url };
  const headers = { 'CQ-Action': 'Test', 'CQ-Handle': '/', 'CQ-Path': '/' };
  for (const host of [target.page.host, ...flushHosts]) {
    const answer = await ask(outside, path, { method: 'POST', headers, body: '', ...(host ? { host } : {}) });
    const seen = `${describe(path, answer, 'POST')} to a stranger${host ? ` who asks for host ${host}` : ''}`;
    if (answer.status === 200) return failed(seen);
    if (isBroken(answer)) return unknown(seen);
  }
  return passed(`${earlier.evidence}, POST ${path} is closed to strangers`);
}
