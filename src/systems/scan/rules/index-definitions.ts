import { below, indexes, productIndexes, type Index } from '../content/indexes.ts';
import { isImmutable, type ContentModel } from '../content/model.ts';
import { placeOf, textOf } from '../content/node.ts';
import { isBelow } from '../content/filter.ts';
import type { Check, Report, Rule } from '../rule.ts';

type Words = Omit<Rule, 'type' | 'severity'> & Partial<Pick<Rule, 'type' | 'severity'>>;

/** A rule about one index definition by itself: a minor code smell unless it says otherwise. */
export const indexCheck = (
  words: Words,
  check: (index: Index, report: Report) => void,
): Check<ContentModel> => ({
  rule: { type: 'CODE_SMELL', severity: 'MINOR', ...words },
  check: (model, report) => {
    for (const index of indexes(model)) check(index, report);
  },
});

export const definitionChecks: readonly Check<ContentModel>[] = [
  indexCheck(
    {
      key: 'OakIndexLocation',
      title: 'Indexes are in /oak:index',
      finds: 'An index definition that is not a child of `/oak:index`',
      remedy: 'Move it to `/oak:index`.',
    },
    ({ node }, report) => {
      if (!/^\/oak:index\/[^/]+$/.test(node.path))
        report(node.place, `The index ${node.path} is not a child of /oak:index`);
    },
  ),
  indexCheck(
    {
      key: 'IndexCompatVersion',
      onCloud: { severity: 'MAJOR' },
      title: 'Indexes have compatVersion 2',
      finds: 'An index definition whose `compatVersion` is not 2',
      remedy: 'Set `compatVersion="{Long}2"`.',
    },
    ({ node }, report) => {
      const version = textOf(node, 'compatVersion');
      if (version !== '2')
        report(
          placeOf(node, 'compatVersion'),
          `The index ${node.name} has compatVersion ${version ?? 'not set'}`,
        );
    },
  ),
  indexCheck(
    {
      key: 'IndexDescendantNodeType',
      title: 'Nodes of an index are nt:unstructured',
      finds: 'A node below an index definition with another type than `nt:unstructured`; files are left out',
      remedy: 'Give the node the type `nt:unstructured`, which keeps its children in order.',
    },
    (index, report) => {
      for (const node of below(index))
        if (!['', 'nt:unstructured', 'nt:file', 'nt:resource', 'oak:Resource'].includes(node.type))
          // The parents of a file that has no description of its own.
          if (node.own) report(placeOf(node, 'jcr:primaryType'), `${node.path} has the type ${node.type}`);
    },
  ),
  indexCheck(
    {
      key: 'IndexRulesNode',
      title: 'Indexes have rules',
      finds: 'An index definition without a child `indexRules` that has children itself',
      remedy: 'Add `indexRules` with a node for each node type that is to be indexed.',
    },
    ({ node }, report) => {
      if (!node.children.get('indexRules')?.children.size)
        report((node.children.get('indexRules') ?? node).place, `The index ${node.name} has no rules`);
    },
  ),
  indexCheck(
    {
      key: 'IndexName',
      title: 'Indexes are named by the convention',
      finds: 'An index whose name does not end in `-custom-` and a number',
      remedy:
        'Name it `<product index>-<its version>-custom-<number>`, or `<prefix>.<name>-<version>-custom-<number>`.',
    },
    ({ node, customVersion, base }, report) => {
      if (customVersion === undefined || !/^[\w:]+([.-][\w:]+)*$/.test(base))
        report(node.place, `The name of the index ${node.name} is not <name>-custom-<number>`);
    },
  ),
  indexCheck(
    {
      key: 'IndexType',
      onCloud: { type: 'BUG', severity: 'BLOCKER' },
      title: 'Indexes have the type lucene',
      finds: 'An index definition whose `type` is not `lucene`',
      remedy: 'Make it a Lucene index.',
    },
    ({ node }, report) => {
      const type = textOf(node, 'type');
      if (type !== 'lucene')
        report(placeOf(node, 'type'), `The index ${node.name} has ${type ? `the type ${type}` : 'no type'}`);
    },
  ),
  ...(['seed', 'reindex'] as const).map((property) =>
    indexCheck(
      {
        key: property === 'seed' ? 'IndexSeedProperty' : 'IndexReindexProperty',
        title: `Indexes have no property ${property}`,
        finds: `An index definition with the property \`${property}\``,
        remedy: 'Remove the property: AEM writes it itself.',
      },
      ({ node }, report) => {
        if (node.properties.has(property))
          report(placeOf(node, property), `The index ${node.name} has the property ${property}`);
      },
    ),
  ),
  indexCheck(
    {
      key: 'IndexNotUnderUIContent',
      title: 'Indexes are deployed with the code',
      finds:
        'An index definition in a package of the type `content`, or in one that otherwise writes content only',
      remedy: 'Move it to the package with the code, `ui.apps`.',
    },
    ({ node, in: one }, report) => {
      const others = one.filters.filter(({ root }) => !isBelow(root, '/oak:index'));
      const contentOnly = others.length > 0 && !others.some(({ root }) => isImmutable(root));
      if (one.packageType === 'content' || (one.packageType === undefined && contentOnly))
        report(node.place, `The index ${node.name} is in a package of content, ${one.label}`);
    },
  ),
  indexCheck(
    {
      key: 'RestrictIndexCustomization',
      title: 'Some indexes of AEM stay as they are',
      finds:
        'A version of `nodetypeLucene`, `slingResourceResolver`, `socialLucene`, `appsLibsLucene`, `authorizables` or `pathReference`',
      remedy: 'Remove it and make an index of your own where you need one.',
    },
    ({ node, base }, report) => {
      if (restricted.has(base)) report(node.place, `The index ${base} of AEM must not be changed`);
    },
  ),
  indexCheck(
    {
      key: 'IndexValidFullyCustomName',
      only: 'cloud',
      cloudService: true,
      title: 'Indexes of your own have a prefix',
      finds: 'An index that is no version of one of AEM and whose name has no prefix before a dot',
      remedy: 'Name it `<prefix>.<name>-custom-<number>`.',
    },
    ({ node, base, customVersion }, report) => {
      if (customVersion !== undefined && !productIndexes.has(base) && !restricted.has(base))
        if (!/^[A-Za-z][\w-]*\.[\w.-]+$/.test(base))
          report(node.place, `The name of the index ${node.name} has no prefix`);
    },
  ),
];

const restricted = new Set([
  'nodetypeLucene',
  'slingResourceResolver',
  'socialLucene',
  'appsLibsLucene',
  'authorizables',
  'pathReference',
]);
