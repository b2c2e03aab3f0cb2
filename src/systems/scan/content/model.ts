import { coveringFilter, isBelow } from './filter.ts';
import { walk, type RepositoryNode } from './node.ts';
import type { ScannedPackage } from './package.ts';

/** Everything that the content rules look at: all packages, those inside others too. */
export interface ContentModel {
  readonly packages: readonly ScannedPackage[];
}

export interface Found {
  readonly node: RepositoryNode;
  readonly in: ScannedPackage;
}

/** Nodes of all packages that AEM would write: those under a filter. */
export function* nodes(model: ContentModel): Generator<Found> {
  for (const one of model.packages)
    for (const node of walk(one.root)) if (node.own && isWritten(one, node.path)) yield { node, in: one };
}

export const isWritten = ({ filters }: ScannedPackage, path: string): boolean =>
  filters.length === 0 || coveringFilter(filters, path) !== undefined;

export function nodesOfType(model: ContentModel, type: string): Found[] {
  return [...nodes(model)].filter(({ node }) => node.type === type);
}

/** A node of a package by its path. */
export function nodeAt({ root }: ScannedPackage, path: string): RepositoryNode | undefined {
  let node: RepositoryNode | undefined = root;
  for (const name of path.split('/').filter(Boolean)) node = node?.children.get(name);
  return node;
}

/** Whether there are instances that take both packages. */
export function meet(a: readonly string[], b: readonly string[]): boolean {
  const only = (modes: readonly string[], tier: string) => modes.includes(tier);
  return !(only(a, 'author') && only(b, 'publish')) && !(only(a, 'publish') && only(b, 'author'));
}

/** In Sling's search path: what cannot be changed at run time on the Cloud Service. */
export const isImmutable = (path: string): boolean => isBelow(path, '/apps') || isBelow(path, '/libs');
