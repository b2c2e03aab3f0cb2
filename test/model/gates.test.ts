import assert from 'node:assert/strict';
import {
  evaluate,
  gateOutcome,
  missingOverrides,
  withOverrides,
  withSettings,
  type Comparator,
  type Metric,
  type Severity,
} from '../../src/model/gates.ts';
import { performanceMetrics } from '../../src/model/performance.ts';
import { combine, securityMetrics } from '../../src/model/security.ts';

const metric = (kpi: string, severity: Severity, passed: boolean): Metric => ({
  kpi,
  severity,
  passed,
  expectedValue: '1',
  actualValue: passed ? '1' : '2',
  comparator: 'EQ',
  override: false,
});
const goals = { viewsPerMinute: 200, responseTimeMs: 2000 };

describe('gates', () => {
  it('never lets a missing or meaningless measurement pass', () => {
    for (const value of [undefined, NaN, Infinity, '', 'unknown', 'soon'])
      for (const comparator of ['GT', 'GTE', 'LT', 'LTE', 'EQ'] as const) {
        const [result] = evaluate([{ kpi: 'k', severity: 'important', expectedValue: '5', comparator }], {
          k: value,
        });
        assert.equal(result?.passed, false, `${value} ${comparator}`);
      }
    const [missing] = evaluate(performanceMetrics(goals), {});
    assert.deepEqual([missing?.actualValue, missing?.passed], ['unknown', false]);
  });

  it('compares numbers as numbers and ratings as ratings', () => {
    const passes = (actual: number | string, comparator: Comparator, expectedValue: string) =>
      evaluate([{ kpi: 'k', severity: 'critical', expectedValue, comparator }], { k: actual })[0]?.passed;
    assert.deepEqual(
      [passes(9, 'LT', '10'), passes(10, 'LT', '10'), passes(10, 'LTE', '10'), passes(50, 'GTE', '50')],
      [true, false, true, true],
    );
    assert.deepEqual(
      [passes('A', 'GTE', 'B'), passes('B', 'GTE', 'B'), passes('C', 'GTE', 'B')],
      [true, true, false],
    );
    assert.deepEqual([passes('A', 'EQ', 'A'), passes('B', 'EQ', 'A')], [true, false]);
    assert.deepEqual([passes('C', 'GTE', '3'), passes(3, 'LTE', 'C')], [false, false]);
    assert.deepEqual([passes('passed', 'EQ', 'passed'), passes('failed', 'EQ', 'passed')], [true, false]);
    assert.equal(passes(0.00000001, 'LT', '1'), true);
  });

  it('fails for a critical metric, whatever the pipeline says and whoever accepted it', () => {
    const metrics = [metric('error_rate', 'critical', false), metric('coverage', 'important', true)];
    const accepted = withOverrides(metrics, ['error_rate']);
    assert.equal(accepted[0]?.override, false);
    for (const behaviour of ['PAUSE', 'FAIL', 'CONTINUE'] as const)
      assert.equal(gateOutcome(accepted, behaviour), 'fail');
  });

  it('does as the pipeline says about important metrics, and never minds informational ones', () => {
    const metrics = [metric('coverage', 'important', false), metric('skipped_tests', 'informational', false)];
    assert.equal(gateOutcome(metrics, 'PAUSE'), 'wait');
    assert.equal(gateOutcome(metrics, 'FAIL'), 'fail');
    assert.equal(gateOutcome(metrics, 'CONTINUE'), 'pass');
    assert.equal(gateOutcome(metrics.slice(1), 'FAIL'), 'pass');
    assert.equal(gateOutcome(withOverrides(metrics, ['coverage']), 'FAIL'), 'pass');
    assert.equal(gateOutcome([], 'PAUSE'), 'pass');
  });

  it('wants every failing important KPI named, and tolerates others', () => {
    const metrics = [
      metric('a', 'important', false),
      metric('b', 'important', false),
      metric('c', 'important', true),
      metric('d', 'informational', false),
    ];
    assert.deepEqual(missingOverrides(metrics, ['a', 'd', 'nonsense']), ['b']);
    assert.deepEqual(missingOverrides(metrics, ['b', 'a']), []);
    const half = withOverrides(metrics, ['a', 'c', 'd']);
    assert.deepEqual(
      half.filter((m) => m.override).map((m) => m.kpi),
      ['a'],
    );
    assert.equal(gateOutcome(half, 'PAUSE'), 'wait');
  });
});

describe('settings of a program', () => {
  const rows = [
    { kpi: 'rating', severity: 'critical', expectedValue: 'B', comparator: 'GTE' },
    { kpi: 'rating', severity: 'important', expectedValue: 'A', comparator: 'EQ' },
    { kpi: 'sqale', severity: 'important', expectedValue: 'A', comparator: 'EQ' },
    { kpi: 'issues', severity: 'informational', expectedValue: '1', comparator: 'LT' },
  ] as const;
  const text = (settings: Parameters<typeof withSettings>[1]) =>
    withSettings(rows, settings).map((row) => Object.values(row).slice(0, 4).join(' '));

  it('change what they name and leave the rest as Cloud Manager has it', () => {
    assert.deepEqual(withSettings(rows, {}), rows);
    assert.deepEqual(withSettings(rows, { other: { expected: 1 } }), rows);
    assert.deepEqual(text({ issues: { expected: 10, severity: 'important' } }).slice(3), [
      'issues important 10 LT',
    ]);
    assert.deepEqual(text({ sqale: { severity: 'informational' } })[2], 'sqale informational A EQ');
  });

  it('make one row of a KPI that has two, and an expected rating the worst that passes', () => {
    assert.deepEqual(text({ rating: { expected: 'C' }, sqale: { expected: 'B' } }), [
      'rating critical C GTE',
      'sqale important B GTE',
      'issues informational 1 LT',
    ]);
  });
});

describe('security gate', () => {
  it('fails a check for one failing instance, and leaves it unknown for one that cannot be asked', () => {
    assert.equal(combine(['passed', 'failed', 'unknown']), 'failed');
    assert.equal(combine(['passed', 'unknown']), 'unknown');
    assert.equal(combine([]), 'unknown');
    assert.equal(combine(['passed', 'passed']), 'passed');
  });

  it('lists only what was checked', () => {
    const rows = securityMetrics(['crxde_support', 'default_login_accounts']);
    assert.deepEqual(
      rows.map(({ kpi, severity }) => `${kpi} ${severity}`),
      ['default_login_accounts critical', 'crxde_support important'],
    );
  });
});
