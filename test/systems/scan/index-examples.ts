import type { Example } from './content-examples.ts';
import { filter, view, type Texts } from './files.ts';

const FILTER = 'META-INF/vault/filter.xml';
const INDEX = 'jcr_root/_oak_index/.content.xml';

interface Definition {
  readonly name?: string;
  /** Attributes besides or instead of the usual ones; undefined leaves one out. */
  readonly set?: Readonly<Record<string, string | undefined>>;
  readonly inside?: string;
}

const properties = (...inside: string[]) => rules('my:Type', ...inside);
const rules = (type: string, ...inside: string[]) =>
  [
    '    <indexRules jcr:primaryType="nt:unstructured">',
    `      <${type} jcr:primaryType="nt:unstructured">`,
    '        <properties jcr:primaryType="nt:unstructured">',
    ...inside.map((line) => `          ${line}`),
    '        </properties>',
    `      </${type}>`,
    '    </indexRules>',
  ].join('\n');

const title = '<title jcr:primaryType="nt:unstructured" name="jcr:title" propertyIndex="{Boolean}true"/>';
const fulltext = '<title jcr:primaryType="nt:unstructured" name="jcr:title" nodeScopeIndex="{Boolean}true"/>';
const tika =
  '    <tika jcr:primaryType="nt:unstructured">\n      <config.xml jcr:primaryType="nt:file"/>\n    </tika>\n';
const usual: Readonly<Record<string, string>> = {
  'jcr:primaryType': 'oak:QueryIndexDefinition',
  type: 'lucene',
  async: '[async,nrt]',
  compatVersion: '{Long}2',
};

/** The definition begins on line 3 of its file; its attributes stand on the lines after it, in order. */
function definitions(...all: Definition[]): string {
  const elements = all.map(({ name = 'acme.page-1-custom-1', set = {}, inside = properties(title) }) => {
    const attributes = Object.entries({ ...usual, ...set })
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `\n    ${key}="${value}"`);
    return `  <${name}${attributes.join('')}>\n${inside}\n  </${name}>`;
  });
  return view(`  jcr:primaryType="nt:unstructured">\n${elements.join('\n')}\n</jcr:root>`);
}

export const index = (...all: Definition[]): Readonly<Record<string, Texts>> => ({
  '': { [INDEX]: definitions(...all) },
});
const good = index({});
/** A rule with the full text of every node. */
export const fulltextOfAll = rules('nt:base', fulltext);
const asset = {
  name: 'damAssetLucene-8-custom-1',
  set: { tags: '[visualSimilaritySearch]' },
  inside: tika + rules('dam:Asset', fulltext),
};

