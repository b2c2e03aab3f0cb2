import { child, type Entry } from '../dispatcher/any.ts';
import { numberIn, publishFarms, type DispatcherModel } from '../dispatcher/model.ts';
import { decidingFilter, isAllowed, shownRequest, somePaths, type Request } from '../dispatcher/requests.ts';
import type { Check } from '../rule.ts';

const smell = { type: 'CODE_SMELL', severity: 'MAJOR' } as const;

/** Calls `look` for the cache of each farm for visitors. */
const cacheCheck = (
  rule: Check<DispatcherModel>['rule'],
  look: (cache: Entry, model: DispatcherModel) => { entry: Entry; message: string } | undefined,
): Check<DispatcherModel> => ({
  rule,
  check: (model, report) => {
    for (const farm of publishFarms(model)) {
      const cache = child(farm, 'cache');
      const found = cache && look(cache, model);
      if (found) report(found.entry.place, `The farm ${farm.name} ${found.message}`);
    }
  },
});

/** A property of the cache that has to be at least 2. */
const atLeastTwo = (key: string, name: string, words: { title: string; remedy: string }) =>
  cacheCheck(
    { key, ...smell, ...words, finds: `\`/${name}\` of the cache of a publish farm missing or below 2` },
    (cache, model) => {
      const entry = child(cache, name);
      if (!entry) return { entry: cache, message: `has no /${name}, which counts as 0` };
      const value = numberIn(model, entry);
      return value === 'unknown' || value >= 2
        ? undefined
        : { entry, message: `has /${name} "${entry.value ?? ''}"` };
    },
  );

const filtersOf = (farm: Entry): readonly Entry[] =>
  (child(farm, 'filter')?.children ?? []).filter(({ name }) => name !== '');

const selectorViews = 'feed rss pages languages blueprint infinity tidy sysview docview query 4 jcr:content';

/** Requests that the baseline of the AEM archetype denies on every path. */
const denied = (path: string): Request[] => [
  ...selectorViews
    .split(' ')
    .flatMap((selectors) => ['json', 'xml', 'html'].map((extension) => ({ path, selectors, extension }))),
  { path, extension: 'html', query: 'debug=layout' },
  { path, extension: 'html', query: 'wcmmode=edit' },
];

const denyAll = (filter: Entry | undefined): boolean =>
  child(filter, 'type')?.value === 'deny' &&
  (filter?.children ?? []).every(
    ({ name, value = '', single }) =>
      !['glob', 'url', 'path'].includes(name) || (single ? value === '.*' : /^\*+$/.test(value)),
  ) &&
  (filter?.children ?? []).every(({ name }) => ['type', 'glob', 'url', 'path'].includes(name));

/** Reports an invented request that a farm lets through beside the plain page. */
const inventedCheck = (
  rule: Check<DispatcherModel>['rule'],
  what: string,
  invent: (page: Request) => Request,
): Check<DispatcherModel> => ({
  rule,
  check: (model, report) => {
    for (const farm of publishFarms(model)) {
      const filters = filtersOf(farm);
      const open = somePaths(filters)
        .map((path): Request => ({ path, extension: 'html' }))
        .find((page) => isAllowed(filters, page) && isAllowed(filters, invent(page)));
      if (!open) continue;
      const request = invent(open);
      const place = (decidingFilter(filters, request) ?? farm).place;
      report(place, `The farm ${farm.name} allows any ${what}, for example GET ${shownRequest(request)}`);
    }
  },
});

