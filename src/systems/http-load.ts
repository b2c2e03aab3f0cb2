import { setImmediate as yieldOnce } from 'node:timers/promises';
import { Agent } from 'undici';
import { PAGE_TIME_OUT_MS, type LoadMeasurement } from '../model/performance.ts';
import { messageOf } from './failure.ts';
import { timings } from './http-timings.ts';
import { pause } from './pause.ts';

export interface LoadOptions {
  /** Base URL of the server or load balancer. */
  readonly url: string;
  /** Pages, asked for in turn. */
  readonly paths: readonly string[];
  readonly host?: string;
  readonly requestsPerSecond: number;
  /** Share of the requests, 0 to 1, that come from ten visitors who keep their cookies; all others are new visitors. */
  readonly sticky: number;
  readonly userAgent: string;
  /** Ends the sending after so long. */
  readonly durationMs?: number;
  /** Ends the sending; answers still due are waited for. */
  readonly signal?: AbortSignal;
  /** Why an answer is no good; without this function, a status of 400 or more is not. */
  readonly judge?: (answer: PageAnswer) => string | undefined;
  /** Answers are counted by what this says of them, such as the version a page shows. */
  readonly label?: (answer: PageAnswer) => string | undefined;
  readonly onResult?: (result: PageResult) => void;
}

export interface PageAnswer {
  readonly path: string;
  readonly status: number;
  readonly body: string;
}

export interface PageResult {
  /** When it was sent, ISO. */
  readonly at: string;
  readonly path: string;
  readonly sticky: boolean;
  readonly ms: number;
  readonly label?: string;
  readonly failure?: string;
}

export interface LoadResult extends LoadMeasurement {
  /** The first of them. */
  readonly failures: readonly PageResult[];
  readonly p50Ms?: number;
  /** Requests sent. */
  readonly perMinute: number;
  readonly labels: Readonly<Record<string, number>>;
}

const VISITORS = 10;
const FAILURES_KEPT = 20;
const MOST_IN_FLIGHT = 1_000;
/** The last request may start so late before that counts as a lower rate. */
const LATE_MS = 250;

type Cookies = Map<string, string>;

/**
 * Sends requests at a constant rate, whether or not earlier ones have been answered, as visitors do, who do not know
 * of each other. Never throws for what the server does: that is the result.
 */
export async function generateLoad(options: LoadOptions): Promise<LoadResult> {
  const { paths, requestsPerSecond, sticky, durationMs = Infinity, signal } = options;
  const agent = new Agent({ connections: MOST_IN_FLIGHT, connect: { timeout: PAGE_TIME_OUT_MS } });
  const tally = newTally(options);
  const visitors = Array.from({ length: VISITORS }, (): Cookies => new Map());
  const inFlight = new Set<Promise<void>>();
  const turns = { sticky: 0, fresh: 0 };

  const planned = Math.max(1, Math.round((requestsPerSecond * durationMs) / 1000));
  const intervalMs = 1000 / requestsPerSecond;
  const start = performance.now();
  let sent = 0;
  let lastMs = 0;
  for (; sent < planned && !signal?.aborted; sent++) {
    await until(start + sent * intervalMs, signal);
    if (signal?.aborted) break;
    lastMs = performance.now() - start;
    const isSticky = Math.floor((sent + 1) * sticky) > Math.floor(sent * sticky);
    const turn = isSticky ? turns.sticky++ : turns.fresh++;
    const path = paths[turn % paths.length] ?? '/';
    const cookies = isSticky ? visitors[turn % VISITORS] : undefined;
    if (inFlight.size >= MOST_IN_FLIGHT) {
      const failure = `not sent: ${MOST_IN_FLIGHT} requests are without an answer`;
      tally.add({ at: new Date().toISOString(), path, sticky: isSticky, ms: 0, failure }, false);
      continue;
    }
    const visit = onePage(agent, options, path, cookies)
      .then(({ result, answered }) => tally.add(result, answered))
      .finally(() => inFlight.delete(visit));
    inFlight.add(visit);
  }
  await Promise.all(inFlight);
  await agent.close();

  const plannedMs = sent * intervalMs;
  return tally.result(Math.max(plannedMs, lastMs > plannedMs + LATE_MS ? lastMs : 0) / 60_000);
}

async function until(time: number, signal?: AbortSignal): Promise<void> {
  const ms = time - performance.now();
  if (ms > 0) await pause(ms, signal).catch(() => undefined);
  else await yieldOnce();
}

async function onePage(
  agent: Agent,
  { url, host, userAgent, judge = byStatus, label }: LoadOptions,
  path: string,
  cookies?: Cookies,
): Promise<{ result: PageResult; answered: boolean }> {
  const sent = { at: new Date().toISOString(), path, sticky: cookies !== undefined };
  const start = performance.now();
  const elapsed = () => Math.round(performance.now() - start);
  const timeOut = AbortSignal.timeout(PAGE_TIME_OUT_MS);
  try {
    const answer = await agent.request({
      origin: url,
      method: 'GET',
      path: requestPath(path),
      headers: {
        'user-agent': userAgent,
        ...(host ? { host } : {}),
        ...(cookies?.size ? { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') } : {}),
      },
      signal: timeOut,
    });
    const body = await answer.body.text();
    const ms = elapsed();
    if (cookies) keep(cookies, answer.headers['set-cookie']);
    const page = { path, status: answer.statusCode, body };
    return { result: { ...sent, ms, label: label?.(page), failure: judge(page) }, answered: true };
  } catch (error) {
    const failure = timeOut.aborted
      ? `no answer within ${PAGE_TIME_OUT_MS / 1000} s`
      : `no answer: ${messageOf(error)}`;
    return { result: { ...sent, ms: elapsed(), failure }, answered: false };
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

function newTally({ onResult }: LoadOptions) {
  const times = timings(PAGE_TIME_OUT_MS);
  const failures: PageResult[] = [];
  const labels: Record<string, number> = {};
  let [total, failed, unanswered] = [0, 0, 0];
  return {
    add(result: PageResult, answered: boolean) {
      total++;
      if (!answered) unanswered++;
      // A refused connection says nothing about response times; a page that never came does.
      if (answered || result.ms >= PAGE_TIME_OUT_MS) times.add(result.ms);
      if (result.failure !== undefined) {
        failed++;
        if (failures.length < FAILURES_KEPT) failures.push(result);
      }
      if (result.label !== undefined) labels[result.label] = (labels[result.label] ?? 0) + 1;
      onResult?.(result);
    },
    result: (minutes: number): LoadResult => ({
      total,
      failed,
      unanswered,
      failures,
      p50Ms: times.percentile(50),
      p95Ms: times.percentile(95),
      maxMs: times.max(),
      minutes,
      perMinute: minutes > 0 ? Math.round(total / minutes) : 0,
      labels,
    }),
  };
}
