import { child, type Entry } from '../dispatcher/any.ts';
import type { SyntaxProblem } from '../dispatcher/any-tokens.ts';
import { DISPATCHER_ANY, type DispatcherModel } from '../dispatcher/model.ts';
import type { Check, Report } from '../rule.ts';
import { shown } from '../text.ts';

const smell = { type: 'CODE_SMELL', severity: 'MAJOR' } as const;

/** The names that a section knows; `list` for one of values alone, `each` for one whose entries have names of their own. */
interface Shape {
  readonly known?: readonly string[];
  readonly mandatory?: readonly string[];
  readonly deprecated?: readonly string[];
  readonly list?: true;
  readonly each?: Shape;
  readonly inside?: Readonly<Record<string, Shape>>;
}

const list: Shape = { list: true };
const globs: Shape = { each: { known: ['glob', 'type'], mandatory: ['glob', 'type'] } };
const patterns: Shape = {
  each: {
    known: [
      ...['type', 'glob', 'url', 'method', 'path', 'selectors', 'extension', 'suffix', 'query', 'protocol'],
    ],
    mandatory: ['type'],
  },
};

/**
 * What a farm holds
 * (https://experienceleague.adobe.com/docs/experience-manager-dispatcher/using/configuring/dispatcher-configuration.html).
 */
const farm: Shape = {
  known: [
    ...['clientheaders', 'virtualhosts', 'renders', 'filter', 'vanity_urls', 'propagateSyndPost', 'cache'],
    ...['statistics', 'stickyConnectionsFor', 'stickyConnections', 'health_check', 'retryDelay'],
    ...['numberOfRetries', 'unavailablePenalty', 'failover', 'auth_checker', 'sessionmanagement', 'info'],
  ],
  mandatory: ['renders', 'virtualhosts', 'filter'],
  deprecated: ['homepage'],
  inside: {
    clientheaders: list,
    virtualhosts: list,
    renders: {
      each: {
        known: ['hostname', 'port', 'timeout', 'receiveTimeout', 'ipv4', 'secure', 'always-resolve'],
        mandatory: ['hostname'],
      },
    },
    filter: patterns,
    vanity_urls: { known: ['url', 'file', 'delay', 'loadOnStartup'], mandatory: ['url', 'file', 'delay'] },
    cache: {
      known: [
        ...['docroot', 'statfile', 'serveStaleOnError', 'allowAuthorized', 'rules', 'statfileslevel'],
        ...['invalidate', 'invalidateHandler', 'allowedClients', 'ignoreUrlParams', 'headers', 'mode'],
        ...['gracePeriod', 'enableTTL'],
      ],
      mandatory: ['docroot', 'rules'],
      inside: {
        rules: globs,
        invalidate: globs,
        allowedClients: globs,
        ignoreUrlParams: globs,
        headers: list,
      },
    },
    statistics: {
      known: ['categories'],
      mandatory: ['categories'],
      inside: { categories: { each: { known: ['glob'] } } },
    },
    stickyConnections: {
      known: ['paths', 'domain', 'httpOnly', 'secure'],
      mandatory: ['paths'],
      inside: { paths: list },
    },
    health_check: { known: ['url'], mandatory: ['url'] },
    auth_checker: {
      known: ['url', 'filter', 'headers'],
      mandatory: ['url', 'filter'],
      inside: { filter: patterns, headers: globs },
    },
    sessionmanagement: { known: ['directory', 'encode', 'header', 'timeout'], mandatory: ['directory'] },
  },
};

const whole: Shape = { known: ['name', 'farms'], mandatory: ['farms'], inside: { farms: { each: farm } } };

type Kind = 'unexpected' | 'mandatory' | 'deprecated';

/** Compares a configuration with the shape above. */
function judge(model: DispatcherModel, kind: Kind, report: Report): void {
  const { any } = model;
  const start = model.root.file(DISPATCHER_ANY);
  if (!any || !start) return;
  const top: Entry = { name: '', single: false, children: any.entries, place: { file: start.file, line: 1 } };
  judgeSection(top, whole, '', kind, report);
}

