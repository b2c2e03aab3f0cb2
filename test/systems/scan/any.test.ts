import { deepEqual, equal, match } from 'node:assert/strict';
import { readAny, type Entry } from '../../../src/systems/scan/dispatcher/any.ts';
import { ServerRoot } from '../../../src/systems/scan/dispatcher/server-root.ts';
import { filesOf, type Texts } from './files.ts';

const FOLDER = 'conf.dispatcher.d';

async function read(main: string | Buffer, more: Texts = {}, variables: Record<string, string> = {}) {
  const others = Object.entries(more).map(([name, text]) => [`${FOLDER}/${name}`, text]);
  const files = filesOf({ [`${FOLDER}/dispatcher.any`]: main, ...(Object.fromEntries(others) as Texts) });
  const root = await ServerRoot.read(files);
  return readAny(root, `${FOLDER}/dispatcher.any`, new Map(Object.entries(variables)));
}

const brief = ({ problems }: Awaited<ReturnType<typeof read>>) =>
  problems.map(({ kind, place }) => `${kind} ${place.file.slice(FOLDER.length + 1)}:${place.line ?? '-'}`);

/** An entry as `name=value` or `name{...}`. */
const outline = (entries: readonly Entry[]): string =>
  entries
    .map(({ name, value, children }) => (children ? `${name}{${outline(children)}}` : `${name}=${value}`))
    .join(' ');

describe('The parser of dispatcher configuration', () => {
  const wrong: [what: string, text: string | Buffer, problems: string[]][] = [
    ['a quote that is not closed', '/a "x\n/b "y"', ['quote-unmatched dispatcher.any:1']],
    ['a quote closed by the other kind', '/a {\n "x\'\n}', ['quote-unmatched dispatcher.any:2']],
    ['a section that is not closed', '/a {\n /b {\n }', ['brace-unclosed dispatcher.any:1']],
    ['a brace too many', '/a { }\n}\n/b "x"', ['brace-unclosed dispatcher.any:2']],
    ['a name with nothing', '/a\n/b "x"', ['brace-missing dispatcher.any:1']],
    ['a name at the end', '/a', ['brace-missing dispatcher.any:1']],
    [
      'a brace without a name',
      '/a "x"\n{ }',
      ['token-unexpected dispatcher.any:2', 'brace-unclosed dispatcher.any:2'],
    ],
    ['$include without a file', '/a {\n $include }', ['token-unexpected dispatcher.any:2']],
    ['a missing file', '/a {\n $include "no.any" }', ['syntax-violation dispatcher.any:2']],
    [
      'a file that includes itself',
      '/a {\n $include "dispatcher.any" }',
      ['syntax-violation dispatcher.any:-'],
    ],
    ['binary', Buffer.from([0, 1, 2, 255]), ['syntax-violation dispatcher.any:-']],
    ['10 MB', `/a "${'x'.repeat(10 * 1024 ** 2)}"`, ['syntax-violation dispatcher.any:-']],
    ['endless sections', '/a {\n'.repeat(100), ['syntax-violation dispatcher.any:21']],
    ['100,001 words', '"x" '.repeat(100_001), ['syntax-violation dispatcher.any:-']],
  ];
  for (const [what, text, problems] of wrong)
    it(`reports ${what}`, async () => {
      const configuration = await read(text);
      const found = brief(configuration);
      if (what === 'endless sections') match(found[0]!, /^syntax-violation dispatcher\.any:\d+$/);
      else deepEqual(found, problems);
    });

  it('stops where files include each other', async () => {
    const configuration = await read('$include "a.any"', {
      'a.any': '$include "b.any"',
      'b.any': '$include "a.any"',
    });
    deepEqual(brief(configuration), ['syntax-violation a.any:-']);
  });

  it('does not leave the package', async () => {
    const secret = '$include "/etc/passwd"\n$include "../../../../etc/passwd"\n$include "link.any"';
    const configuration = await read(secret, { 'link.any': '-> ../../../etc/passwd' });
    deepEqual(
      [outline(configuration.entries), brief(configuration)],
      ['', ['syntax-violation dispatcher.any:2']],
    );
  });

  it('reads sections, lists, both kinds of quotes, values without quotes and comments', async () => {
    const { entries, problems } = await read(
      '# first\n/a "x" /b \'y|z\' # last\n/list { "one" "two # not a comment" }\n/empty{}/n 3 /url /x.html',
    );
    deepEqual(problems, []);
    equal(outline(entries), 'a=x b=y|z list{=one =two # not a comment} empty{} n=3 url=/x.html');
    deepEqual(
      entries.map(({ single, place }) => [single, place.line]),
      [
        [false, 2],
        [true, 2],
        [false, 3],
        [false, 4],
        [false, 4],
        [false, 4],
      ],
    );
  });

  it('keeps lines with Windows line ends and a byte order mark', async () => {
    const { entries, problems } = await read('\ufeff/a {\r\n  /b "c"\r\n}\r\n/d "e"\r\n');
    deepEqual(problems, []);
    deepEqual([entries[0]!.children![0]!.place.line, entries[1]!.place.line], [2, 4]);
  });

  it('includes by pattern, in order, relative to the including file and through links', async () => {
    const { entries, problems } = await read('/farms { $include "enabled/*_farm.any" }', {
      'enabled/2_farm.any': '-> ../available/two.any',
      'enabled/1_farm.any': '/one { $include "../cache/one.any" }',
      'available/two.any': '\n/two { $include "../cache/*.any" }',
      'cache/one.any': '/docroot "${ROOT}"',
      'cache/two.txt': '/no "x"',
    });
    deepEqual(problems, []);
    equal(outline(entries), 'farms{one{docroot=${ROOT}} two{docroot=${ROOT}}}');
    deepEqual(entries[0]!.children![1]!.place, { file: `${FOLDER}/available/two.any`, line: 2 });
  });

  it('puts variables into the names of included files, and skips those only the host knows', async () => {
    const more = { 'stage.any': '/a "stage"' };
    const known = await read('$include "${ENV}.any"', more, { ENV: 'stage' });
    equal(outline(known.entries), 'a=stage');
    const unknown = await read('$include "${ENV}.any"', more);
    deepEqual([outline(unknown.entries), unknown.problems], ['', []]);
  });
});
