/** Links and texts in the form that Cloud Manager's clients follow and read. */

export { paths } from '../model/api-paths.ts';

const REL = 'http://ns.adobe.com/adobecloud/rel/';

export interface Link {
  readonly href: string;
  readonly templated: boolean;
}

export type Links = Readonly<Record<string, Link>>;

/** Relations are given without their common beginning; those that are undefined are left out. */
export const links = (
  self: string,
  others: Readonly<Record<string, string | false | undefined>> = {},
): Links =>
  Object.fromEntries([
    ['self', link(self)],
    ...Object.entries(others).flatMap(([rel, href]) => (href ? [[`${REL}${rel}`, link(href)]] : [])),
  ]) as Links;

/** Relative to the server, with all of its path: clients put the base URL before it. */
export const link = (href: string): Link => ({ href, templated: href.includes('{') });

/** `2019-05-23T13:49:47.688+0000` */
export const timestamp = (iso: string | undefined): string | undefined =>
  iso === undefined ? undefined : new Date(iso).toISOString().replace('Z', '+0000');
