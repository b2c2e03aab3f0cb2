import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Visitor } from './access.ts';
import { json, text, type Answer } from './answer.ts';

const TOKEN = '/libs/granite/csrf/token.json';
const SAFE_AGENTS = /^(curl|Wget|Ruby|Apache-HttpClient)\b/;

/**
 * Granite's CSRF filter (AEM 6.5, "CSRF Protection"): whoever is logged in changes something only with a token, but
 * for some programs that are no browsers. A token ends with the instance that gave it.
 */
export class Csrf {
  readonly #token = randomBytes(24).toString('base64url');

  /** Of the page that gives tokens; an anonymous visitor needs none. */
  answer(path: string, visitor: Visitor): Answer | undefined {
    return path === TOKEN ? json(visitor === 'user' ? { token: this.#token } : {}) : undefined;
  }

  refuses(request: IncomingMessage, form: ReadonlyMap<string, string>, visitor: Visitor): Answer | undefined {
    if (visitor !== 'user' || SAFE_AGENTS.test(request.headers['user-agent'] ?? '')) return undefined;
    const given = request.headers['csrf-token'] ?? form.get(':cq_csrf_token');
    return given === this.#token ? undefined : text(403, 'Forbidden');
  }
}
