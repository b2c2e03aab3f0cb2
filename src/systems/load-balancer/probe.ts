import { Failure, messageOf } from '../failure.ts';
import { askHttp } from '../http-ask.ts';
import { pause } from '../pause.ts';

/** What a healthy dispatcher answers with 200. */
export interface Probe {
  readonly path: string;
  readonly host?: string;
}

export interface ProbeResult {
  readonly good: boolean;
  /** For people: `GET http://d1/page answered 503`. */
  readonly answer: string;
}

const TIME_OUT_MS = 5_000;
const GOOD_IN_A_ROW = 3;
/** After a bad answer; good ones follow one another soon. */
const AGAIN_MS = 25;
const NEXT_MS = 5;

/**
 * One question to a dispatcher itself, past the load balancer. With `pastCache` it has a query string:
 * a dispatcher does not cache such pages, so the answer comes from its publish instance.
 */
export async function probeOnce(
  base: string,
  probe: Probe,
  options: { readonly pastCache: boolean; readonly signal?: AbortSignal },
): Promise<ProbeResult> {
  const url = new URL(new URL(probe.path, 'http://probe').pathname, base);
  if (options.pastCache) url.searchParams.set('fairway-probe', String(Date.now()));
  try {
    const { host } = probe;
    const { status } = await askHttp(url, { host, timeOutMs: TIME_OUT_MS, signal: options.signal });
    return { good: status === 200, answer: `GET ${url.href} answered ${status}` };
  } catch (error) {
    options.signal?.throwIfAborted();
    return { good: false, answer: messageOf(error) };
  }
}

/**
 * Waits until a dispatcher gives several good answers in a row.
 * @throws Failure `NotReady` with its last bad answer; the signal's reason when it fired.
 */
export async function untilHealthy(
  base: string,
  probe: Probe,
  { signal, limitMs = 60_000 }: { readonly signal?: AbortSignal; readonly limitMs?: number } = {},
): Promise<void> {
  const deadline = Date.now() + limitMs;
  for (let good = 0, last = ''; ; await pause(good > 0 ? NEXT_MS : AGAIN_MS, signal)) {
    const result = await probeOnce(base, probe, { pastCache: false, signal });
    good = result.good ? good + 1 : 0;
    if (!result.good) last = result.answer;
    if (good === GOOD_IN_A_ROW) return;
    if (Date.now() >= deadline)
      throw new Failure(
        'NotReady',
        `${base} does not answer its probe page well within ${limitMs / 1000} s: ${last || result.answer}. ` +
          'Look at its error log, and at "probe" of the environment',
      );
  }
}
