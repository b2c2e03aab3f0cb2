import type { IncomingMessage } from 'node:http';
import { html, text, type Answer } from './answer.ts';

const LOGIN = '/libs/granite/core/content/login.html';
const shippedAccounts = ['admin:admin', 'author:author'];

/** `anonymous` gave no credentials, `refused` wrong ones. */
export type Visitor = 'anonymous' | 'refused' | 'user';

export interface Accounts {
  readonly password: string;
  /** The accounts that AEM is shipped with still have their passwords. */
  readonly shipped: boolean;
}

export const accepts = ({ password, shipped }: Accounts, userAndPassword: string) =>
  userAndPassword === `admin:${password}` || (shipped && shippedAccounts.includes(userAndPassword));

export function visitorOf(request: IncomingMessage, accounts: Accounts): Visitor {
  const [, encoded] = /^Basic\s+(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  if (encoded === undefined) return 'anonymous';
  return accepts(accounts, Buffer.from(encoded, 'base64').toString('utf8')) ? 'user' : 'refused';
}

export const unauthorized: Answer = {
  status: 401,
  headers: {
    'www-authenticate': 'Basic realm="Sling (Development)"',
    'content-type': 'text/html;charset=utf-8',
  },
  body: '<html><head><title>401 Unauthorized</title></head><body>Unauthorized</body></html>',
};

export const toLogin = (path: string): Answer => ({
  status: 302,
  headers: { location: `${LOGIN}?resource=${encodeURIComponent(path)}&$$login$$=%24%24login%24%24` },
});

/** Sling's ReferrerFilter: browsers may change something only from a page of this host. */
export function foreignReferrer(request: IncomingMessage): Answer | undefined {
  const changes = ['POST', 'PUT', 'DELETE', 'COPY', 'MOVE'].includes(request.method ?? '');
  if (!changes || !/^(Mozilla|Opera)/.test(request.headers['user-agent'] ?? '')) return undefined;
  const referrer = request.headers.referer ?? request.headers.origin;
  const host = referrer !== undefined && URL.canParse(referrer) ? new URL(referrer).host : undefined;
  return host === request.headers.host ? undefined : text(403, 'Forbidden');
}

/** The login form and the question who one is. */
export function login(
  request: IncomingMessage,
  path: string,
  form: ReadonlyMap<string, string>,
  accounts: Accounts,
): Answer | undefined {
  if (path === LOGIN)
    return html('<html><head><title>AEM Sign In</title></head><body><form id="login"></form></body></html>');
  if (path === `${LOGIN}/j_security_check` && request.method === 'POST') {
    const good = accepts(accounts, `${form.get('j_username') ?? ''}:${form.get('j_password') ?? ''}`);
    return text(good ? 200 : 403, good ? '' : 'User name and password do not match');
  }
  return undefined;
}
