import { nodesOfType, type ContentModel, type Found } from './model.ts';
import { textOf, walk, type RepositoryNode } from './node.ts';

export type Index = Found & {
  /** Product index that it is a version of, or its own name: `damAssetLucene` of `damAssetLucene-8-custom-2`. */
  readonly base: string;
  /** Number behind `-custom-`; absent when the name has none. */
  readonly customVersion?: number;
  /** Name without that number: versions of one index share it. */
  readonly family: string;
};

/** The index definitions of all packages. */
export function indexes(model: ContentModel): Index[] {
  return nodesOfType(model, 'oak:QueryIndexDefinition').map((found) => {
    const { name } = found.node;
    const [, family = name, version] = /^(.*)-custom-(\d+)$/.exec(name) ?? [];
    return {
      ...found,
      base: family.replace(/-\d+$/, ''),
      family: family.replace(/-\d+$/, ''),
      ...(version !== undefined && { customVersion: Number(version) }),
    };
  });
}

/** The rules of an index, one per node type. */
export const indexRules = ({ node }: Found): RepositoryNode[] => [
  ...(node.children.get('indexRules')?.children.values() ?? []),
];

/** The definitions of properties of one of its rules. */
export const propertyDefinitions = (rule: RepositoryNode): RepositoryNode[] => [
  ...(rule.children.get('properties')?.children.values() ?? []),
];

export const isFulltext = (rule: RepositoryNode): boolean =>
  propertyDefinitions(rule).some((definition) => textOf(definition, 'nodeScopeIndex') === 'true');

/** What is below a definition, without the definition itself. */
export function below({ node }: Found): RepositoryNode[] {
  return [...walk(node)].slice(1);
}

/** Indexes of AEM that projects make versions of. */
export const productIndexes = new Set([
  'cqPageLucene',
  'damAssetLucene',
  'lucene',
  'graphqlConfig',
  'ntBaseLucene',
  'cqTagLucene',
  'cqProjectLucene',
  'cmLucene',
  'commerceLucene',
  'enablementResourceName',
  'workflowDataLucene',
  'versionStoreIndex',
  'repTokenIndex',
  'fragments',
  'assetPrefixNodename',
  'lucenePropertyIndex',
]);

export const valuesOf = (node: RepositoryNode, property: string): readonly string[] =>
  node.properties.get(property)?.values ?? [];
