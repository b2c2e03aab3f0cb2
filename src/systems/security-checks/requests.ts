import { ask, describe, failed, isBroken, passed, unknown } from './target.ts';
import type { SecurityCheck } from './target.ts';

const FOREIGN = 'http://elsewhere.invalid/';

/** Sling's ReferrerFilter refuses what a browser sends from a page of another site. `:operation=nop` changes nothing. */
export const slingReferrerFilter: SecurityCheck = {
  kpi: 'sling_referrer_filter',
  concerns: ['author', 'publish'],
  async check(target) {
    const path = '/content';
    const answer = await ask(target, path, {
      method: 'POST',
      headers: {
        'user-agent': 'Mozilla/5.0 (compatible; fairway)',
        referer: FOREIGN,
        origin: FOREIGN.slice(0, -1),
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: ':operation=nop',
    });
    const seen = `${describe(path, answer, 'POST')} with a foreign referrer`;
    if (isBroken(answer)) return unknown(seen);
    // Sent to the login page: refused as well, before any filter.
    return ([302, 401, 403].includes(answer.status) ? passed : failed)(seen);
  },
};
