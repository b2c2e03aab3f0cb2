import { noneAnswers } from './target.ts';
import type { SecurityCheck } from './target.ts';

const instances = ['author', 'publish'] as const;

/** What anonymous visitors must not be given: Adobe's security checklist for AEM 6.5. */
export const exposureChecks: readonly SecurityCheck[] = [
  {
    kpi: 'sling_get_servlet',
    concerns: instances,
    check: (target) =>
      noneAnswers(target, ['/content.infinity.json', '/content.-1.json', '/content.tidy.infinity.json']),
  },
  {
    kpi: 'crxde_support',
    concerns: instances,
    check: (target) => noneAnswers(target, ['/crx/de/index.jsp']),
  },
  {
    kpi: 'davex_health_check',
    concerns: instances,
    check: (target) => noneAnswers(target, ['/crx/server/crx.default/jcr:root/.1.json']),
  },
  {
    kpi: 'webdav_health_check',
    concerns: instances,
    async check(target) {
      const path = '/crx/repository';
      const speaksDav = ({ status, headers }: { status: number; headers: object }) =>
        status === 207 || 'dav' in headers;
      const options = await noneAnswers(target, [path], speaksDav, { method: 'OPTIONS' });
      if (options.outcome !== 'passed') return options;
      return noneAnswers(target, [path], speaksDav, { method: 'PROPFIND', headers: { depth: '0' } });
    },
  },
  {
    kpi: 'example_content_packages',
    concerns: instances,
    check: (target) =>
      noneAnswers(target, [
        '/content/we-retail.html',
        '/content/geometrixx.html',
        '/content/geometrixx-outdoors.html',
      ]),
  },
  {
    kpi: 'user_profile_default_access',
    concerns: instances,
    check: (target) => noneAnswers(target, ['/home/users.1.json', '/home/users.infinity.json']),
  },
];
