import { deepEqual, equal, ok } from 'node:assert/strict';
import { readScannedPackage } from '../../../src/systems/scan/content/package.ts';
import { readDispatcher } from '../../../src/systems/scan/dispatcher/model.ts';
import { ServerRoot } from '../../../src/systems/scan/dispatcher/server-root.ts';
import { runChecks, type Flavour } from '../../../src/systems/scan/rule.ts';
import { allDispatcherChecks, allRules, contentChecks } from '../../../src/systems/scan/rules/all.ts';
import { contentExamples, type Example } from './content-examples.ts';
import { dispatcherExamples, goodConfiguration } from './dispatcher-examples.ts';
import { filesOf, type Texts } from './files.ts';
import { fulltextOfAll, index, indexExamples } from './index-examples.ts';

async function findingsIn(packages: Example['bad'], flavour: Flavour) {
  const read = await Promise.all(
    Object.entries(packages).map(([label, texts]) => readScannedPackage(filesOf(texts, label))),
  );
  return runChecks(contentChecks, { packages: read }, flavour);
}

async function findingsInDispatcher(texts: Readonly<Record<string, string | Buffer | undefined>>) {
  const present = Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== undefined)) as Texts;
  const root = await ServerRoot.read({ ...filesOf(present), label: 'package' });
  return runChecks(allDispatcherChecks, readDispatcher(root), 'ams');
}

const places = (findings: readonly { rule: string; file: string; line?: number }[], rule: string) =>
  findings
    .filter((finding) => finding.rule === rule)
    .map(({ file, line }) => (line === undefined ? file : `${file}:${line}`))
    .sort();

const examples: Readonly<Record<string, Example>> = { ...contentExamples, ...indexExamples };

describe('The rules of code scanning', () => {
  it('have one bad and one good example each', () => {
    const keys = allRules.map(({ key }) => key);
    deepEqual([...Object.keys(examples), ...Object.keys(dispatcherExamples)].sort(), [...keys].sort());
    equal(new Set(keys).size, keys.length);
    for (const [key, { at }] of [...Object.entries(examples), ...Object.entries(dispatcherExamples)])
      ok(at.length > 0, `${key}: the bad example has no place`);
  });

  for (const { key, only } of allRules.filter((rule) => rule.key in examples)) {
    const { bad, good, at } = examples[key]!;
    it(`${key} names file and line of what is wrong`, async () => {
      deepEqual(places(await findingsIn(bad, only ?? 'ams'), key), [...at].sort());
    });
    it(`${key} is silent where all is well`, async () => {
      deepEqual(places(await findingsIn(good, only ?? 'ams'), key), []);
    });
  }

  for (const [key, { bad, at }] of Object.entries(dispatcherExamples))
    it(`${key} names file and line of what is wrong`, async () => {
      deepEqual(places(await findingsInDispatcher({ ...goodConfiguration, ...bad }), key), at);
    });

  it('find nothing in a good dispatcher configuration', async () => {
    deepEqual(await findingsInDispatcher(goodConfiguration), []);
  });

  it('that are for the Cloud Service only are not applied to Managed Services', async () => {
    for (const { key } of allRules.filter(({ only }) => only === 'cloud'))
      deepEqual(places(await findingsIn(examples[key]!.bad, 'ams'), key), [], key);
  });

  it('are as severe as the flavour has it, and say what counts for Cloud Service compatibility', async () => {
    const judged = async (key: string, flavour: Flavour) => {
      const [found] = (await findingsIn(examples[key]!.bad, flavour)).filter(({ rule }) => rule === key);
      return [found?.type, found?.severity, found?.cloudService];
    };
    deepEqual(await judged('BannedPath', 'ams'), ['BUG', 'BLOCKER', undefined]);
    deepEqual(await judged('BannedPath', 'cloud'), ['BUG', 'CRITICAL', undefined]);
    deepEqual(await judged('IndexType', 'cloud'), ['BUG', 'BLOCKER', undefined]);
    deepEqual(await judged('ReverseReplication', 'ams'), ['CODE_SMELL', 'MINOR', true]);
  });
});

describe('The rules about indexes', () => {
  it('want both properties that limit full text, and a usable list of tags', async () => {
    const cases: [rule: string, bad: boolean, set: Readonly<Record<string, string>>][] = [
      ['IndexFulltextOnGenericType', true, { includedPaths: '[/content]' }],
      ['IndexFulltextOnGenericType', true, { queryPaths: '[/content]' }],
      ['IndexFulltextOnGenericType', false, { includedPaths: '[/content]', queryPaths: '[/content]' }],
      ['IndexHasValidTagsProperty', true, { tags: 'one' }],
      ['IndexHasValidTagsProperty', true, { tags: '[]' }],
      ['IndexHasValidTagsProperty', true, { tags: '[good,not good]' }],
      ['IndexHasValidTagsProperty', false, { tags: '[good,better]' }],
    ];
    for (const [rule, bad, set] of cases) {
      const found = places(await findingsIn(index({ set, inside: fulltextOfAll }), 'cloud'), rule);
      equal(found.length, bad ? 1 : 0, `${rule}: ${JSON.stringify(set)}`);
    }
  });
});

