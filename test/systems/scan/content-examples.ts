import { filter, view, type Texts } from './files.ts';

/** Packages by their label, and where a rule finds something in them. */
export interface Example {
  readonly bad: Readonly<Record<string, Texts>>;
  /** `file:line`, or `file` alone. */
  readonly at: readonly string[];
  readonly good: Readonly<Record<string, Texts>>;
}

const FILTER = 'META-INF/vault/filter.xml';
const only = (texts: Texts) => ({ '': texts });

const config = '{ "a": 1 }';
const pid = 'com.example.Service.cfg.json';
const component = (inside: string) => view(`  jcr:primaryType="cq:Component">\n${inside}</jcr:root>`);
const clientlib = view('  jcr:primaryType="cq:ClientLibraryFolder"\n  allowProxy="{Boolean}true"/>');
const authoringMode = (mode: string) => `{\n  "authoringUIModeService.default": "${mode}"\n}`;
const mode = 'jcr_root/apps/a/config/com.day.cq.wcm.core.impl.AuthoringUIModeServiceImpl.cfg.json';

export const contentExamples: Readonly<Record<string, Example>> = {
  'fairway:UnreadableFile': {
    bad: only({
      'jcr_root/apps/a/.content.xml': view('  jcr:primaryType="sling:Folder">\n  <broken>\n</jcr:root>'),
    }),
    at: ['jcr_root/apps/a/.content.xml:4'],
    good: only({ 'jcr_root/apps/a/.content.xml': view('  jcr:primaryType="sling:Folder"/>') }),
  },
  BannedPath: {
    bad: only({ [FILTER]: filter('root="/apps/a"', 'root="/libs/cq"'), 'jcr_root/libs/cq/x.txt': 'x' }),
    at: [`${FILTER}:3`],
    good: only({ [FILTER]: filter('root="/apps/libs"'), 'jcr_root/apps/libs/x.txt': 'x' }),
  },
  PackageOverlaps: {
    bad: {
      one: { [FILTER]: filter('root="/apps/a"'), 'jcr_root/apps/a/x.txt': 'x' },
      two: { [FILTER]: filter('root="/apps/a/b"'), 'jcr_root/apps/a/b/y.txt': 'y' },
    },
    at: ['two/jcr_root/apps/a/b/y.txt'],
    good: {
      one: { [FILTER]: filter('root="/apps/a"'), 'jcr_root/apps/a/x.txt': 'x' },
      two: { [FILTER]: filter('root="/apps/ab"'), 'jcr_root/apps/ab/y.txt': 'y' },
    },
  },
  ImmutableMutableMixedPackage: {
    bad: only({ [FILTER]: filter('root="/apps/a"', 'root="/etc/clientlibs/a" mode="merge"') }),
    at: [`${FILTER}:3`],
    good: only({ [FILTER]: filter('root="/apps/a"', 'root="/oak:index/a.b-custom-1"') }),
  },
  FilterXmlModeAnalysis: {
    bad: only({ [FILTER]: filter('root="/content/a"', 'root="/var/b" mode="replace"') }),
    at: [`${FILTER}:2`, `${FILTER}:3`],
    good: only({ [FILTER]: filter('root="/content/a" mode="merge_properties"', 'root="/etc/packages/a"') }),
  },
  DuplicateOsgiConfigurations: {
    bad: only({
      [`jcr_root/apps/a/config/${pid}`]: config,
      'jcr_root/apps/b/config/com.example.Service.config': 'a="1"',
    }),
    at: ['jcr_root/apps/b/config/com.example.Service.config'],
    good: only({
      [`jcr_root/apps/a/config.author/${pid}`]: config,
      [`jcr_root/apps/a/config.publish/${pid}`]: config,
      'jcr_root/apps/a/config/com.example.Factory~one.cfg.json': config,
      'jcr_root/apps/a/config/com.example.Factory-two.config': 'a="1"',
    }),
  },
  ConfigAndInstallShouldOnlyContainOsgiNodes: {
    bad: only({
      'jcr_root/apps/a/text/.content.xml': component(
        '  <config jcr:primaryType="nt:unstructured">\n    <rte jcr:primaryType="nt:unstructured"/>\n  </config>\n',
      ),
      'jcr_root/apps/a/install/readme.txt': 'x',
    }),
    at: ['jcr_root/apps/a/install/readme.txt', 'jcr_root/apps/a/text/.content.xml:4'],
    good: only({
      'jcr_root/apps/a/text/.content.xml': component(
        '  <editorConfig jcr:primaryType="nt:unstructured">\n    <rte jcr:primaryType="nt:unstructured"/>\n  </editorConfig>\n',
      ),
      'jcr_root/apps/a/install/20/a.jar': Buffer.from([0]),
      [`jcr_root/apps/a/config/${pid}`]: config,
      'jcr_root/apps/a/config/com.example.Other.xml': view('  jcr:primaryType="sling:OsgiConfig"/>'),
    }),
  },
  SupportedRunmode: {
    bad: only({ [`jcr_root/apps/a/config.prod.author/${pid}`]: config }),
    at: [`jcr_root/apps/a/config.prod.author/${pid}`],
    good: only({
      [`jcr_root/apps/a/config.author.prod/${pid}`]: config,
      [`jcr_root/apps/a/config.dev/${pid}`]: config,
    }),
  },
  ClassicUIAuthoringMode: {
    bad: only({ [mode]: authoringMode('CLASSIC') }),
    at: [`${mode}:2`],
    good: only({ [mode]: authoringMode('TOUCH') }),
  },
  OverrideOfQueryLimitReads: {
    bad: only({
      'jcr_root/apps/a/config/org.apache.jackrabbit.oak.query.QueryEngineSettingsService.config':
        '# limits\nqueryLimitReads=L"500000"\n',
    }),
    at: ['jcr_root/apps/a/config/org.apache.jackrabbit.oak.query.QueryEngineSettingsService.config:2'],
    good: only({
      'jcr_root/apps/a/config/org.apache.jackrabbit.oak.query.QueryEngineSettingsService.config':
        'queryFailTraversal=B"true"\n',
    }),
  },
  ClientlibProxyResource: {
    bad: only({ 'jcr_root/apps/a/lib/.content.xml': clientlib, 'jcr_root/apps/a/lib/images/a.png': 'x' }),
    at: ['jcr_root/apps/a/lib/images/a.png'],
    good: only({
      'jcr_root/apps/a/lib/.content.xml': clientlib,
      'jcr_root/apps/a/lib/resources/a.png': 'x',
      'jcr_root/apps/a/lib/css/a.css': 'x',
    }),
  },
  ComponentWithOnlyClassicUIDialog: {
    bad: only({
      'jcr_root/apps/a/text/.content.xml': component(''),
      'jcr_root/apps/a/text/dialog.xml': view('  jcr:primaryType="cq:Dialog"/>'),
    }),
    at: ['jcr_root/apps/a/text/dialog.xml:1'],
    good: only({
      'jcr_root/apps/a/text/.content.xml': component(''),
      'jcr_root/apps/a/text/dialog.xml': view('  jcr:primaryType="cq:Dialog"/>'),
      'jcr_root/apps/a/text/_cq_dialog/.content.xml': view('  jcr:primaryType="nt:unstructured"/>'),
    }),
  },
  StaticTemplateUsage: {
    bad: only({
      'jcr_root/apps/a/templates/page/.content.xml': view('  jcr:primaryType="cq:Template"/>'),
      'jcr_root/content/a/.content.xml': view(
        '  jcr:primaryType="cq:Page">\n  <jcr:content jcr:primaryType="cq:PageContent"\n    cq:template="/apps/a/templates/page"/>\n</jcr:root>',
      ),
    }),
    at: ['jcr_root/apps/a/templates/page/.content.xml:1', 'jcr_root/content/a/.content.xml:4'],
    good: only({
      'jcr_root/content/a/.content.xml': view(
        '  jcr:primaryType="cq:Page">\n  <jcr:content jcr:primaryType="cq:PageContent"\n    cq:template="/conf/a/settings/wcm/templates/page"/>\n</jcr:root>',
      ),
    }),
  },
  LegacyFoundationComponentUsage: {
    bad: only({
      'jcr_root/apps/a/text/.content.xml': view(
        '  jcr:primaryType="cq:Component"\n  sling:resourceSuperType="foundation/components/text"/>',
      ),
      'jcr_root/apps/foundation/components/image/.content.xml': view('  jcr:primaryType="cq:Component"/>'),
    }),
    at: ['jcr_root/apps/a/text/.content.xml:3', 'jcr_root/apps/foundation/components/image/.content.xml:1'],
    good: only({
      'jcr_root/apps/a/text/.content.xml': view(
        '  jcr:primaryType="cq:Component"\n  sling:resourceSuperType="core/wcm/components/text/v2/text"/>',
      ),
    }),
  },
  ReverseReplication: {
    bad: only({
      'jcr_root/etc/replication/agents.publish/outbox/.content.xml': view(
        '  jcr:primaryType="cq:Page">\n  <jcr:content jcr:primaryType="nt:unstructured"\n    cq:template="/libs/cq/replication/templates/revagent"/>\n</jcr:root>',
      ),
    }),
    at: ['jcr_root/etc/replication/agents.publish/outbox/.content.xml:4'],
    good: only({
      'jcr_root/etc/replication/agents.author/publish/.content.xml': view(
        '  jcr:primaryType="cq:Page">\n  <jcr:content jcr:primaryType="nt:unstructured"\n    cq:template="/libs/cq/replication/templates/agent"/>\n</jcr:root>',
      ),
    }),
  },
  CloudServiceIncompatibleWorkflowProcess: {
    bad: only({
      'jcr_root/var/workflow/models/a/.content.xml': view(
        '  jcr:primaryType="cq:WorkflowModel">\n  <metaData jcr:primaryType="nt:unstructured"\n    PROCESS="com.day.cq.dam.core.process.ThumbnailProcess"/>\n</jcr:root>',
      ),
    }),
    at: ['jcr_root/var/workflow/models/a/.content.xml:4'],
    good: only({
      'jcr_root/var/workflow/models/a/.content.xml': view(
        '  jcr:primaryType="cq:WorkflowModel">\n  <metaData jcr:primaryType="nt:unstructured"\n    PROCESS="com.example.MyProcess"/>\n</jcr:root>',
      ),
    }),
  },
};
