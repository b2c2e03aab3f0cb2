import type { Environment } from '../../../model/schema/definition.ts';
import { require, type Checklist } from './checklist.ts';
import type { Granite } from '../../granite.ts';
import { createPage, deletePage, replicate, retitle, shownBy, titleOf, type TestPage } from './test-page.ts';

export interface Site {
  readonly author?: Granite;
  /** Whether the author is AEM: Sling has no replication. */
  readonly isAem: boolean;
  readonly publish: readonly { readonly id: string; readonly instance: Granite }[];
  readonly dispatchers: Environment['dispatchers'];
  /** The `Host` that dispatchers answer for. */
  readonly host?: string;
  /** One address stands for several nodes, and nobody can tell which of them answers. */
  readonly balanced: boolean;
}

/**
 * A page is created, published, read, changed, withdrawn and deleted, as authors and visitors would see it. Three titles
 * tell the states apart: as published, as changed behind the dispatcher's back, as published anew.
 */
export async function pageLife(
  list: Checklist,
  site: Site,
  page: TestPage,
  signal: AbortSignal,
): Promise<void> {
  const { author, publish, dispatchers } = site;
  const { path } = page;
  const titles = ['first', 'unpublished', 'second'].map((state) => `${path.replace(/.*\//, '')} ${state}`);
  const [first, unpublished, second] = titles as [string, string, string];
  const title = async (instance: Granite, wanted: string | undefined) => {
    const found = await titleOf(instance, path, signal);
    require(found === wanted, `${path} is ${inWords(found)} and should be ${inWords(wanted)}`);
  };
  const shown = async (url: string, wanted: string | undefined) => {
    const body = await shownBy(url, path, { host: site.host, signal });
    const found = body && (titles.find((one) => body.includes(one)) ?? 'without its title');
    require(found ===
      wanted, `visitors see ${path}.html ${inWords(found)} and should see it ${inWords(wanted)}`);
  };

  const noAuthor = author ? undefined : 'there is no author that can be reached';
  const created = await list.check('page', 'can be created', noAuthor, () =>
    createPage(author!, page, first, site.isAem, signal),
  );
  const notCreated = created ? undefined : 'the page was not created';
  await list.check('page', 'can be read on the author', notCreated, () => title(author!, first));

  const noReplication = site.isAem ? undefined : 'Apache Sling has no replication';
  const noPublish = publish.length > 0 ? undefined : 'there is no publish instance that can be reached';
  const published = await list.check(
    'page',
    'can be published',
    notCreated ?? noReplication ?? noPublish,
    () => replicate(author!, 'Activate', path, signal),
  );
  const notPublished = published ? undefined : 'the page was not published';
  for (const { id, instance } of publish)
    await list.check(id, 'has the published page', notPublished, () =>
      list.eventually(() => title(instance, first)),
    );

  const notLike =
    page.like === undefined
      ? 'the probe page is no page below /content that one could be made like'
      : undefined;
  const serving = new Map<string, string | undefined>();
  for (const { id, url } of dispatchers) {
    const served = await list.check(id, 'serves the published page', notPublished ?? notLike, () =>
      list.eventually(() => shown(url, first)),
    );
    serving.set(id, served ? undefined : 'it does not serve the published page');
  }
  const balanced = site.balanced ? 'one address stands for several dispatchers' : undefined;
  for (const { id, instance } of publish) {
    const behind = dispatchers.filter((dispatcher) => dispatcher.publish === id);
    let changed: Promise<void> | undefined;
    for (const dispatcher of behind)
      await list.check(
        dispatcher.id,
        'serves it from its cache',
        serving.get(dispatcher.id) ?? balanced,
        async () => {
          await (changed ??= retitle(instance, path, unpublished, signal));
          await shown(dispatcher.url, first);
        },
      );
  }
  const renewed = await list.check('page', 'can be published anew', notPublished, async () => {
    await retitle(author!, path, second, signal);
    await replicate(author!, 'Activate', path, signal);
  });
  const notRenewed = renewed ? undefined : 'the page was not published anew';
  for (const { id, instance } of publish)
    await list.check(id, 'has the page published anew', notRenewed, () =>
      list.eventually(() => title(instance, second)),
    );
  for (const { id, url } of dispatchers)
    await list.check(id, 'drops from its cache what is published anew', serving.get(id) ?? notRenewed, () =>
      list.eventually(() => shown(url, second)),
    );
  const withdrawn = await list.check('page', 'can be withdrawn', notPublished, () =>
    replicate(author!, 'Deactivate', path, signal),
  );
  const notWithdrawn = withdrawn ? undefined : 'the page was not withdrawn';
  for (const { id, instance } of publish)
    await list.check(id, 'has the withdrawn page no more', notWithdrawn, () =>
      list.eventually(() => title(instance, undefined)),
    );
  for (const { id, url } of dispatchers)
    await list.check(id, 'serves the withdrawn page no more', serving.get(id) ?? notWithdrawn, () =>
      list.eventually(() => shown(url, undefined)),
    );
  await list.check('page', 'can be deleted', notCreated, async () => {
    await deletePage(author!, path, signal);
    await title(author!, undefined);
  });
}

const inWords = (title: string | undefined) => (title === undefined ? 'not there' : `"${title}"`);
