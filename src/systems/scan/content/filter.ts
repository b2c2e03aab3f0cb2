import type { Place } from '../rule.ts';
import { wholeMatch } from '../text.ts';
import { parseXml } from './xml.ts';

export interface FilterRoot {
  readonly root: string;
  /** `replace` when the file says nothing. */
  readonly mode: string;
  readonly rules: readonly { readonly include: boolean; readonly pattern: RegExp }[];
  readonly place: Place;
}

/**
 * Reads `META-INF/vault/filter.xml` (https://jackrabbit.apache.org/filevault/filter.html).
 * @throws XmlError
 */
export function readFilter(xml: string, file: string): FilterRoot[] {
  return parseXml(xml)
    .children.filter(({ name }) => name === 'filter')
    .map((element) => {
      const attribute = (name: string) => element.attributes.find((one) => one.name === name);
      const root = attribute('root');
      return {
        root: `/${(root?.value ?? '').replace(/^\/+|\/+$/g, '')}`,
        mode: attribute('mode')?.value ?? 'replace',
        rules: element.children.flatMap(({ name, attributes }) => {
          const pattern = attributes.find((one) => one.name === 'pattern')?.value;
          const properties = attributes.some((one) => one.name === 'matchProperties' && one.value === 'true');
          const expression = pattern === undefined || properties ? undefined : wholeMatch(pattern);
          return expression && (name === 'include' || name === 'exclude')
            ? [{ include: name === 'include', pattern: expression }]
            : [];
        }),
        place: { file, line: root?.line ?? element.line },
      };
    });
}

export const isBelow = (path: string, root: string): boolean =>
  path === root || root === '/' || path.startsWith(`${root}/`);

/** The filter that a path falls under: the first rule decides what is taken where no rule matches, the last match wins. */
export function coveringFilter(filters: readonly FilterRoot[], path: string): FilterRoot | undefined {
  return filters.find(({ root, rules }) => {
    if (!isBelow(path, root)) return false;
    let covered = rules[0]?.include !== true;
    for (const { include, pattern } of rules) if (pattern.test(path)) covered = include;
    return covered;
  });
}
