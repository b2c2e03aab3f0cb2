import { generateLoad, type LoadResult, type PageAnswer } from '../../systems/load/http-load.ts';
import { probe } from '../environment.ts';

/** What visitors call themselves, so that the access logs tell them from probes and flushes. */
export const VISITOR = 'fairway-demo-visitor';

const PER_SECOND = 100;
/** The summary speaks of so many requests at least. */
export const LEAST_REQUESTS = 2_000;
export const LEAST_PER_SECOND = 50;

export interface Visitors {
  /** How many pages were answered so far. */
  readonly answered: () => number;
  /** Goes on until there were enough requests, then ends. */
  finish(): Promise<LoadResult>;
  /** Ends now. */
  stop(): Promise<LoadResult>;
}

/** The version of the site that a page is of. */
export const versionIn = (page: string): string | undefined =>
  /name="site-version" content="site ([^"]+)"/.exec(page)?.[1];

const versionOf = ({ body }: PageAnswer) => versionIn(body);

/** Visitors of a site, half of them with a sticky cookie, at a constant rate until they are told to stop. */
export function sendVisitors(url: string, perSecond = PER_SECOND): Visitors {
  const end = new AbortController();
  let answered = 0;
  let enough: () => void = () => undefined;
  const result = generateLoad({
    url,
    pageSets: [[probe.path, '/content/site/en/news.html']],
    host: probe.host,
    requestsPerSecond: perSecond,
    sticky: 0.5,
    userAgent: VISITOR,
    signal: end.signal,
    judge: (answer) =>
      answer.status !== 200
        ? `status ${answer.status}`
        : versionOf(answer)
          ? undefined
          : 'a page without a version',
    label: versionOf,
    onResult: () => {
      answered += 1;
      if (answered >= LEAST_REQUESTS) enough();
    },
  });
  const stop = () => {
    end.abort();
    return result;
  };
  return {
    answered: () => answered,
    stop,
    async finish() {
      await new Promise<void>((resolve) => {
        enough = resolve;
        if (answered >= LEAST_REQUESTS) resolve();
      });
      return stop();
    },
  };
}
