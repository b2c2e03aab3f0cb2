import { Failure } from './failure.ts';
import { askHttp, type Answer, type Question } from './http-ask.ts';

/** An instance and an account of it. */
export interface Account {
  readonly url: string;
  /** `user:password` */
  readonly credentials: string;
}

/** AEM answers when the content is saved. */
const SAVED_WITHIN_MS = 60_000;

/**
 * An AEM or Sling instance over HTTP, with the rights of an account. Granite's CSRF filter asks whoever is logged in and
 * is none of a few known programs for a token that `/libs/granite/csrf/token.json` gives (AEM 6.5, "CSRF Protection");
 * Sling has none. Every method throws Failure `Unavailable` when no answer comes.
 */
export function granite({ url, credentials }: Account) {
  const authorization = `Basic ${Buffer.from(credentials, 'utf8').toString('base64')}`;
  const ask = (path: string, question: Question) =>
    askHttp(new URL(path, url), { ...question, headers: { authorization, ...question.headers } });

  async function token(signal?: AbortSignal): Promise<string | undefined> {
    const { status, body } = await ask('/libs/granite/csrf/token.json', { signal });
    if (status !== 200) return undefined;
    try {
      const { token: given } = JSON.parse(body) as { token?: unknown };
      return typeof given === 'string' ? given : undefined;
    } catch {
      throw new Failure('Unavailable', `${url} gives no CSRF token that can be read`);
    }
  }

  let known: string | undefined;
  /** Asks for a change. A token ends after a while, or with the instance that gave it: then there is another. */
  async function change(path: string, question: Question): Promise<Answer> {
    const send = () =>
      ask(path, {
        timeOutMs: SAVED_WITHIN_MS,
        ...question,
        headers: { ...question.headers, ...(known !== undefined && { 'csrf-token': known }) },
      });
    const isNew = known === undefined;
    known ??= await token(question.signal);
    const answer = await send();
    if (answer.status !== 403 || isNew) return answer;
    known = await token(question.signal);
    return send();
  }

  return {
    url,
    get: (path: string, signal?: AbortSignal): Promise<Answer> => ask(path, { signal }),
    change,

    /** A form, as Sling's POST servlet takes it. */
    post: (path: string, fields: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Answer> =>
      change(path, {
        method: 'POST',
        headers: {
          accept: 'application/json',
          'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
        },
        body: new URLSearchParams(fields).toString(),
        signal,
      }),
  };
}

export type Granite = ReturnType<typeof granite>;
