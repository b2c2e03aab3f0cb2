import type { ExecutionInput } from './execution.ts';
import type { SecretReference } from './variables.ts';

/** Variables of a pipeline that its load test takes, in Cloud Manager's names; the build does not get them. */
export const BASIC_USERNAME = 'CM_PERF_TEST_BASIC_USERNAME';
export const BASIC_PASSWORD = 'CM_PERF_TEST_BASIC_PASSWORD';
export const CRAWLER_MAX_PAGES = 'CM_PERF_TEST_CRAWLER_MAX_PAGES';

/** How many pages the crawl may be told to find (the page "Performance Testing" of Cloud Manager). */
const PAGES = { least: 2000, most: 7000 };

const names: readonly string[] = [BASIC_USERNAME, BASIC_PASSWORD, CRAWLER_MAX_PAGES];

export const isPerformanceVariable = (name: string): boolean => names.includes(name);

export interface PerformanceVariables {
  readonly plain: Readonly<Record<string, string>>;
  readonly secret: readonly SecretReference[];
}

export const performanceVariables = ({
  pipeline,
  secretVariables = [],
}: Pick<ExecutionInput, 'pipeline' | 'secretVariables'>): PerformanceVariables => ({
  plain: Object.fromEntries(
    Object.entries(pipeline.variables).filter(([name]) => isPerformanceVariable(name)),
  ),
  secret: secretVariables.filter(({ name }) => isPerformanceVariable(name)),
});

/** What they say, by their values. */
export interface PerformanceSettings {
  /** `user:password` for a site behind HTTP Basic. */
  readonly credentials?: string;
  readonly maxPages?: number;
}

/** @returns what they say, or what is wrong with them; secret values are in neither message */
export function performanceSettings(
  values: Readonly<Record<string, string | undefined>>,
): PerformanceSettings | { readonly problem: string } {
  const [user, password, pages] = names.map((name) => values[name]);
  if ((user === undefined) !== (password === undefined)) {
    const [there, missing] =
      user === undefined ? [BASIC_PASSWORD, BASIC_USERNAME] : [BASIC_USERNAME, BASIC_PASSWORD];
    return { problem: `the variable ${there} is set and ${missing} is not: set both or neither` };
  }
  if (user?.includes(':')) return { problem: `${BASIC_USERNAME} must not contain a colon` };
  const { least, most } = PAGES;
  const maxPages = pages === undefined ? undefined : Number(pages);
  if (maxPages !== undefined && !(Number.isInteger(maxPages) && maxPages >= least && maxPages <= most))
    return { problem: `${CRAWLER_MAX_PAGES} must be a whole number from ${least} to ${most}` };
  return {
    ...(user === undefined ? {} : { credentials: `${user}:${password}` }),
    ...(maxPages === undefined ? {} : { maxPages }),
  };
}
