import type { PerformanceGoals } from './schema/definition.ts';

/** Cloud Manager's names: popular live pages, other live pages, new pages. */
export const pageSetNames = ['popular', 'new', 'other'] as const;

export interface PageSet {
  readonly name: (typeof pageSetNames)[number];
  readonly pages: readonly string[];
}

/**
 * The sets that a load test asks for pages of: those that the definition lists, and what the crawl found besides,
 * which counts as other live pages. A page belongs to the first set that has it; sets without pages are left out.
 * Every set gets the same share of the page views, as the page "Performance Testing" of Cloud Manager has it.
 */
export function pageSets(lists: PerformanceGoals['pages'], crawled: readonly string[]): readonly PageSet[] {
  const taken = new Set<string>();
  return pageSetNames
    .map((name) => ({ name, pages: [...lists[name], ...(name === 'other' ? crawled : [])] }))
    .map(({ name, pages }) => ({
      name,
      pages: pages.filter((page) => !taken.has(page) && taken.add(page)),
    }))
    .filter(({ pages }) => pages.length > 0);
}

/** Where the crawl begins; undefined when the definition lists pages and asks for no crawl. */
export function crawlSeeds(
  { pages, crawl }: PerformanceGoals,
  probePath: string,
): readonly string[] | undefined {
  if (crawl) return crawl.seeds.length > 0 ? crawl.seeds : [probePath];
  return pageSetNames.every((name) => pages[name].length === 0) ? [probePath] : undefined;
}
