import type { Failure } from './failure.ts';

/**
 * Runs `work`, which says `spoke` whenever there is a sign of life, and ends it through its signal when there was none for
 * `limitMs`.
 * @throws Failure as `stuck` says it when that happened; the reason of `signal`
 */
export async function unlessSilent<T>(
  limitMs: number,
  signal: AbortSignal,
  stuck: () => Failure,
  work: (signal: AbortSignal, spoke: () => void) => Promise<T>,
): Promise<T> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(stuck()), limitMs);
  try {
    return await work(AbortSignal.any([signal, silence.signal]), () => void timer.refresh());
  } catch (error) {
    if (silence.signal.aborted && !signal.aborted) throw silence.signal.reason;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
