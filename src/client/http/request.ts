import type { Readable } from 'node:stream';
import { request } from 'undici';
import { isLoopback } from '../../model/loopback.ts';
import { FairwayError, type FairwayErrorKind } from '../fairway-error.ts';
import { BUSY_MS } from '../patiently.ts';

const ANSWER_MS = 35_000;
/** A change that many wait for is answered when its turn has come. */
const CHANGE_MS = BUSY_MS + ANSWER_MS;
const BEYOND_ANY_END = 999_999_999_999_999;

type Method = 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';

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

  async get<T>(path: string): Promise<T> {
    return (await this.ask<T>('GET', path)).content;
  }

  /** As `get`; undefined where the API knows no such thing. */
  async find<T>(path: string): Promise<{ readonly content: T; readonly etag?: string } | undefined> {
    try {
      return await this.ask<T>('GET', path);
    } catch (error) {
      if (error instanceof FairwayError && error.kind === 'notFound') return undefined;
      throw error;
    }
  }

  async change<T = void>(
    method: Exclude<Method, 'GET'>,
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<T> {
    return (await this.ask<T>(method, path, body, headers)).content;
  }

  /** The file behind a link of the API, from byte `from` on. @throws FairwayError `notFound` where nothing is */
  async file(link: string, from: number): Promise<Readable> {
    const { statusCode, body } = await this.follow(link, from > 0 ? { range: `bytes=${from}-` } : {});
    if (statusCode === 200 || statusCode === 206) return body;
    throw new FairwayError(kindOf(statusCode), said(statusCode, await body.text()));
  }

  /** How many bytes the file behind a link has now; undefined when there is none. */
  async sizeOf(link: string): Promise<number | undefined> {
    const { statusCode, headers, body } = await this.follow(link, { range: `bytes=${BEYOND_ANY_END}-` });
    const text = await body.text();
    if (statusCode === 404) return undefined;
    const [, size] = /^bytes \*\/(\d+)$/.exec(String(headers['content-range'])) ?? [];
    if (size !== undefined) return Number(size);
    throw new FairwayError(kindOf(statusCode), said(statusCode, text));
  }

  /** Without the token: the link says enough. Whatever host it names, it is asked for where the API is. */
  private follow(link: string, headers: Readonly<Record<string, string>>) {
    const { pathname, search } = new URL(link, this.base);
    return this.send(`${new URL(this.base).origin}${pathname}${search}`, 'GET', headers);
  }

  /** @throws FairwayError with what the API says */
  private async ask<T>(
    method: Method,
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly content: T; readonly etag?: string }> {
    const answer = await this.send(
      this.base + path,
      method,
      {
        accept: 'application/json',
        authorization: `Bearer ${this.token}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
      body && JSON.stringify(body),
    );
    const { statusCode: status } = answer;
    const text = await answer.body.text();
    if (status < 200 || status > 299) throw refusal(status, said(status, text));
    const etag = answer.headers['etag'];
    return {
      content: (text === '' ? undefined : parsed(text, this.base)) as T,
      ...(typeof etag === 'string' ? { etag } : {}),
    };
  }

  private async send(url: string, method: Method, headers: Readonly<Record<string, string>>, body?: string) {
    try {
      return await request(url, {
        ...{ method, headers, body },
        ...{ headersTimeout: method === 'GET' ? ANSWER_MS : CHANGE_MS, bodyTimeout: ANSWER_MS },
      });
    } catch (error) {
      const never = (error as { code?: string }).code === 'ECONNREFUSED';
      throw new FairwayError(
        method !== 'GET' && !never ? 'outcomeUnknown' : 'unavailable',
        `no answer from the API at ${this.base}: ${(error as Error).message}`,
        error,
      );
    }
  }
}

/** The API says 503 where it would have to ask a worker, and there is none. */
const refusal = (status: number, message: string): FairwayError =>
  status === 503 ? FairwayError.unanswered(message) : new FairwayError(kindOf(status), message);

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
      errors?: readonly { field?: string; message?: string }[];
    };
    const messages = errors.flatMap(({ field, message }) =>
      message ? [field ? `${field}: ${message}` : message] : [],
    );
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