export const dispatcherChecks: readonly Check<DispatcherModel>[] = [
  cacheCheck(
    {
      key: 'DOTRules:Disp-1---ignoreUrlParams-allow-list',
      ...smell,
      title: 'Unknown parameters of a URL do not pass the cache by',
      finds: 'A publish farm whose `/ignoreUrlParams` does not begin with `allow` for `*`, or is missing',
      remedy: 'Begin with `/0001 { /glob "*" /type "allow" }` and deny each parameter that pages depend on.',
    },
    (cache) => {
      const section = child(cache, 'ignoreUrlParams');
      if (!section) return { entry: cache, message: 'has no /ignoreUrlParams' };
      const [first] = section.children ?? [];
      const open = child(first, 'glob')?.value === '*' && child(first, 'type')?.value === 'allow';
      return open
        ? undefined
        : { entry: first ?? section, message: 'does not ignore all parameters first in /ignoreUrlParams' };
    },
  ),
  atLeastTwo('DOTRules:Disp-2---statfileslevel', 'statfileslevel', {
    title: 'A publication leaves other sites in the cache alone',
    remedy: 'Set it to the depth at which sites or languages begin, 2 or more.',
  }),
  atLeastTwo('DOTRules:Disp-3---gracePeriod', 'gracePeriod', {
    title: 'Many publications at once do not empty the cache',
    remedy: 'Set it to 2 (seconds) or more.',
  }),
  {
    rule: {
      key: 'DOTRules:Disp-4---default-filter-deny-rules',
      ...smell,
      title: 'Filters deny what visitors never need',
      finds:
        'Filters of a publish farm that do not begin with `deny` for everything, or that allow views of the repository such as `.infinity.json`, or the parameters `debug` and `wcmmode`',
      remedy:
        'Keep the filters of the AEM archetype (`ams_publish_filters.any`) and add your own after them.',
    },
    check: (model, report) => {
      for (const farm of publishFarms(model)) {
        const filters = filtersOf(farm);
        const [first] = filters;
        if (!first) continue;
        if (!denyAll(first))
          report(first.place, `The filters of the farm ${farm.name} do not begin by denying all`);
        const open = somePaths(filters)
          .flatMap(denied)
          .filter((request) => isAllowed(filters, request));
        const [example] = open;
        if (example)
          report(
            decidingFilter(filters, example)!.place,
            `The farm ${farm.name} allows GET ${shownRequest(example)}` +
              (open.length > 1 ? ` and ${open.length - 1} requests of its kind` : ''),
          );
      }
    },
  },
  cacheCheck(
    {
      key: 'DOTRules:Disp-5---serveStaleOnError',
      ...smell,
      title: 'Old pages are better than errors',
      finds: '`/serveStaleOnError` of the cache of a publish farm missing or not 1',
      remedy: 'Set it to 1.',
    },
    (cache, model) => {
      const entry = child(cache, 'serveStaleOnError');
      if (!entry) return { entry: cache, message: 'has no /serveStaleOnError' };
      const value = numberIn(model, entry);
      return value === 'unknown' || value === 1
        ? undefined
        : { entry, message: `has /serveStaleOnError "${entry.value ?? ''}"` };
    },
  ),
  inventedCheck(
    {
      key: 'DOTRules:Disp-6---suffix-allow-list',
      ...smell,
      title: 'Suffixes are allowed one by one',
      finds: 'Filters of a publish farm that let an invented suffix of a page through',
      remedy: 'Deny `/suffix "*"` below `/content`, then allow the suffixes that the site uses.',
    },
    'suffix',
    (page) => ({ ...page, suffix: '/no-such-suffix' }),
  ),
  inventedCheck(
    {
      key: 'DOTRules:Disp-7---selector-allow-list',
      ...smell,
      title: 'Selectors are allowed one by one',
      finds: 'Filters of a publish farm that let an invented selector of a page through',
      remedy: 'Deny `/selectors "*"` below `/content`, then allow the selectors that the site uses.',
    },
    'selector',
    (page) => ({ ...page, selectors: 'no-such-selector' }),
  ),
  {
    rule: {
      key: 'DOTRules:Disp-8---unique-farm-name',
      ...smell,
      title: 'Each farm has a name of its own',
      finds: 'Two enabled farms with the same name',
      remedy: 'Rename one of them: the dispatcher reads one only.',
    },
    check: ({ farms }, report) => {
      farms.forEach((farm, index) => {
        const other = farms.slice(0, index).find(({ name }) => name === farm.name);
        if (other) report(farm.place, `The farm ${farm.name} is also in ${other.place.file}`);
      });
    },
  },
  {
    rule: {
      key: 'DOTRules:Httpd-1---require-all-granted',
      type: 'CODE_SMELL',
      severity: 'MAJOR',
      title: 'The file system is not served',
      finds: '`Require all granted` for `<Directory />` in a virtual host',
      remedy: 'Grant access to the document root only.',
    },
    check: ({ httpd }, report) => {
      for (const { name, args, within, place } of httpd.directives) {
        const granted = /^require$/i.test(name) && args.join(' ').toLowerCase() === 'all granted';
        const inHost = within.findIndex((one) => one.name === 'virtualhost');
        const inRoot = within.findLast((one) => one.name === 'directory')?.args[0];
        if (granted && inHost >= 0 && inRoot === '/')
          report(place, 'Every file of the host is open to visitors');
      }
    },
  },
  {
    rule: {
      key: 'DOTRules:Httpd-S1---include-failed',
      ...smell,
      title: 'Included files are there',
      finds:
        'An `Include` whose file is not in the package; paths with unknown variables or outside the server root are left out',
      remedy: 'Add the file, or write `IncludeOptional`.',
    },
    check: ({ httpd }, report) => {
      for (const { place, target } of httpd.missing) report(place, `There is no ${target} in the package`);
    },
  },
];
