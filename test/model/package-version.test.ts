import assert from 'node:assert/strict';
import { compareVersions, inRange, parseDependencies, parseRange } from '../../src/model/package-version.ts';

const isIn = (version: string, text: string) => {
  const range = parseRange(text);
  assert.ok(!('error' in range), text);
  return inRange(version, range);
};

describe('versions of content packages', () => {
  for (const text of ['[1.0,2.0', '1.0,2.0]', '(1.0,2.0', '1.0,2.0', ',', ',[1.0,2.0]', '[1.0],2.0'])
    it(`range ${text} is refused for its brackets`, () => {
      const range = parseRange(text);
      assert.ok('error' in range);
      assert.match(range.error, /brackets/);
      assert.ok(range.error.includes(text));
    });

  it('refuses a range that holds nothing', () => {
    assert.deepEqual(parseRange('[2.0,1.0]'), {
      error: 'version range [2.0,1.0]: the lower bound is above the upper bound',
    });
    for (const text of ['[1.0,1.0)', '(1.0,1.0]', '(1.0,1)'])
      assert.match((parseRange(text) as { error: string }).error, /is empty/);
  });

  const pairs: [string, '<' | '=' | '>', string][] = [
    ['1.0', '=', '1.0.0'],
    ['1.0', '=', '1'],
    ['1.0.0-SNAPSHOT', '<', '1.0.0'],
    ['1.0.0-rc1', '<', '1.0.0'],
    ['1.0.0-rc', '<', '1.0.0-SNAPSHOT'],
    ['1.0.0.GA', '=', '1.0.0'],
    ['1.0.0.final', '=', '1.0.0'],
    ['1.0-b2', '<', '1.0-b10'],
    ['1.0a1', '<', '1.0'],
    ['1.9', '<', '1.10'],
    ['2.0', '<', '10.0'],
    ['6.2.136', '<', '6.3.64'],
    ['', '<', '1.0'],
    ['1.0.0-1', '>', '1.0.0'],
    ['1.0.0-sp', '>', '1.0.0'],
    ['1.0.0-foo', '>', '1.0.0'],
    ['1.0.0.20240101', '>', '1.0.0'],
    ['1.0-alpha', '<', '1.0-beta'],
    ['1.0-a', '>', '1.0'],
    ['1.0-a1', '=', '1.0-alpha-1'],
    ['1.0-cr1', '=', '1.0-RC1'],
    ['1..0.1', '=', '1.0.1'],
    ['1.007', '=', '1.7'],
    ['99999999999999999999', '>', '99999999999999999998'],
    ['1.0.1', '>', '1.0-1'],
    ['', '=', '0'],
  ];
  const signs = { '<': -1, '=': 0, '>': 1 };
  for (const [a, sign, b] of pairs)
    it(`"${a}" ${sign} "${b}"`, () => {
      assert.equal(Math.sign(compareVersions(a, b)), signs[sign]);
      assert.equal(Math.sign(compareVersions(b, a)) + signs[sign], 0);
      assert.equal(compareVersions(a, a), 0);
    });

  const ranges: [string, string, boolean][] = [
    ['0.1', '', true],
    ['1.0', '1.0', true],
    ['3.0', '1.0', true],
    ['0.9', '1.0', false],
    ['1.0', '[1.0,2.0)', true],
    ['2.0', '[1.0,2.0)', false],
    ['2.0-SNAPSHOT', '[1.0,2.0)', true],
    ['1.0', '(1.0,2.0]', false],
    ['2.0.0', '(1.0,2.0]', true],
    ['1.0.0', '1.0.0-SNAPSHOT', true],
    ['1.0', '[1.0.0,1.0.0]', true],
    ['9', '[1.0,)', true],
    ['1.9', '[,2.0)', true],
    ['2.0', '(,2.0)', false],
    ['5', '(,)', true],
    ['1.5', '[ 1.0 , 2.0 ]', true],
  ];
  for (const [version, range, expected] of ranges)
    it(`${version} is ${expected ? '' : 'not '}in "${range}"`, () =>
      assert.equal(isIn(version, range), expected));
});

describe('dependencies of content packages', () => {
  it('reads every form', () => {
    assert.deepEqual(
      parseDependencies(
        'a:b:[1.0,2.0),c:d:1.0,e:f,g/h:2.0,i/j/k,/etc/packages/l:m:(,3],n:o:p:q,:r,/s:4,t:u:,:v/w',
      ).map(({ group, name, range }) => [group, name, range]),
      [
        ['a', 'b', '[1.0,2.0)'],
        ['c', 'd', '1.0'],
        ['e', 'f', ''],
        ['g', 'h', '2.0'],
        ['i/j', 'k', ''],
        ['l', 'm', '(,3]'],
        ['n', 'o', 'p'],
        ['', 'r', ''],
        ['', 's', '4'],
        ['t', 'u', ''],
        ['v', 'w', ''],
      ],
    );
  });

  it('reads nothing from nothing', () => {
    assert.deepEqual(parseDependencies(''), []);
    assert.deepEqual(parseDependencies(',,'), []);
  });

  it('does not trim, as AEM does not', () =>
    assert.deepEqual(parseDependencies('a:b, c:d')[1], { group: ' c', name: 'd', range: '' }));
});
