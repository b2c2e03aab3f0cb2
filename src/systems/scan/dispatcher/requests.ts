import { wholeMatch } from '../text.ts';
import { child, type Entry } from './any.ts';

/** A request in the parts that filters look at. */
export interface Request {
  readonly path: string;
  readonly selectors?: string;
  readonly extension?: string;
  readonly suffix?: string;
  readonly query?: string;
}

export const urlOf = ({ path, selectors, extension, suffix = '' }: Request): string =>
  `${path}${selectors ? `.${selectors}` : ''}${extension ? `.${extension}` : ''}${suffix}`;

export const shownRequest = (request: Request): string =>
  urlOf(request) + (request.query ? `?${request.query}` : '');

/**
 * The filter that decides about a GET request: the last one that matches
 * (https://experienceleague.adobe.com/docs/experience-manager-dispatcher/using/configuring/dispatcher-configuration.html).
 */
export function decidingFilter(filters: readonly Entry[], request: Request): Entry | undefined {
  return filters.findLast((filter) => matches(filter, request));
}

export const isAllowed = (filters: readonly Entry[], request: Request): boolean => {
  const filter = decidingFilter(filters, request);
  return filter !== undefined && child(filter, 'type')?.value === 'allow';
};

function matches(filter: Entry, request: Request): boolean {
  const parts: Record<string, string | undefined> = {
    glob: `GET ${shownRequest(request)} HTTP/1.1`,
    url: urlOf(request),
    method: 'GET',
    protocol: 'HTTP/1.1',
    path: request.path,
    selectors: request.selectors,
    extension: request.extension,
    suffix: request.suffix,
    query: request.query,
  };
  const conditions = (filter.children ?? []).filter(({ name }) => name in parts);
  return conditions.every((condition) => {
    const part = parts[condition.name];
    return part !== undefined && expression(condition)?.test(part);
  });
}

function expression({ value = '', single }: Entry): RegExp | undefined {
  if (single) return wholeMatch(value);
  const tokens = value.replace(/\*+/g, '*').match(/\[!?[^\]]+\]|[^]/g) ?? [];
  return wholeGlob(
    tokens
      .map((token) => {
        if (token === '*') return '.*';
        if (token === '?') return '.';
        if (token.length > 1) return token.replace(/^\[!/, '[^').replace(/\\/g, '\\\\');
        return token.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
      })
      .join(''),
  );
}

/** Globs repeat nothing but single characters; a dozen stars in a short text is no trouble. */
function wholeGlob(pattern: string): RegExp | undefined {
  if ((pattern.match(/\.\*/g) ?? []).length > 6) return undefined;
  try {
    return new RegExp(`^${pattern}$`, 's');
  } catch {
    return undefined;
  }
}

/** Paths to ask for: those that the filters speak of, and common ones. */
export function somePaths(filters: readonly Entry[]): string[] {
  const spoken = filters
    .filter((filter) => child(filter, 'type')?.value === 'allow')
    .flatMap((filter) => [child(filter, 'url'), child(filter, 'path')])
    .filter((entry) => entry?.value?.startsWith('/') && !entry.single && !/[[$]/.test(entry.value))
    .map((entry) =>
      entry!
        .value!.replace(/\*/g, 'page')
        .replace(/\?/g, 'x')
        .replace(/\.[^/]*$/, ''),
    );
  const paths = ['/content/page', '/content/site/en/page', ...spoken];
  return [...new Set(paths)].filter((path) => path.startsWith('/content/')).slice(0, 50);
}
