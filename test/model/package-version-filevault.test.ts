import assert from 'node:assert/strict';
import {
  compareVersions,
  inRange,
  parseDependencies,
  parseRange,
  type VersionRange,
} from '../../src/model/package-version.ts';
import { askFileVault } from '../support/filevault.ts';
import { random } from '../support/random.ts';

const SEED = 20_240_601;
const COUNT = 2000;

/** What FileVault's own classes say, release by release, about thousands of generated versions. */
describe('FileVault and our reading of it', () => {
  const { below, oneOf } = random(SEED);

  const numbers = ['0', '1', '2', '10', '00', '007', '01', '9', '20240101', '99999999999', '9'.repeat(40)];
  const words = [
    ...['alpha', 'beta', 'milestone', 'rc', 'cr', 'snapshot', 'SNAPSHOT', 'ga', 'final', 'release', 'sp'],
    ...[
      'a',
      'b',
      'm',
      'A',
      'foo',
      'x',
      'RC',
      'Final',
      '\u00e9',
      '\u00df',
      '\u0130',
      'a_b',
      '+build',
      '1a',
      'a1',
    ],
    ...['rc1', 'b10', '2x3', ' ', '\u{1f600}', '~', '*'],
  ];
  const separators = ['.', '.', '.', '-', '-', '', '..', '--', '.-', '-.', '_'];
  const version = (): string => {
    const parts = Array.from({ length: below(5) }, () => (below(3) ? oneOf(numbers) : oneOf(words)));
    const text = parts.map((part, index) => (index ? oneOf(separators) : '') + part).join('');
    return below(12) ? text : text + oneOf(separators);
  };
  /** One that is like another, with a small difference: the edges are there. */
  const near = (other: string): string =>
    oneOf([
      `${other}.0`,
      `${other}-SNAPSHOT`,
      `${other}.0.0`,
      `${other}-0`,
      `${other}-1`,
      `${other}.final`,
      `0${other}`,
      other.toUpperCase(),
      other.replace('.', '-'),
      other.replace(/.$/u, ''),
    ]);
  const plain = () => Array.from({ length: 3 }, () => oneOf(['0', '1', '2', '9', '10', '136'])).join('.');
  const range = (around: string): string => {
    const edge = () => oneOf(['', around, near(around), version(), ` ${around} `]);
    const open = oneOf(['[', '(', '[', '(', '', '[(']);
    const close = oneOf([']', ')', ']', ')', '', ')]', '] ']);
    return oneOf([edge(), `${open}${edge()},${edge()}${close}`, `${open}${edge()},${edge()}${close}`]);
  };
  const dependency = (): string => {
    const name = () => oneOf(['a', 'b/c', '/etc/packages/x', '', '1.0', ' d', 'e f', 'g(h', '/', '/x']);
    const parts = Array.from({ length: 1 + below(4) }, (_, index) =>
      index < 2 && below(8) ? name() : range(plain()),
    );
    return parts.join(':') + oneOf(['', '', '', ':', ',']);
  };

  const sign = (a: string, b: string) => String(Math.sign(compareVersions(a, b)));
  const within = (text: string, wanted: string) => {
    const found = parseRange(wanted);
    return 'error' in found ? 'refused' : String(inRange(text, found));
  };
  /** As FileVault writes a range. */
  const shown = ({ low, high }: VersionRange): string => {
    const tidy = (text: string) => text.split('.').filter(Boolean).join('.');
    if (!low && !high) return '';
    if (!high) return low!.inclusive ? tidy(low!.version) : `(${tidy(low!.version)},)`;
    const start = low ? `${low.inclusive ? '[' : '('}${tidy(low.version)}` : '[';
    return `${start},${tidy(high.version)}${high.inclusive ? ']' : ')'}`;
  };
  const dependencies = (text: string): string => {
    const found = parseDependencies(text).map((each) => ({ ...each, range: parseRange(each.range) }));
    if (found.some((each) => 'error' in each.range)) return 'refused';
    return found
      .map((each) => `${each.group}\t${each.name}\t${shown(each.range as VersionRange)}\t`)
      .join('');
  };
  const ours = ([kind, first, second]: readonly string[]): string =>
    kind === 'compare'
      ? sign(first!, second!)
      : kind === 'range'
        ? within(first!, second!)
        : dependencies(first!);

  async function differences(release: string, questions: readonly (readonly string[])[]): Promise<string[]> {
    const theirs = await askFileVault(release, questions);
    return questions.flatMap((question, index) => {
      const [own, other] = [ours(question), theirs[index]];
      return own === other ? [] : [`${JSON.stringify(question)}: ${own}, FileVault ${release}: ${other}`];
    });
  }
  const many = (make: () => string[]) => Array.from({ length: COUNT }, make);
  const comparisons = many(() => {
    const first = version();
    return ['compare', first, below(2) ? near(first) : version()];
  });
  const ranges = many(() => {
    const first = version();
    return ['range', first, range(below(3) ? near(first) : first)];
  });
  // A dependency without a name is refused by whoever reads a package, whatever FileVault makes of it.
  const lists = many(() => ['dependencies', [dependency(), dependency()].slice(below(2)).join(',')]).filter(
    ([, text]) => parseDependencies(text!).every(({ name }) => name !== ''),
  );

  it('agree on versions, ranges and dependencies, with the order since 3.7.0', async () =>
    assert.deepEqual((await differences('4.2.0', [...comparisons, ...ranges, ...lists])).slice(0, 20), []));

  it('agree on plain versions with the release before the order changed, 3.6.0, and not on others', async () => {
    const alike = [
      ...many(() => ['compare', plain(), plain()]),
      ...many(() => ['range', plain(), `[${plain()},${plain()})`]),
    ];
    const found = await differences('3.6.0', [...alike, ...comparisons]);
    const isAlike = (line: string) => alike.some((question) => line.startsWith(JSON.stringify(question)));
    assert.deepEqual(found.filter(isAlike), []);
    assert.ok(found.length > 0);
  });
});
