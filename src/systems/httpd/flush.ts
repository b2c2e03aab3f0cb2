import { request } from 'undici';
import type { PathFlushed } from '../../model/activities.ts';
import { messageOf } from '../failure.ts';
import { pause } from '../pause.ts';
import type { HttpdSettings } from './settings.ts';

/**
 * What is asked of the dispatcher (Adobe, "Invalidating Cached Pages From AEM"): `flush` deletes the path's own files
 * from the cache and nothing else, `invalidate` deletes them and marks everything around them (as far as the farm's
 * `statfileslevel` reaches) as stale, as the activation of a page does.
 */
export const flushHeaders = {
  flush: { 'CQ-Action': 'Delete', 'CQ-Action-Scope': 'ResourceOnly' },
  invalidate: { 'CQ-Action': 'Activate' },
} as const;

const TRIES = 4;
const BETWEEN_MS = 250;
const ANSWER_MS = 10_000;

/** Asks the dispatcher to drop one path from its cache. A refusal is an answer; only the signal's reason is thrown. */
export async function flushPath(
  { flush }: HttpdSettings,
  action: PathFlushed['action'],
  path: string,
  signal?: AbortSignal,
): Promise<PathFlushed> {
  if (!/^\/[^\p{Cc}]*$/u.test(path) || path.split('/').includes('..'))
    return { path, action, ok: false, answer: 'not sent: this is not an absolute path without ".."' };
  // A header carries bytes, and the dispatcher names its files by the bytes of UTF-8.
  const handle = Buffer.from(path, 'utf8').toString('latin1');
  for (let attempt = 1; ; attempt++) {
    const limit = AbortSignal.timeout(ANSWER_MS);
    try {
      const { statusCode, body } = await request(new URL('/dispatcher/invalidate.cache', flush.url), {
        method: 'POST',
        headers: { host: flush.host, ...flushHeaders[action], 'CQ-Handle': handle, 'CQ-Path': handle },
        body: '',
        reset: true,
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
      });
      const answer = `${statusCode} ${words(await body.text())}`.trim();
      return { path, action, ok: statusCode === 200, answer };
    } catch (error) {
      signal?.throwIfAborted();
      const answer = limit.aborted ? `no answer within ${ANSWER_MS / 1000} s` : messageOf(error);
      if (attempt === TRIES)
        return { path, action, ok: false, answer: `${answer} (${TRIES} attempts)`, unanswered: true };
    }
    await pause(BETWEEN_MS, signal);
  }
}

const words = (html: string): string =>
  html
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 200);