export const indexExamples: Readonly<Record<string, Example>> = {
  OakIndexLocation: {
    bad: { '': { 'jcr_root/apps/a/_oak_index/.content.xml': definitions({}) } },
    at: ['jcr_root/apps/a/_oak_index/.content.xml:3'],
    good,
  },
  IndexCompatVersion: { bad: index({ set: { compatVersion: '{Long}1' } }), at: [`${INDEX}:7`], good },
  IndexDescendantNodeType: {
    bad: index({ inside: properties('<title jcr:primaryType="oak:Unstructured" name="jcr:title"/>') }),
    at: [`${INDEX}:11`],
    good,
  },
  IndexRulesNode: {
    bad: index({ inside: '    <indexRules jcr:primaryType="nt:unstructured"/>' }),
    at: [`${INDEX}:8`],
    good,
  },
  IndexName: { bad: index({ name: 'myIndex' }), at: [`${INDEX}:3`], good: index(asset) },
  IndexType: { bad: index({ set: { type: 'property' } }), at: [`${INDEX}:5`], good },
  IndexSeedProperty: { bad: index({ set: { seed: '{Long}1' } }), at: [`${INDEX}:8`], good },
  IndexReindexProperty: { bad: index({ set: { reindex: '{Boolean}true' } }), at: [`${INDEX}:8`], good },
  IndexNotUnderUIContent: {
    bad: {
      '': {
        [INDEX]: definitions({}),
        [FILTER]: filter('root="/content/a" mode="merge"', 'root="/oak:index/acme.page-1-custom-1"'),
      },
    },
    at: [`${INDEX}:3`],
    good: {
      '': {
        [INDEX]: definitions({}),
        [FILTER]: filter('root="/apps/a"', 'root="/oak:index/acme.page-1-custom-1"'),
      },
    },
  },
  RestrictIndexCustomization: {
    bad: index({ name: 'pathReference-1-custom-1' }),
    at: [`${INDEX}:3`],
    good,
  },
  IndexValidFullyCustomName: {
    bad: index({ name: 'page-1-custom-1' }),
    at: [`${INDEX}:3`],
    good: index({}, asset),
  },
  CustomFulltextIndexesOfTheDamAssetCheck: {
    bad: index({ inside: rules('dam:Asset', fulltext) }),
    at: [`${INDEX}:9`],
    good: index(asset, { inside: rules('dam:Asset', title) }),
  },
  DuplicateNameProperty: {
    bad: index({ inside: properties(title, '<other jcr:primaryType="nt:unstructured" name="jcr:title"/>') }),
    at: [`${INDEX}:12`],
    good: index({ inside: properties(title, '<other jcr:primaryType="nt:unstructured" name="other"/>') }),
  },
  AnalyzerTokenizerConfigCheck: {
    bad: index({
      inside: `    <analyzers><default>\n      <myTokenizer name="Standard"/>\n    </default></analyzers>\n${properties(title)}`,
    }),
    at: [`${INDEX}:9`],
    good: index({
      inside: `    <analyzers><default>\n      <tokenizer name="Standard"/><filters/>\n    </default></analyzers>\n${properties(title)}`,
    }),
  },
  PathSpacesCheck: {
    bad: index({ set: { includedPaths: '[/content/a, /content/b]' } }),
    at: [`${INDEX}:8`],
    good: index({ set: { includedPaths: '[/content/a,/content/b]' } }),
  },
  HayStackPropertyCheck: { bad: index({ set: { haystack0: 'x' } }), at: [`${INDEX}:8`], good },
  IndexUnsupportedAsyncPropertiesCheck: {
    bad: index({ set: { 'async-previous': '[async]' } }),
    at: [`${INDEX}:8`],
    good,
  },
  SameTagInMultipleIndexes: {
    bad: index(
      { set: { tags: '[mine]' }, inside: '' },
      { name: 'acme.other-custom-1', set: { tags: '[mine]' } },
    ),
    at: [`${INDEX}:16`],
    good: index({ set: { tags: '[mine]' } }, { name: 'acme.other-custom-1', set: { tags: '[other]' } }),
  },
  IndexTikaNode: {
    bad: index({ ...asset, inside: rules('dam:Asset', fulltext) }),
    at: [`${INDEX}:3`],
    good: index(asset),
  },
  IndexAsyncProperty: { bad: index({ set: { async: '[nrt]' } }), at: [`${INDEX}:6`], good },
  IndexDamAssetLucene: {
    bad: index({ ...asset, set: { tags: '[mine]', queryPaths: '[/content/dam]' } }),
    at: [`${INDEX}:8`, `${INDEX}:9`],
    good: index(asset),
  },
  IndexIncludedPathsWithoutQueryPaths: {
    bad: index({ set: { includedPaths: '[/content]' } }),
    at: [`${INDEX}:8`],
    good: index({ set: { includedPaths: '[/content]', queryPaths: '[/content]' } }),
  },
  IndexFulltextOnGenericType: {
    bad: index({ inside: fulltextOfAll }),
    at: [`${INDEX}:9`],
    good: index({
      set: { includedPaths: '[/content]', queryPaths: '[/content]' },
      inside: fulltextOfAll,
    }),
  },
  IndexDetectMultipleActiveVersionsOfSameIndex: {
    bad: index({ name: 'acme.page-1-custom-1' }, { name: 'acme.page-1-custom-2' }),
    at: [`${INDEX}:3`],
    good: index({ name: 'acme.page-1-custom-1' }, { name: 'acme.other-1-custom-2' }),
  },
  IndexHasValidTagsProperty: { bad: index({ set: { tags: '' } }), at: [`${INDEX}:8`], good: index(asset) },
};
