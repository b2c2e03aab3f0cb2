import { request } from 'undici';
import { isLoopback } from '../../model/loopback.ts';
import { FairwayError, type FairwayErrorKind } from '../fairway-error.ts';

const ANSWER_MS = 35_000;

/** Asks the API at `base` with a token. */
export class ApiRequests {
  private readonly base: string;
  private readonly token: string;

  /** @throws FairwayError `refused` for an address that a token must not be sent to */
  constructor(base: string, token: string) {
    const url = URL.canParse(base) ? new URL(base) : undefined;
    if (!url || !/^https?:$/.test(url.protocol) || url.username || url.search)
      throw new FairwayError('refused', `${base} is no address of an API: https://host, without credentials`);
    if (url.protocol === 'http:' && !isLoopback(url.hostname))
      throw new FairwayError('refused', `the token would be sent to ${url.origin} unencrypted: use https`);
    if (!/^[\w.~+/=-]+$/.test(token))
      throw new FairwayError('refused', 'the token has a form that no token has');
    this.base = base.replace(/\/$/, '');
    this.token = token;
  }

  get<T>(path: string): Promise<T> {
    return this.ask<T>('GET', path);
  }

  put<T>(path: string, body?: object): Promise<T> {
    return this.ask<T>('PUT', path, body);
  }

  /** @throws FairwayError with what the API says */
  private async ask<T>(method: 'GET' | 'PUT', path: string, body?: object): Promise<T> {
    const changes = method === 'PUT';
    let answer: { status: number; text: string };
    try {
      const { statusCode, body: content } = await request(this.base + path, {
        method,
        headers: {
          accept: 'application/json',
          authorization: `Bearer ${this.token}`,
          ...(body ? { 'content-type': 'application/json' } : {}),
        },
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      answer = { status: statusCode, text: await content.text() };
    } catch (error) {
      const never = (error as { code?: string }).code === 'ECONNREFUSED';
      throw new FairwayError(
        changes && !never ? 'outcomeUnknown' : 'unavailable',
        `no answer from the API at ${this.base}: ${(error as Error).message}`,
        error,
      );
    }
    const { status, text } = answer;
    if (status >= 200 && status <= 299) return (text === '' ? undefined : parsed(text, this.base)) as T;
    throw new FairwayError(kindOf(status), said(status, text));
  }
}

function kindOf(status: number): FairwayErrorKind {
  if (status === 404) return 'notFound';
  if (status === 504) return 'outcomeUnknown';
  return status === 429 || status >= 500 ? 'unavailable' : 'refused';
}

/** What a problem of the API says, for people. */
function said(status: number, text: string): string {
  try {
    const { title, errors = [] } = JSON.parse(text) as {
      title?: string;
      errors?: readonly { message?: string }[];
    };
    const messages = errors.flatMap(({ message }) => (message ? [message] : []));
    return messages.join('; ') || title || `the API answered ${status}`;
  } catch {
    return `the API answered ${status}`;
  }
}

function parsed(text: string, base: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FairwayError('unavailable', `what answers at ${base} is not Fairway's API`, error);
  }
}
