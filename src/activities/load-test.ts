import type { Activities, LoadTestInput } from '../model/activities.ts';
import { idsOf } from '../model/execution.ts';
import { crawlSeeds, pageSets, type PageSet } from '../model/page-sets.ts';
import { nodesOf } from '../model/measured-nodes.ts';
import { measurePerformance, PAGE_TIME_OUT_MS, performanceMetrics } from '../model/performance.ts';
import type { PerformanceSettings } from '../model/performance-variables.ts';
import type { Environment } from '../model/schema/definition.ts';
import { crawl } from '../systems/crawler/crawl.ts';
import { generateLoad } from '../systems/load/http-load.ts';
import { pageTable } from '../systems/load/page-table.ts';
import { stretchSeconds, timeSeries } from '../systems/load/series.ts';
import { monitorNodes } from '../systems/node-metrics/monitor.ts';
import type { Deps } from './deps.ts';
import { keepPerformance } from './performance-results.ts';
import { siteSettings } from './variables.ts';
import { testOfStage, type Telling } from './test-of-stage.ts';

/** What the crawl takes at most, besides the pages and the depth that the program sets. */
const CRAWL = { durationMs: 10 * 60_000, bytesPerPage: 2_000_000, bytes: 500_000_000 };

/** The log names so many; the CSV files have all. */
const PAGES_SAID = 20;

/**
 * The load test of the site: looks for pages, then asks for them at the rate that the program wants, while every node
 * is measured. Requests go to the environment's own addresses and nowhere else. One that died begins anew.
 */
export const loadTestActivities = ({ storage, secret }: Deps): Pick<Activities, 'loadTest'> => ({
  loadTest: testOfStage(storage, 'loadTest', async (input: LoadTestInput, { signal, beat, say }) => {
    const { environment, goals } = input;
    const site = await siteSettings({ storage, secret }, idsOf(input.executionKey), input.variables, goals);
    const addresses = addressesOf(environment);
    const sets = await findPages(input, addresses[0]!, site, { signal, beat, say });

    const { durationSeconds, viewsPerMinute } = goals;
    await say(`${viewsPerMinute} page views per minute for ${durationSeconds} s at ${addresses.join(', ')}`);
    const monitor = await monitorNodes(nodesOf(environment), stretchSeconds(durationSeconds) * 1000, signal);
    try {
      const series = timeSeries(durationSeconds, PAGE_TIME_OUT_MS);
      const pages = pageTable(PAGE_TIME_OUT_MS);
      const planned = Math.round((viewsPerMinute * durationSeconds) / 60);
      let done = 0;
      const load = async (url: string) => ({
        url,
        ...(await generateLoad({
          url,
          pageSets: sets.map((set) => set.pages),
          host: environment.probe.host,
          credentials: site.credentials,
          requestsPerSecond: viewsPerMinute / 60 / addresses.length,
          sticky: 0,
          userAgent: 'fairway-load-test',
          durationMs: durationSeconds * 1000,
          cut: signal,
          onResult: (result) => {
            series.add(result);
            pages.add(result);
            beat(`${++done} of ${planned} page views`);
          },
        })),
      });
      const loads = await Promise.all(addresses.map(load));
      signal.throwIfAborted();
      const [slow, failing] = [pages.slow(goals.responseTimeMs), pages.failing()];
      for (const page of slow.slice(0, PAGES_SAID))
        await say(`slow: ${page.path}, 95th percentile ${page.p95Ms} ms`);
      for (const page of failing.slice(0, PAGES_SAID))
        await say(`failing: ${page.path}, ${page.failed} of ${page.requests} times: ${page.lastFailure}`);
      const nodes = await monitor.end();
      return await keepPerformance(
        storage,
        { step: 'loadTest', ...input },
        {
          rows: performanceMetrics(goals),
          measured: measurePerformance(loads),
          nodes,
          series: series.result(nodes),
          picture: {
            ...{ title: `Load test of ${environment.name}`, things: 'page views' },
            ...{ responseTimeMs: goals.responseTimeMs, perMinute: viewsPerMinute, durationSeconds },
          },
          slow,
          failing,
          details: {
            pageSets: sets.map(({ name, pages: { length } }) => ({ name, pages: length })),
            loads,
          },
        },
      );
    } finally {
      monitor.stop();
    }
  }),
});

/** The pages to ask for, by set. */
async function findPages(
  { environment, goals }: LoadTestInput,
  url: string,
  { credentials, maxPages = 5000 }: PerformanceSettings,
  { signal, beat, say }: Telling,
): Promise<readonly PageSet[]> {
  const seeds = crawlSeeds(goals, environment.probe.path);
  let found: readonly string[] = [];
  if (seeds) {
    const { maxDepth = 20 } = goals.crawl ?? {};
    await say(`looking for pages from ${seeds.join(', ')}, ${maxPages} at most`);
    const { pages, stoppedBy, elsewhere, broken } = await crawl({
      ...{ url, host: environment.probe.host, credentials, seeds, signal },
      limits: { ...CRAWL, maxPages, maxDepth },
      onPage: (count) => beat(`${count} pages found`),
    });
    const why = stoppedBy ? `; ended by the limit of ${stoppedBy}` : '';
    await say(`${pages.length} pages found, ${elsewhere} links to other sites not followed${why}`);
    for (const link of broken) await say(`broken: ${link}`);
    // A site that shows nothing is asked for its seeds: the test says what is wrong with it.
    found = pages.length > 0 ? pages : seeds;
  }
  const sets = pageSets(goals.pages, found);
  const share = Math.round(100 / sets.length);
  for (const { name, pages } of sets)
    await say(`${name} pages: ${pages.length}, ${share} % of the page views`);
  return sets;
}

/** Where visitors come; without a load balancer every dispatcher, without dispatchers every publish instance. */
function addressesOf({ loadBalancer, dispatchers, publish }: Environment): readonly string[] {
  if (loadBalancer) return [loadBalancer.url];
  return (dispatchers.length > 0 ? dispatchers : publish).map(({ url }) => url);
}
