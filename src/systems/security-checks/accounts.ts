import { ask, describe, failed, isBroken, passed, unknown } from './target.ts';
import type { SecurityCheck } from './target.ts';

const shipped = ['admin', 'author', 'replication-receiver'];
const WHO = '/libs/granite/security/currentuser.json';
const CONSOLE = '/system/console/bundles.json';

/** The accounts that AEM is shipped with have the password that is their name. */
export const defaultLoginAccounts: SecurityCheck = {
  kpi: 'default_login_accounts',
  concerns: ['author', 'publish'],
  async check(target) {
    const evidence: string[] = [];
    let told = true;
    for (const name of shipped) {
      const authorization = `Basic ${Buffer.from(`${name}:${name}`).toString('base64')}`;
      const as = (path: string) => ask(target, path, { headers: { authorization } });
      const who = await as(WHO);
      // Where that page is switched off, the console tells, to administrators at least.
      const answer = who.status === 404 ? await as(CONSOLE) : who;
      const seen = `${describe(who.status === 404 ? CONSOLE : WHO, answer)} to ${name}`;
      if (answer.status === 200 && (who.status === 404 || isUser(who.body, name))) return failed(seen);
      if (isBroken(answer)) told = false;
      evidence.push(seen);
    }
    return (told ? passed : unknown)(evidence.join(', '));
  },
};

function isUser(body: string, name: string): boolean {
  try {
    const { authorizableId } = JSON.parse(body) as { authorizableId?: unknown };
    return authorizableId === name || (authorizableId !== 'anonymous' && typeof authorizableId === 'string');
  } catch {
    return false;
  }
}
