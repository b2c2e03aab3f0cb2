import { Agent, type Dispatcher } from 'undici';
import { linksOf } from './links.ts';

export interface CrawlOptions {
  /** Base URL of the server or load balancer: every request goes there. */
  readonly url: string;
  /** The name of the site, where it is not that of the URL. */
  readonly host?: string;
  /** `user:password` of HTTP Basic. */
  readonly credentials?: string;
  readonly seeds: readonly string[];
  readonly limits: CrawlLimits;
  readonly signal?: AbortSignal;
  /** How many pages were found so far. */
  readonly onPage?: (found: number) => void;
}

export interface CrawlLimits {
  readonly maxPages: number;
  /** Links away from a seed. */
  readonly maxDepth: number;
  /** Of the whole crawl. */
  readonly durationMs: number;
  /** What is read of a page, and of all pages together. */
  readonly bytesPerPage: number;
  readonly bytes: number;
}

export interface Crawled {
  /** Paths of pages that answer with HTML, in the order that they were found. */
  readonly pages: readonly string[];
  /** What ended the crawl before it had seen everything. */
  readonly stoppedBy?: 'pages' | 'time' | 'bytes';
  /** Links, and redirects, that lead to other sites: not followed. */
  readonly elsewhere: number;
  /** Links within the site that do not work, the first of them. */
  readonly broken: readonly string[];
}

/** Requests of Cloud Manager's crawler have 10 seconds. */
const REQUEST_MS = 10_000;
const AT_ONCE = 4;
const BROKEN_KEPT = 50;
const LONGEST_PATH = 1_000;
const PAGE = /(^|\/)[^/.]*(\.[^/]*)?\.html?$|(^|\/)[^/.]*$/;

/**
 * Looks for the pages of a site, breadth first from some seeds. All requests go to one address; links to other hosts,
 * and redirects there, are never followed. Queries are left out, as they may have no end. What a page says is taken for
 * HTML whatever it is. Never throws for what the server does; the signal's reason when it fires.
 */
export async function crawl(options: CrawlOptions): Promise<Crawled> {
  const { url, seeds, limits, signal, onPage } = options;
  const site = { origin: `http://${options.host ?? new URL(url).host}`, hosts: hostsOf(options) };
  const agent = new Agent({ connections: AT_ONCE, connect: { timeout: REQUEST_MS } });
  const timeIsUp = AbortSignal.timeout(limits.durationMs);
  const stop = signal ? AbortSignal.any([signal, timeIsUp]) : timeIsUp;
  const seen = new Set<string>();
  const pages: string[] = [];
  const broken: string[] = [];
  let [bytes, elsewhere] = [0, 0];
  let stoppedBy: Crawled['stoppedBy'];

  const visit = async (path: string, next: Set<string>) => {
    const answer = await ask(agent, options, path, stop);
    bytes += answer.bytes;
    if (answer.problem !== undefined) {
      if (broken.length < BROKEN_KEPT) broken.push(`${path} ${answer.problem}`);
      return;
    }
    if (answer.html !== undefined && pages.length < limits.maxPages) {
      pages.push(path);
      onPage?.(pages.length);
    }
    const { hrefs, base } = answer.html === undefined ? { hrefs: answer.redirect } : linksOf(answer.html);
    for (const href of hrefs) {
      const target = pathWithin(href, path, base, site);
      if (target === undefined) elsewhere++;
      else if (PAGE.test(target) && target.length <= LONGEST_PATH) next.add(target);
    }
  };

  try {
    let level = seeds.map((seed) => pathWithin(seed, '/', undefined, site) ?? '/');
    for (let depth = 0; depth <= limits.maxDepth && level.length > 0 && !stoppedBy; depth++) {
      const next = new Set<string>();
      const queue = level.filter((path) => !seen.has(path) && seen.add(path));
      const worker = async () => {
        for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
          stoppedBy = timeIsUp.aborted ? 'time' : bytes >= limits.bytes ? 'bytes' : stoppedBy;
          if (pages.length >= limits.maxPages) stoppedBy ??= 'pages';
          if (stoppedBy || signal?.aborted) return;
          await visit(path, next);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      signal?.throwIfAborted();
      if (timeIsUp.aborted) stoppedBy ??= 'time';
      level = [...next];
    }
    return { pages, stoppedBy, elsewhere, broken };
  } finally {
    await agent.destroy();
  }
}

interface Site {
  readonly origin: string;
  readonly hosts: ReadonlySet<string>;
}

/** The site is known by its name and by its address; links carry either. */
const hostsOf = ({ url, host }: CrawlOptions): ReadonlySet<string> => {
  const { host: address } = new URL(url);
  return new Set([address, ...(host ? [host.toLowerCase(), new URL(`http://${host}`).hostname] : [])]);
};

/** The path that a link leads to; undefined when it leads to another site, or nowhere. */
function pathWithin(href: string, from: string, base: string | undefined, site: Site): string | undefined {
  const page = `${site.origin}${from}`;
  const start = base !== undefined && URL.canParse(base, page) ? new URL(base, page).href : page;
  if (!URL.canParse(href, start)) return undefined;
  const { protocol, host, hostname, pathname } = new URL(href, start);
  const here = /^https?:$/.test(protocol) && (site.hosts.has(host) || site.hosts.has(hostname));
  return here ? pathname : undefined;
}

interface Asked {
  readonly html?: string;
  readonly redirect: readonly string[];
  readonly bytes: number;
  readonly problem?: string;
}

async function ask(agent: Agent, options: CrawlOptions, path: string, stop: AbortSignal): Promise<Asked> {
  const { url, host, credentials, limits } = options;
  const timeOut = AbortSignal.timeout(REQUEST_MS);
  const nothing = { redirect: [], bytes: 0 };
  try {
    const answer = await agent.request({
      origin: url,
      method: 'GET',
      path,
      headers: {
        'user-agent': 'fairway-crawler',
        ...(host ? { host } : {}),
        ...(credentials ? { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` } : {}),
      },
      signal: AbortSignal.any([stop, timeOut]),
    });
    const { statusCode: status, headers } = answer;
    const isHtml = status === 200 && /^\s*text\/html\b/i.test(String(headers['content-type'] ?? ''));
    const { text, bytes } = await beginning(answer, isHtml ? limits.bytesPerPage : 0);
    if (status >= 300 && status < 400) return { redirect: [headers['location'] ?? []].flat(), bytes };
    if (status !== 200) return { ...nothing, bytes, problem: `answered ${status}` };
    return { html: isHtml ? text : undefined, redirect: [], bytes };
  } catch {
    return { ...nothing, problem: timeOut.aborted ? `no answer within ${REQUEST_MS / 1000} s` : 'no answer' };
  }
}

async function beginning({ body }: Dispatcher.ResponseData, limit: number) {
  const chunks: Buffer[] = [];
  let bytes = 0;
  if (limit > 0)
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= limit) break;
    }
  else await body.dump({ limit: 128 * 1024 });
  return { text: Buffer.concat(chunks).toString('utf8', 0, limit), bytes };
}
