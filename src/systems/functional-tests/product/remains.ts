import { messageOf } from '../../failure.ts';
import { pause } from '../../pause.ts';
import type { Site } from './page-life.ts';
import { deletePage, replicate, shownBy, titleOf } from './test-page.ts';

const AGAIN_MS = 200;

/** Whether a node surely has the page: what an earlier attempt left. */
export const hasRemains = async (site: Site, path: string, limit: AbortSignal): Promise<boolean> =>
  (await Promise.all(placesOf(site, path, limit).map(({ has }) => has().catch(() => false)))).includes(true);

/**
 * Removes the page wherever it is: withdraws it, so that dispatchers hear of it and nothing that is queued brings it
 * back, then deletes it.
 * @returns where it is still, or may be, when `limit` fires first
 */
export async function removeRemains(
  site: Site,
  path: string,
  limit: AbortSignal,
): Promise<readonly string[]> {
  const { author, isAem, publish } = site;
  const instances = [...(author ? [author] : []), ...publish.map(({ instance }) => instance)];
  for (;;) {
    const left = (await Promise.all(placesOf(site, path, limit).map(stillAt))).flat();
    if (left.length === 0 || limit.aborted) return left;
    if (author && isAem) await quietly(() => replicate(author, 'Deactivate', path, limit));
    for (const instance of instances) await quietly(() => deletePage(instance, path, limit));
    await quietly(() => pause(AGAIN_MS, limit));
  }
}

interface Place {
  readonly url: string;
  readonly has: () => Promise<boolean>;
}

const placesOf = (
  { author, publish, dispatchers, host }: Site,
  path: string,
  signal: AbortSignal,
): Place[] => [
  ...[...(author ? [author] : []), ...publish.map(({ instance }) => instance)].map((instance) => ({
    url: instance.url,
    has: async () => (await titleOf(instance, path, signal)) !== undefined,
  })),
  ...dispatchers.map(({ url }) => ({
    url,
    has: async () => (await shownBy(url, path, { host, signal })) !== undefined,
  })),
];

/** An answer that says neither yes nor no counts as yes. */
const stillAt = ({ url, has }: Place): Promise<string[]> =>
  has().then(
    (is) => (is ? [url] : []),
    (error: unknown) => [`${url} (${messageOf(error)})`],
  );

/** Whether it helped is seen by looking. */
const quietly = (work: () => Promise<void>): Promise<void> => work().catch(() => undefined);
