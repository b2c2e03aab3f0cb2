import { indexes, indexRules, isFulltext, propertyDefinitions, valuesOf } from '../content/indexes.ts';
import type { ContentModel } from '../content/model.ts';
import { placeOf, plainName, textOf, walk } from '../content/node.ts';
import type { Check } from '../rule.ts';
import { groupBy } from '../text.ts';
import { indexCheck } from './index-definitions.ts';

const paths = ['includedPaths', 'excludedPaths', 'queryPaths'];

export const indexContentChecks: readonly Check<ContentModel>[] = [
  indexCheck(
    {
      key: 'CustomFulltextIndexesOfTheDamAssetCheck',
      title: 'Full-text indexes of assets are versions of damAssetLucene',
      finds:
        'An index with full text (`nodeScopeIndex`) of `dam:Asset` whose name does not begin with `damAssetLucene`',
      remedy: 'Make it a version of `damAssetLucene`.',
    },
    (index, report) => {
      const rule = indexRules(index).find(({ name }) => name === 'dam:Asset');
      if (rule && isFulltext(rule) && index.base !== 'damAssetLucene')
        report(rule.place, `The index ${index.node.name} holds the full text of assets`);
    },
  ),
  indexCheck(
    {
      key: 'DuplicateNameProperty',
      title: 'An index defines a property once',
      finds: 'Two definitions with the same `name` in one rule of an index',
      remedy: 'Keep one of them.',
    },
    (index, report) => {
      for (const rule of indexRules(index)) {
        const seen = new Set<string>();
        for (const definition of propertyDefinitions(rule)) {
          const name = textOf(definition, 'name') ?? plainName(definition.name);
          if (seen.has(name))
            report(placeOf(definition, 'name'), `The rule ${rule.path} defines the property ${name} twice`);
          seen.add(name);
        }
      }
    },
  ),
  indexCheck(
    {
      key: 'AnalyzerTokenizerConfigCheck',
      title: 'The tokenizer of an analyzer is named tokenizer',
      finds: 'A child of an analyzer that is neither `tokenizer` nor `filters` nor `charFilters`',
      remedy: 'Rename the node to `tokenizer`, and give the kind as its property `name`.',
    },
    ({ node }, report) => {
      for (const analyzer of node.children.get('analyzers')?.children.values() ?? [])
        for (const part of analyzer.children.values())
          if (!['tokenizer', 'filters', 'charFilters', 'stopwords'].includes(part.name))
            report(part.place, `${part.path} is not named tokenizer`);
    },
  ),
  indexCheck(
    {
      key: 'PathSpacesCheck',
      title: 'Indexes hold no spaces',
      finds:
        'A space in the name of a node of an index, in one of its paths, or around the name of a property',
      remedy: 'Remove the space.',
    },
    ({ node: definition }, report) => {
      for (const node of walk(definition)) {
        if (/\s/.test(node.name)) report(node.place, `The name of ${node.path} holds a space`);
        for (const property of paths)
          if (valuesOf(node, property).some((path) => /\s/.test(path)))
            report(placeOf(node, property), `A path in ${property} of ${node.path} holds a space`);
        const name = textOf(node, 'name') ?? '';
        if (name !== name.trim())
          report(placeOf(node, 'name'), `The name in ${node.path} has a space around it`);
      }
    },
  ),
  indexCheck(
    {
      key: 'HayStackPropertyCheck',
      title: 'Indexes have no haystack property',
      finds: 'A property or node of an index named `haystack` and a number',
      remedy: 'Remove it.',
    },
    ({ node: definition }, report) => {
      for (const node of walk(definition)) {
        if (/^haystack\d+$/i.test(plainName(node.name)))
          report(node.place, `${node.path} is a haystack property`);
        for (const property of node.properties.keys())
          if (/^haystack\d+$/i.test(property))
            report(placeOf(node, property), `${node.path} has the property ${property}`);
      }
    },
  ),
  indexCheck(
    {
      key: 'IndexUnsupportedAsyncPropertiesCheck',
      title: 'Indexes have no async-previous',
      finds: 'An index definition with the property `async-previous`',
      remedy: 'Remove the property, and give the lanes in `async`.',
    },
    ({ node }, report) => {
      if (node.properties.has('async-previous'))
        report(placeOf(node, 'async-previous'), `The index ${node.name} has the property async-previous`);
    },
  ),
  {
    rule: {
      key: 'SameTagInMultipleIndexes',
      type: 'CODE_SMELL',
      severity: 'MINOR',
      title: 'A tag belongs to one index',
      finds: 'The same value in `tags` of two indexes that are not versions of each other',
      remedy: 'Give each index a tag of its own: queries choose an index by it.',
    },
    check: (model, report) => {
      const owners = new Map<string, string>();
      for (const { node, family } of indexes(model))
        for (const tag of valuesOf(node, 'tags')) {
          const owner = owners.get(tag);
          if (owner !== undefined && owner !== family)
            report(placeOf(node, 'tags'), `The tag ${tag} of ${node.name} is also one of ${owner}`);
          else owners.set(tag, family);
        }
    },
  },
  indexCheck(
    {
      key: 'IndexTikaNode',
      type: 'BUG',
      severity: 'BLOCKER',
      only: 'cloud',
      cloudService: true,
      title: 'Versions of full-text indexes keep their Tika configuration',
      finds: 'A version of `damAssetLucene`, `lucene` or `graphqlConfig` without `tika/config.xml`',
      remedy: 'Copy `tika/config.xml` from the product index.',
    },
    ({ node, base }, report) => {
      const tika = node.children.get('tika');
      if (['damAssetLucene', 'lucene', 'graphqlConfig'].includes(base) && !tika?.children.has('config.xml'))
        report((tika ?? node).place, `The index ${node.name} has no tika/config.xml`);
    },
  ),
  indexCheck(
    {
      key: 'IndexAsyncProperty',
      type: 'BUG',
      severity: 'BLOCKER',
      only: 'cloud',
      cloudService: true,
      title: 'Lucene indexes are asynchronous',
      finds: 'A Lucene index without the property `async`',
      remedy: 'Set `async="[async,nrt]"`.',
    },
    ({ node }, report) => {
      const lanes = valuesOf(node, 'async');
      if (textOf(node, 'type') === 'lucene' && !lanes.some((lane) => lane.endsWith('async')))
        report(placeOf(node, 'async'), `The index ${node.name} is not asynchronous`);
    },
  ),
  indexCheck(
    {
      key: 'IndexDamAssetLucene',
      type: 'BUG',
      severity: 'BLOCKER',
      only: 'cloud',
      cloudService: true,
      title: 'Versions of damAssetLucene keep what AEM needs',
      finds: 'A version of `damAssetLucene` without the tag `visualSimilaritySearch`, or with `queryPaths`',
      remedy: 'Set `tags="[visualSimilaritySearch]"` and remove `queryPaths`.',
    },
    ({ node, base }, report) => {
      if (base !== 'damAssetLucene') return;
      if (!valuesOf(node, 'tags').includes('visualSimilaritySearch'))
        report(placeOf(node, 'tags'), `The index ${node.name} lacks the tag visualSimilaritySearch`);
      if (node.properties.has('queryPaths'))
        report(placeOf(node, 'queryPaths'), `The index ${node.name} has queryPaths`);
    },
  ),
  indexCheck(
    {
      key: 'IndexIncludedPathsWithoutQueryPaths',
      only: 'cloud',
      cloudService: true,
      title: 'What is indexed is what is asked for',
      finds: 'An index whose `includedPaths` and `queryPaths` differ; `damAssetLucene` is left out',
      remedy: 'Give both properties the same values.',
    },
    ({ node, base }, report) => {
      const [included, asked] = ['includedPaths', 'queryPaths'].map((name) =>
        [...valuesOf(node, name)].sort(),
      );
      if (base !== 'damAssetLucene' && included!.join() !== asked!.join())
        report(
          placeOf(node, node.properties.has('includedPaths') ? 'includedPaths' : 'queryPaths'),
          `includedPaths and queryPaths of the index ${node.name} differ`,
        );
    },
  ),
  indexCheck(
    {
      key: 'IndexFulltextOnGenericType',
      only: 'cloud',
      cloudService: true,
      title: 'Full text of generic nodes is limited to paths',
      finds:
        'An index with `nodeScopeIndex` for `nt:base` or `nt:unstructured` and without `includedPaths` and `queryPaths`',
      remedy: 'Set both properties to the paths that are searched.',
    },
    (index, report) => {
      const limited = ['includedPaths', 'queryPaths'].every((name) => valuesOf(index.node, name).length > 0);
      for (const rule of indexRules(index))
        if (!limited && ['nt:base', 'nt:unstructured'].includes(rule.name) && isFulltext(rule))
          report(rule.place, `The index ${index.node.name} holds the full text of every ${rule.name}`);
    },
  ),
  {
    rule: {
      key: 'IndexDetectMultipleActiveVersionsOfSameIndex',
      type: 'CODE_SMELL',
      severity: 'MINOR',
      only: 'cloud',
      cloudService: true,
      title: 'One version of an index is deployed',
      finds: 'Several versions of the same index; each but the newest is reported',
      remedy: 'Remove the older ones.',
    },
    check: (model, report) => {
      for (const versions of groupBy(indexes(model), ({ family }) => family).values()) {
        const newest = Math.max(...versions.map(({ customVersion = 0 }) => customVersion));
        for (const { node, customVersion = 0 } of versions)
          if (customVersion < newest)
            report(node.place, `There is a newer version of the index ${node.name}`);
      }
    },
  },
  indexCheck(
    {
      key: 'IndexHasValidTagsProperty',
      only: 'cloud',
      cloudService: true,
      title: 'Tags of indexes are usable',
      finds: '`tags` that is empty, is not a list, or holds an empty value or one with a space',
      remedy: 'Write `tags="[first,second]"`; of a product index keep the tags that it has.',
    },
    ({ node }, report) => {
      const tags = node.properties.get('tags');
      if (
        tags &&
        (!tags.multiple || tags.values.length === 0 || tags.values.some((tag) => !/^\S+$/.test(tag)))
      )
        report(placeOf(node, 'tags'), `The tags of the index ${node.name} cannot be used`);
    },
  ),
];
