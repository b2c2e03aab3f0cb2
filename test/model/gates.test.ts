import assert from 'node:assert/strict';
import { codeQualityMetrics, measureCodeQuality } from '../../src/model/code-quality.ts';
import {
  evaluate,
  gateOutcome,
  missingOverrides,
  withOverrides,
  type Comparator,
  type Metric,
  type Severity,
} from '../../src/model/gates.ts';
import { measurePerformance, performanceMetrics, type LoadMeasurement } from '../../src/model/performance.ts';
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
const failedKpis = (metrics: readonly Metric[]) => metrics.filter((m) => !m.passed).map((m) => m.kpi);

describe('gates', () => {
  it('never lets a missing or meaningless measurement pass', () => {
    for (const value of [undefined, NaN, Infinity, '', 'unknown', 'soon'])
      for (const comparator of ['GT', 'GTE', 'LT', 'LTE', 'EQ'] as const) {
        const [result] = evaluate([{ kpi: 'k', severity: 'important', expectedValue: '5', comparator }], {
          k: value,
        });
        assert.equal(result?.passed, false, `${value} ${comparator}`);
      }
    const [missing] = evaluate(codeQualityMetrics, {});
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

describe('code quality', () => {
  const reports = (covered: number, skipped = 0) => ({
    tests: { run: 5, failed: 0, skipped },
    coverage: { coveredLines: covered, lines: 1500, coveredBranches: 0, branches: 500 },
  });
  const evaluated = (r: Parameters<typeof measureCodeQuality>[0]) =>
    evaluate(codeQualityMetrics, measureCodeQuality(r));

  it('fails coverage below half, also where rounding would lift it, and skipped tests from two on', () => {
    assert.deepEqual(failedKpis(evaluated(reports(1000, 1))), []);
    assert.deepEqual(failedKpis(evaluated(reports(999, 2))), ['coverage', 'skipped_tests']);
    assert.equal(evaluated(reports(999))[0]?.actualValue, '49.9');
  });

  it('does not know the coverage of a build without a report or without code', () => {
    assert.equal(evaluated({ tests: { run: 1, failed: 0, skipped: 0 } })[0]?.actualValue, 'unknown');
    const empty = { coveredLines: 0, lines: 0, coveredBranches: 0, branches: 0 };
    assert.equal(
      evaluated({ tests: { run: 1, failed: 0, skipped: 0 }, coverage: empty })[0]?.actualValue,
      'unknown',
    );
  });
});

describe('performance', () => {
  const goals = { durationSeconds: 60, viewsPerMinute: 200, responseTimeMs: 2000, paths: [] };
  const load = (change: Partial<LoadMeasurement> = {}): LoadMeasurement => ({
    total: 200,
    failed: 0,
    unanswered: 0,
    p95Ms: 100,
    maxMs: 300,
    minutes: 1,
    ...change,
  });
  const failing = (...loads: LoadMeasurement[]) =>
    failedKpis(evaluate(performanceMetrics(goals), measurePerformance(loads)));

  it('holds each measurement against its own limit', () => {
    assert.deepEqual(failing(load()), []);
    assert.deepEqual(failing(load({ failed: 3 })), []);
    assert.deepEqual(failing(load({ failed: 4 })), ['error_rate']);
    assert.deepEqual(failing(load({ p95Ms: 2000 })), ['response_time']);
    assert.deepEqual(failing(load({ maxMs: 18_000 })), ['peak_resp_time']);
    assert.deepEqual(failing(load({ unanswered: 1, failed: 1 })), ['views_per_minute']);
    assert.deepEqual(failing(load({ total: 6000 })), ['requests_per_minute']);
  });

  it('knows nothing when nothing was measured, at one address or at all', () => {
    const nothing = load({ total: 0, p95Ms: undefined, maxMs: undefined, minutes: 0 });
    assert.equal(failing().length, 5);
    assert.equal(failing(nothing).length, 5);
    const half = { total: 100, failed: 100, unanswered: 100, p95Ms: undefined, maxMs: undefined };
    assert.deepEqual(failing(load({ total: 100 }), load(half)), [
      'error_rate',
      'response_time',
      'peak_resp_time',
      'views_per_minute',
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