describe('The rules about packages', () => {
  const FILTER = 'META-INF/vault/filter.xml';
  const one = (roots: string) => `<workspaceFilter>${roots}</workspaceFilter>`;

  it('see what a wide filter writes below /libs, and not what an exclude leaves out', async () => {
    const texts = (filter: string) => ({ '': { [FILTER]: filter, 'jcr_root/libs/a/x.txt': 'x' } });
    const wide = await findingsIn(texts(one('<filter root="/"/>')), 'ams');
    deepEqual(places(wide, 'BannedPath'), ['jcr_root/libs/a/x.txt']);
    const excluded = one('<filter root="/"><exclude pattern="/libs(/.*)?"/></filter>');
    deepEqual(places(await findingsIn(texts(excluded), 'ams'), 'BannedPath'), []);
  });

  it('let packages for author and for publish write the same path', async () => {
    const files = filesOf({ [FILTER]: one('<filter root="/apps/a"/>'), 'jcr_root/apps/a/x.txt': 'x' });
    const overlaps = async (first: string[], second: string[]) => {
      const packages = [
        await readScannedPackage(files, { runModes: first }),
        await readScannedPackage(files, { runModes: second }),
      ];
      return places(runChecks(contentChecks, { packages }, 'ams'), 'PackageOverlaps').length;
    };
    equal(await overlaps(['author'], ['publish']), 0);
    equal(await overlaps(['author'], []), 1);
    equal(await overlaps(['author', 'prod'], ['author']), 1);
  });
});

describe('The rules about filters of a farm', () => {
  const filtered = (filters: string) => ({
    ...goodConfiguration,
    'conf.dispatcher.d/filters/site.any': filters,
  });

  it('follow the last filter that matches', async () => {
    const open = filtered(
      `/1 { /type "deny" /url "*" }\n/2 { /type "allow" /url "/content/*" }\n/3 { /type "deny" /url "/content/*" }\n`,
    );
    deepEqual(await findingsInDispatcher(open), []);
    const found = await findingsInDispatcher(
      filtered(
        `/1 { /type "deny" /url "*" }\n/3 { /type "deny" /url "/content/*" }\n/2 { /type "allow" /url "/content/*" }\n`,
      ),
    );
    deepEqual(
      found.map(({ rule, line }) => `${rule.slice(9, 15)} ${line}`),
      ['Disp-4 3', 'Disp-6 3', 'Disp-7 3'],
    );
  });

  it('want the first of them to deny everything, however that is written', async () => {
    const cases: [first: string, all: boolean][] = [
      [`/type "deny" /glob "*"`, true],
      [`/type "deny" /url '.*'`, true],
      [`/type "deny" /path "/content/*"`, false],
      [`/type "deny" /url '/content/.*'`, false],
      [`/type "deny" /url "*" /path "/content/*"`, false],
      [`/type "deny" /url "*" /method "POST"`, false],
    ];
    for (const [first, all] of cases) {
      const found = await findingsInDispatcher(filtered(`/1 { ${first} }\n/2 { /type "deny" /url "*" }\n`));
      deepEqual(
        found.map(({ rule, line }) => `${rule.slice(9, 15)} ${line}`),
        all ? [] : ['Disp-4 1'],
        first,
      );
    }
  });

  it('do not hang on an expression that takes for ever', async () => {
    const slow = filtered(`/1 { /type "deny" /url "*" }\n/2 { /type "allow" /path '(a|a+)+(.*)*x' }\n`);
    deepEqual(await findingsInDispatcher(slow), []);
  });

  it('do not judge the farm of an author', async () => {
    const text = (goodConfiguration['conf.dispatcher.d/available_farms/site.any'] as string)
      .replace('/site {', '/authorfarm {')
      .replace('/statfileslevel "2"', '/statfileslevel "0"');
    const author = { ...goodConfiguration, 'conf.dispatcher.d/available_farms/site.any': text };
    deepEqual(await findingsInDispatcher(author), []);
  });

  it('take a number from a variable of the package, and do not judge one of the host', async () => {
    const level = (value: string) => ({
      ...goodConfiguration,
      'conf.dispatcher.d/available_farms/site.any': (
        goodConfiguration['conf.dispatcher.d/available_farms/site.any'] as string
      ).replace('/statfileslevel "2"', `/statfileslevel "${value}"`),
    });
    deepEqual(await findingsInDispatcher(level('${LEVEL}')), []);
    deepEqual(await findingsInDispatcher(level('${ONLY_ON_THE_HOST}')), []);
    const found = await findingsInDispatcher({
      ...level('${LEVEL}'),
      'conf.d/site.conf': 'Define LEVEL 1\n',
    });
    deepEqual(places(found, 'DOTRules:Disp-2---statfileslevel').length, 1);
  });
});

describe('The rule about what a virtual host serves', () => {
  const RULE = 'DOTRules:Httpd-1---require-all-granted';
  const root = (line: string) => `<Directory />\n  AllowOverride None\n  ${line}\n</Directory>\n`;
  const host = (line: string) => `<VirtualHost *:80>\n${root(line)}</VirtualHost>\n`;
  const found = async (path: string, text: string) =>
    places(await findingsInDispatcher({ ...goodConfiguration, [path]: text }), RULE);

  it('finds what is granted for all files of the host, and nothing else', async () => {
    const path = 'conf.d/available_vhosts/site.vhost';
    deepEqual(await found(path, host('Require all granted')), [`${path}:4`]);
    deepEqual(await found(path, host('require ALL Granted')), [`${path}:4`]);
    deepEqual(await found(path, host('Require all denied')), []);
    deepEqual(await found(path, host('Require ip 10.0.0.1')), []);
  });

  it('leaves what is outside of virtual hosts alone', async () => {
    const main = goodConfiguration['conf/httpd.conf'] as string;
    const open = main.replace('Require all denied', 'Require all granted');
    deepEqual(await found('conf/httpd.conf', open), []);
  });
});
