import type { Files } from '../../../src/systems/scan/files.ts';

export type Texts = Readonly<Record<string, string | Buffer>>;

/** Files in memory: folders come from their paths, links are texts that begin with `-> `. */
export function filesOf(texts: Texts, label = ''): Files {
  const isLink = (content: string | Buffer) => typeof content === 'string' && content.startsWith('-> ');
  const folders = new Set(
    Object.keys(texts).flatMap((name) =>
      name.split('/').flatMap((_, index, parts) => (index === 0 ? [] : [parts.slice(0, index).join('/')])),
    ),
  );
  const entries = [
    ...[...folders].map((name) => ({ name, size: 0, type: 'folder' as const })),
    ...Object.entries(texts).map(([name, content]) => ({
      name,
      size: Buffer.byteLength(content),
      type: isLink(content) ? ('link' as const) : ('file' as const),
    })),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    label,
    entries,
    read: async (name, limit) => {
      const content = texts[name];
      if (content === undefined || Buffer.byteLength(content) > limit) return undefined;
      return Buffer.from(isLink(content) ? content.slice(3) : content);
    },
    place: (name) => (label ? `${label}/${name}` : name),
  };
}

const namespaces = ['jcr', 'nt', 'cq', 'sling', 'oak', 'dam', 'rep', 'granite']
  .map((prefix) => `xmlns:${prefix}="urn:${prefix}"`)
  .join(' ');

/** A document view: the root's attributes and what is inside it. The first line of `rest` is line 2. */
export const view = (rest: string): string => `<jcr:root ${namespaces}\n${rest}`;

export const filter = (...roots: string[]): string =>
  [
    '<workspaceFilter version="1.0">',
    ...roots.map((root) => `  <filter ${root}/>`),
    '</workspaceFilter>',
  ].join('\n');
