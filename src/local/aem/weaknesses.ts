import type { IncomingMessage } from 'node:http';
import type { SecurityKpi } from '../../model/security.ts';
import { html, json, type Answer } from './answer.ts';
import type { PackageRecord } from './store.ts';

/** What a hardened AEM has switched off, by the names of the security checks that look for it. */
export type Weakness = SecurityKpi;

interface Opening {
  readonly weakness: Weakness;
  readonly path: RegExp;
  readonly methods: readonly string[];
  readonly answer: (method: string) => Answer;
}

const get = ['GET', 'HEAD'];
const openings: readonly Opening[] = [
  {
    weakness: 'sling_get_servlet',
    path: /^(\/|\/content(\/[^.]*)?)(\.tidy)?\.(infinity|-1)\.json$/,
    methods: get,
    answer: () => json({ 'jcr:primaryType': 'sling:OrderedFolder', 'jcr:createdBy': 'admin' }),
  },
  {
    weakness: 'crxde_support',
    path: /^\/crx\/de(\/index\.jsp|\/)?$/,
    methods: get,
    answer: () => html('<html><head><title>CRXDE Lite</title></head><body></body></html>'),
  },
  {
    weakness: 'davex_health_check',
    path: /^\/crx\/server\/crx\.default\/jcr:root(\/.*)?\.1\.json$/,
    methods: get,
    answer: () => json({ 'jcr:primaryType': 'rep:root', apps: {}, content: {}, home: {} }),
  },
  {
    weakness: 'webdav_health_check',
    path: /^\/crx\/repository(\/.*)?$/,
    methods: ['OPTIONS', 'PROPFIND'],
    answer: (method) => ({
      status: method === 'PROPFIND' ? 207 : 200,
      headers: {
        dav: '1, 2',
        allow: 'OPTIONS, GET, HEAD, POST, PUT, DELETE, MKCOL, COPY, MOVE, PROPFIND, PROPPATCH, LOCK, UNLOCK',
        'content-type': 'text/xml;charset=utf-8',
      },
      body: method === 'PROPFIND' ? '<?xml version="1.0"?><D:multistatus xmlns:D="DAV:"/>' : '',
    }),
  },
  {
    weakness: 'example_content_packages',
    path: /^\/content\/we-retail(\/.*)?\.html$/,
    methods: get,
    answer: () => html('<html><head><title>We.Retail</title></head><body></body></html>'),
  },
  {
    weakness: 'user_profile_default_access',
    path: /^\/home\/users(\/.*)?\.(1|-1|infinity)\.json$/,
    methods: get,
    answer: () => json({ 'jcr:primaryType': 'rep:AuthorizableFolder', a: { 'jcr:primaryType': 'rep:User' } }),
  },
];

/** The answer of something that should have been switched off; undefined where it was. */
export function weakAnswer(
  request: IncomingMessage,
  path: string,
  insecure: ReadonlySet<Weakness>,
): Answer | undefined {
  const method = request.method ?? 'GET';
  return openings
    .find(
      (opening) =>
        insecure.has(opening.weakness) && opening.methods.includes(method) && opening.path.test(path),
    )
    ?.answer(method);
}

/** What a page shows besides its content when it is asked in a way that only authors and developers should have. */
export function withLeaks(answer: Answer, url: URL, insecure: ReadonlySet<Weakness>): Answer {
  if (
    answer === 'cut' ||
    answer.status !== 200 ||
    !/^text\/html/.test(answer.headers?.['content-type'] ?? '')
  )
    return answer;
  let body = String(answer.body);
  const add = (markup: string) => {
    const end = body.lastIndexOf('</body>');
    body = end < 0 ? body + markup : body.slice(0, end) + markup + body.slice(end);
  };
  if (insecure.has('cq_html_library_manager_config') && url.searchParams.get('debugClientLibs') === 'true')
    for (const name of ['base', 'utils', 'site'])
      add(
        `<script type="text/javascript" src="/etc.clientlibs/clientlibs/granite/source/${name}.js"></script>`,
      );
  if (insecure.has('wcm_filter_configuration') && url.searchParams.get('wcmmode') === 'edit')
    add(
      `<cq data-path="${url.pathname.replace(/\.html$/, '')}" data-config="{&quot;editConfig&quot;:{}}"></cq>`,
    );
  return { ...answer, body };
}

/** Sample content that AEM is shipped with, as the package manager lists it. */
export const samplePackage: PackageRecord = {
  group: 'adobe/aem6/sample',
  name: 'we.retail.ui.content',
  version: '4.0.0',
  path: '/etc/packages/adobe/aem6/sample/we.retail.ui.content-4.0.0.zip',
  file: 'none',
  size: 0,
  created: 0,
  uploaded: 1,
  lastUnpacked: 1,
  dependencies: [],
  filter: [{ root: '/content/we-retail', mode: 'replace' }],
  container: false,
};
