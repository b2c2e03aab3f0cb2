import type { IncomingHttpHeaders } from 'node:http';
import { request, type Dispatcher } from 'undici';
import { Failure, messageOf } from './failure.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The beginning of the body. */
  readonly body: string;
}

export interface Question {
  readonly method?: 'GET' | 'POST' | 'DELETE' | 'OPTIONS' | 'PROPFIND';
  /** The name of the site asked for, where that is not the server's address. */
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly signal?: AbortSignal;
  readonly timeOutMs?: number;
  /** What connects; by default anything to anywhere. */
  readonly dispatcher?: Dispatcher;
  /** Characters of the body that are kept. */
  readonly most?: number;
}

/**
 * One question on a connection of its own; redirects are answers like any other.
 * @throws Failure `Unavailable` when no answer comes; the signal's reason when it fired.
 */
export async function askHttp(url: URL, question: Question = {}): Promise<Answer> {
  const { method = 'GET', host, headers, body, signal, dispatcher } = question;
  const { timeOutMs = 10_000, most = 1_000_000 } = question;
  const timeOut = AbortSignal.timeout(timeOutMs);
  try {
    const answer = await request(url, {
      // undici sends any method; its type lists HTTP's own only.
      method: method as 'GET',
      headers: { 'user-agent': 'fairway', ...headers, ...(host ? { host } : {}) },
      body,
      signal: signal ? AbortSignal.any([signal, timeOut]) : timeOut,
      reset: true,
      dispatcher,
    });
    let text = '';
    for await (const chunk of answer.body.setEncoding('utf8')) {
      text += chunk as string;
      if (text.length > most) break;
    }
    return { status: answer.statusCode, headers: answer.headers, body: text.slice(0, most) };
  } catch (cause) {
    signal?.throwIfAborted();
    const reason = timeOut.aborted ? `nothing within ${timeOutMs / 1000} s` : messageOf(cause);
    throw new Failure('Unavailable', `no answer from ${url.origin}${url.pathname}: ${reason}`, { cause });
  }
}
