import assert from 'node:assert/strict';
import { percentile } from '../../bench/figure.ts';
import { rowsOf } from '../../bench/report.ts';
import { criticalPath } from '../../bench/trace.ts';

describe('the figures of the benchmark', () => {
  it('find the critical path through activities that ran beside each other', () => {
    const path = criticalPath([
      { name: 'first', start: 0, end: 10 },
      { name: 'short', start: 12, end: 20 },
      { name: 'long', start: 12, end: 30 },
      { name: 'after short', start: 22, end: 28 },
      { name: 'last', start: 35, end: 40 },
    ]);
    assert.deepEqual(
      path.map(({ name }) => name),
      ['first', 'long', 'last'],
    );
  });

  it('are medians over their runs, held against their goals', () => {
    const run = (value: number) => [
      { what: 'time', value, unit: 'ms', goal: { atMost: 10 } },
      { what: 'speed', value: 1 / value, unit: '', goal: { atLeast: 0.5 } },
      { what: "the peer's", value: 3, unit: 'ms' },
    ];
    const rows = rowsOf('steps', [run(9), run(30), run(8)]);
    assert.deepEqual(
      rows.map(({ measured, spread, goal, met }) => [measured, spread, goal, met]),
      [
        [9, [8, 30], '<= 10', true],
        [1 / 9, [1 / 30, 1 / 8], '>= 0.5', false],
        [3, [3, 3], undefined, undefined],
      ],
    );
    assert.equal(percentile([5, 1, 4, 2, 3], 0.95), 5);
  });
});
