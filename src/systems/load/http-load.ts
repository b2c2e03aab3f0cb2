import { Agent, errors, type Dispatcher } from 'undici';
import { PAGE_TIME_OUT_MS } from '../../model/performance.ts';
import { messageOf } from '../failure.ts';
import { arrivals, type Arrival } from './arrivals.ts';
import { tally, type Result, type Tallied } from './tally.ts';

export interface LoadOptions {
  /** Base URL of the server or load balancer. */
  readonly url: string;
  /** Sets of pages. Each set gets the same share of the requests; its pages are asked for in turn. */
  readonly pageSets: readonly (readonly string[])[];
  readonly host?: string;
  /** `user:password` of HTTP Basic. */
  readonly credentials?: string;
  readonly requestsPerSecond: number;
  /** Share of the requests, 0 to 1, that come from ten visitors who keep their cookies; all others are new visitors. */
  readonly sticky: number;
  readonly userAgent: string;
  /** Ends the sending after so long. */
  readonly durationMs?: number;
  /** Ends the sending; answers still due are waited for. */
  readonly signal?: AbortSignal;
  /** Ends everything at once: requests in flight are cut off. */
  readonly cut?: AbortSignal;
  /** Why an answer is no good; without this function, a status of 400 or more is not. */
  readonly judge?: (answer: PageAnswer) => string | undefined;
  /** Answers are counted by what this says of them, such as the version a page shows. */
  readonly label?: (answer: PageAnswer) => string | undefined;
  readonly onResult?: (result: PageResult) => void;
  /** After so long a page counts as one that did not come; Cloud Manager's 20 s unless said otherwise. */
  readonly timeOutMs?: number;
}

export interface PageAnswer {
  readonly path: string;
  readonly status: number;
  readonly body: string;
}

export interface PageResult extends Result {
  readonly sticky: boolean;
  readonly label?: string;
}

export interface LoadResult extends Tallied<PageResult> {
  readonly labels: Readonly<Record<string, number>>;
}

const VISITORS = 10;
/** What one visitor may keep open, so that a server that never answers does not use up this machine. */
const MOST_CONNECTIONS = 1_000;

type Cookies = Map<string, string>;

/**
 * Asks for pages at a constant rate, whether or not earlier requests have been answered. Never throws for what the
 * server does: that is the result. Redirects are answers like any other.
 */
export async function generateLoad(options: LoadOptions): Promise<LoadResult> {
  const { pageSets, requestsPerSecond, sticky, durationMs, signal, cut } = options;
  const { timeOutMs = PAGE_TIME_OUT_MS } = options;
  const agent = new Agent({ connections: MOST_CONNECTIONS, connect: { timeout: timeOutMs } });
  const all = tally<PageResult>(timeOutMs);
  const labels: Record<string, number> = {};
  const visitors = Array.from({ length: VISITORS }, (): Cookies => new Map());
  const turns = { sticky: 0, fresh: 0 };
  const cutOff = () => void agent.destroy();
  cut?.addEventListener('abort', cutOff);

  const add = (result: PageResult) => {
    all.add(result);
    if (result.label !== undefined) labels[result.label] = (labels[result.label] ?? 0) + 1;
    options.onResult?.(result);
  };
  try {
    const ending = { perSecond: requestsPerSecond, durationMs, signal: eitherOf(signal, cut) };
    const minutes = await arrivals(ending, (arrival) => {
      const isSticky = Math.floor((arrival.number + 1) * sticky) > Math.floor(arrival.number * sticky);
      const turn = isSticky ? turns.sticky++ : turns.fresh++;
      const path = pageOfTurn(pageSets, turn);
      const cookies = isSticky ? visitors[turn % VISITORS] : undefined;
      const sent = { at: new Date().toISOString(), dueMs: arrival.dueMs, path, sticky: isSticky };
      if (!arrival.tooMany) return onePage(agent, options, arrival, sent, cookies).then(add);
      add({ ...sent, ms: 0, answered: false, failure: 'not sent: too many requests are without an answer' });
      return undefined;
    });
    return { ...all.sum(minutes), labels };
  } finally {
    cut?.removeEventListener('abort', cutOff);
    await agent.destroy();
  }
}

const eitherOf = (a: AbortSignal | undefined, b: AbortSignal | undefined) =>
  a && b ? AbortSignal.any([a, b]) : (a ?? b);

/** Set by set, page by page. */
function pageOfTurn(sets: readonly (readonly string[])[], turn: number): string {
  const pages = sets[turn % sets.length] ?? [];
  return pages[Math.floor(turn / sets.length) % pages.length] ?? '/';
}

async function onePage(
  agent: Agent,
  options: LoadOptions,
  { due }: Arrival,
  sent: Pick<PageResult, 'at' | 'dueMs' | 'path' | 'sticky'>,
  cookies?: Cookies,
): Promise<PageResult> {
  const { url, host, credentials, userAgent, judge = byStatus, label } = options;
  const { timeOutMs = PAGE_TIME_OUT_MS } = options;
  const { path } = sent;
  const elapsed = () => Math.floor(performance.now() - due);
  const timeOut = AbortSignal.timeout(timeOutMs);
  try {
    const answer = await asked(agent, {
      origin: url,
      method: 'GET',
      path: requestPath(path),
      headers: {
        'user-agent': userAgent,
        ...(host ? { host } : {}),
        ...(credentials ? { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` } : {}),
        ...(cookies?.size ? { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') } : {}),
      },
      signal: timeOut,
    });
    const body = await answer.body.text();
    const ms = elapsed();
    if (cookies) keep(cookies, answer.headers['set-cookie']);
    const page = { path, status: answer.statusCode, body };
    return { ...sent, ms, answered: true, label: label?.(page), failure: judge(page) };
  } catch (error) {
    const failure = timeOut.aborted
      ? `no answer within ${timeOutMs / 1000} s`
      : `no answer: ${messageOf(error)}`;
    return { ...sent, ms: elapsed(), answered: false, failure };
  }
}

/**
 * As a browser does (RFC 9112, 9.3.1), asks once more where the server closed a connection that it had answered on
 * before, and said nothing to this request: a load balancer that is reloaded closes connections that it takes for idle.
 */
async function asked(agent: Agent, request: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData> {
  try {
    return await agent.request(request);
  } catch (error) {
    const wasUsedBefore = error instanceof errors.SocketError && (error.socket?.bytesRead ?? 0) > 0;
    if (!wasUsedBefore) throw error;
    return agent.request(request);
  }
}

const byStatus = ({ status }: PageAnswer) => (status >= 400 ? `status ${status}` : undefined);

/** Escapes what may not stand in a request line; what is escaped already stays. */
function requestPath(path: string): string {
  const { pathname, search } = new URL(path, 'http://page');
  return pathname + search;
}

function keep(cookies: Cookies, setCookie: string | readonly string[] | undefined): void {
  for (const cookie of [setCookie ?? []].flat()) {
    const [pair = ''] = cookie.split(';');
    const at = pair.indexOf('=');
    if (at > 0) cookies.set(pair.slice(0, at).trim(), pair.slice(at + 1).trim());
  }
}
