import type { Place } from '../rule.ts';

/** A property of a repository node. */
export interface Property {
  /** JCR type as written, `String` when none is. */
  readonly type: string;
  readonly values: readonly string[];
  readonly multiple: boolean;
  readonly line: number;
}

/** A node of the repository as a package holds it. */
export interface RepositoryNode {
  readonly name: string;
  readonly path: string;
  /** Files are `nt:file`; a folder that nothing else describes is `nt:folder`. Empty when it is not said. */
  type: string;
  readonly properties: Map<string, Property>;
  readonly children: Map<string, RepositoryNode>;
  /** Where it is described; of a folder that only holds others, the folder. */
  place: Place;
  /** Whether the package brings it itself, and not only as the way to something deeper. */
  own: boolean;
}

export const newNode = (name: string, path: string, place: Place): RepositoryNode => ({
  name,
  path,
  type: '',
  properties: new Map(),
  children: new Map(),
  place,
  own: false,
});

export const textOf = (node: RepositoryNode | undefined, property: string): string | undefined =>
  node?.properties.get(property)?.values[0];

export const isTrue = (node: RepositoryNode, property: string): boolean => textOf(node, property) === 'true';

/** Where a property stands, or the node when it has none of that name. */
export function placeOf(node: RepositoryNode, property?: string): Place {
  const line = property === undefined ? undefined : node.properties.get(property)?.line;
  return line === undefined ? node.place : { file: node.place.file, line };
}

/** A node and everything below it, parents first. */
export function* walk(node: RepositoryNode): Generator<RepositoryNode> {
  yield node;
  for (const child of node.children.values()) yield* walk(child);
}

/** The last part of a path of names, without the index of siblings of the same name. */
export const plainName = (name: string): string => name.replace(/\[\d+\]$/, '');