function judgeSection(section: Entry, shape: Shape, name: string, kind: Kind, report: Report): void {
  const where = name === '' ? 'the configuration' : `/${shown(name)}`;
  const children = section.children ?? [];
  for (const entry of children) {
    const deprecated = shape.deprecated?.includes(entry.name) ?? false;
    if (kind === 'unexpected') {
      if (entry.name === '' && !shape.list)
        report(entry.place, `${shown(entry.value ?? '')} in ${where} has no name`);
      else if (
        entry.name !== '' &&
        (shape.list || (shape.known && !shape.known.includes(entry.name))) &&
        !deprecated
      )
        report(entry.place, `/${shown(entry.name)} is not known in ${where}`);
    }
    if (kind === 'deprecated' && deprecated) report(entry.place, `/${entry.name} in ${where} is deprecated`);
    const inner = shape.each ?? shape.inside?.[entry.name];
    if (entry.name !== '' && inner) judgeSection(entry, inner, entry.name, kind, report);
  }
  if (kind === 'mandatory')
    for (const needed of shape.mandatory ?? [])
      if (!child(section, needed)) report(section.place, `${where} has no /${needed}`);
}

const syntaxCheck = (
  key: string,
  kind: SyntaxProblem,
  words: { title: string; finds: string; remedy: string },
  more?: Kind,
): Check<DispatcherModel> => ({
  rule: { key: `DOTRules:${key}---${kind}`, ...smell, ...words },
  check: (model, report) => {
    for (const problem of model.any?.problems ?? [])
      if (problem.kind === kind) report(problem.place, problem.message);
    if (more) judge(model, more, report);
  },
});

export const dispatcherSyntaxChecks: readonly Check<DispatcherModel>[] = [
  syntaxCheck('Disp-S1', 'brace-missing', {
    title: 'Sections have braces',
    finds: 'A name in a `.any` file with neither a value nor an opening brace',
    remedy: 'Add the value or the brace.',
  }),
  syntaxCheck(
    'Disp-S2',
    'token-unexpected',
    {
      title: 'Properties stand where the dispatcher reads them',
      finds:
        'A property that its section does not know, a value where names are expected, a brace without a name',
      remedy: 'Move the property to its section, or correct its name.',
    },
    'unexpected',
  ),
  syntaxCheck('Disp-S3', 'quote-unmatched', {
    title: 'Quotes are closed',
    finds: 'A single or double quote that is not closed by the same one on its line',
    remedy: 'Close the quote.',
  }),
  syntaxCheck('Disp-S4', 'brace-unclosed', {
    title: 'Braces are closed',
    finds: 'A section that is not closed in its file, or a closing brace too many',
    remedy: 'Add or remove the brace.',
  }),
  {
    rule: {
      key: 'DOTRules:Disp-S5---mandatory-missing',
      ...smell,
      title: 'Sections have what they need',
      finds:
        'A section without a property that it cannot do without, such as `/renders`, `/virtualhosts` and `/filter` of a farm, `/docroot` of a cache, `/hostname` of a render',
      remedy: 'Add the property.',
    },
    check: (model, report) => judge(model, 'mandatory', report),
  },
  {
    rule: {
      key: 'DOTRules:Disp-S6---property-deprecated',
      ...smell,
      title: 'No deprecated properties',
      finds: 'A property that the dispatcher does not need any more: `/homepage`',
      remedy: 'Remove it; send visitors to the home page with a rewrite rule.',
    },
    check: (model, report) => judge(model, 'deprecated', report),
  },
  {
    rule: {
      key: 'DOTRules:Disp-S7---no-dispatcher-config',
      ...smell,
      title: 'There is a dispatcher configuration',
      finds: `A dispatcher package without \`${DISPATCHER_ANY}\`: nothing of its farms was looked at`,
      remedy: 'Add the file.',
    },
    check: ({ root, any }, report) => {
      if (!any) report({ file: root.label }, `There is no ${DISPATCHER_ANY}`);
    },
  },
  syntaxCheck('Syntax0', 'syntax-violation', {
    title: 'The configuration can be read',
    finds:
      'An included file that is missing, binary, too large, or that includes itself; sections nested too deep',
    remedy: 'Mend the file. What comes after it may not have been looked at.',
  }),
];
