import assert from 'node:assert/strict';
import { evaluate, type Metric } from '../../src/model/gates.ts';
import { unmeasured } from '../../src/model/measured-nodes.ts';
import { crawlSeeds, pageSets } from '../../src/model/page-sets.ts';
import {
  assetsMetrics,
  errorRate,
  measureNodes,
  measurePerformance,
  PAGE_TIME_OUT_MS,
  performanceMetrics,
  reportOf,
  type LoadMeasurement,
  type NodeUsage,
} from '../../src/model/performance.ts';
import { programSchema, type Environment } from '../../src/model/schema/definition.ts';
import { definition } from '../support/definition.ts';

const goals = { viewsPerMinute: 200, responseTimeMs: 2000 };
const idle: NodeUsage = { cpu: 1, ioWait: 0, disk: 0, network: 0 };
const failedKpis = (metrics: readonly Metric[]) => metrics.filter((m) => !m.passed).map((m) => m.kpi);

const load = (change: Partial<LoadMeasurement> = {}): LoadMeasurement => ({
  total: 6000,
  failed: 0,
  unanswered: 0,
  p95Ms: 100,
  maxMs: 300,
  minutes: 30,
  ...change,
});
const verdict = (loads: readonly LoadMeasurement[], nodes: readonly NodeUsage[]) =>
  evaluate(performanceMetrics(goals), { ...measurePerformance(loads), ...measureNodes(nodes) });
const failing = (loads: readonly LoadMeasurement[], nodes: readonly NodeUsage[] = [idle]) =>
  failedKpis(verdict(loads, nodes));

describe('the gate of Performance Testing', () => {
  it("has Cloud Manager's metrics, severities and thresholds", () => {
    assert.deepEqual(
      performanceMetrics(goals).map((row) => Object.values(row).join(' ')),
      [
        'error_rate critical 2 LT',
        'response_time important 2000 LT',
        'peak_resp_time important 18000 LT',
        'views_per_minute important 200 GTE',
        'requests_per_minute informational 6000 LT',
        'cpu_utilization_rate critical 80 LT',
        'disk_io_wait_time critical 50 LT',
        'disk_bandwidth_util important 90 LT',
        'network_bandwidth_util important 90 LT',
      ],
    );
  });

  // What is measured just below, at and just above each threshold; of views the other way round.
  const views = (total: number) => [load({ total, minutes: 1 })];
  const cases: [
    string,
    (value: number) => [readonly LoadMeasurement[], NodeUsage?],
    [number, number, number],
  ][] = [
    ['error_rate', (failed) => [[load({ total: 100_000, minutes: 500, failed })]], [1999, 2000, 2001]],
    ['response_time', (p95Ms) => [[load({ p95Ms })]], [1999, 2000, 2001]],
    ['peak_resp_time', (maxMs) => [[load({ maxMs })]], [17_999, 18_000, 18_001]],
    ['requests_per_minute', (total) => [views(total)], [5999, 6000, 6001]],
    ['cpu_utilization_rate', (cpu) => [[load()], { ...idle, cpu }], [79.999, 80, 80.001]],
    ['disk_io_wait_time', (ioWait) => [[load()], { ...idle, ioWait }], [49.999, 50, 50.001]],
    ['disk_bandwidth_util', (disk) => [[load()], { ...idle, disk }], [89.999, 90, 90.001]],
    ['network_bandwidth_util', (network) => [[load()], { ...idle, network }], [89.999, 90, 90.001]],
  ];
  for (const [kpi, world, [below, at, above]] of cases)
    it(`${kpi} passes below its threshold and fails at it and above`, () => {
      const found = [below, at, above].map((value) => {
        const [loads, node = idle] = world(value);
        return failing(loads, [idle, node]);
      });
      assert.deepEqual(found, [[], [kpi], [kpi]]);
    });

  it('views_per_minute passes at its KPI and above, and fails below', () => {
    assert.deepEqual(
      [199, 200, 201].map((total) => failing(views(total))),
      [['views_per_minute'], [], []],
    );
  });

  it('a page that takes longer than 20 seconds is an error, and a peak that fails', () => {
    const one = { failed: 200, unanswered: 200, maxMs: PAGE_TIME_OUT_MS };
    assert.deepEqual(failing([load(one)]), ['error_rate', 'peak_resp_time', 'views_per_minute']);
  });

  it('knows nothing when nothing was measured, at one address or at all', () => {
    const nothing = load({ total: 0, p95Ms: undefined, maxMs: undefined, minutes: 0 });
    for (const loads of [[], [nothing]]) {
      const metrics = verdict(loads, []);
      assert.equal(failedKpis(metrics).length, 9);
      assert.ok(metrics.every(({ actualValue }) => actualValue === 'unknown'));
    }
    const half = load({ total: 3000, failed: 3000, unanswered: 3000, p95Ms: undefined, maxMs: undefined });
    assert.deepEqual(failing([load({ total: 3000 }), half]), [
      'error_rate',
      'response_time',
      'peak_resp_time',
      'views_per_minute',
    ]);
  });

  it('a figure that one node does not give is unknown, which fails, however idle the others are', () => {
    const metrics = verdict([load()], [idle, { ioWait: 0, disk: 0, network: 0 }]);
    assert.deepEqual(failedKpis(metrics), ['cpu_utilization_rate']);
    assert.equal(metrics.find(({ kpi }) => kpi === 'cpu_utilization_rate')?.actualValue, 'unknown');
    assert.deepEqual(failing([load()], [idle, {}]).length, 4);
  });

  it('the busiest node counts', () => {
    const measured = measureNodes([idle, { ...idle, cpu: 85.129 }]);
    assert.equal(measured['cpu_utilization_rate'], 85.12);
  });
});

describe('the report of both performance tests', () => {
  const rows = (cpu: number | undefined) =>
    evaluate(assetsMetrics, { assets_error_rate: 0, ...measureNodes([{ ...idle, cpu }]) });

  it('has each KPI once: the row that fails, else the higher value', () => {
    const sites = verdict([load()], [{ ...idle, cpu: 50 }]);
    const cpuOf = (metrics: readonly Metric[]) =>
      metrics.find(({ kpi }) => kpi === 'cpu_utilization_rate')?.actualValue;
    assert.equal(reportOf(sites, rows(60)).length, 10);
    assert.equal(cpuOf(reportOf(sites, rows(60))), '60');
    assert.equal(cpuOf(reportOf(sites, rows(9))), '50');
    assert.equal(cpuOf(reportOf(sites, rows(undefined))), 'unknown');
    assert.equal(cpuOf(reportOf(rows(undefined), sites)), 'unknown');
    assert.deepEqual(failedKpis(reportOf(sites, rows(80))), ['cpu_utilization_rate']);
  });

  it('fails for uploads that AEM does not take', () => {
    const rate = (failed: number) => errorRate([{ total: 100, failed }]);
    const failedWith = (failed: number) =>
      failedKpis(evaluate(assetsMetrics.slice(0, 1), { assets_error_rate: rate(failed) }));
    assert.deepEqual(
      [failedWith(1), failedWith(2), failedWith(3)],
      [[], ['assets_error_rate'], ['assets_error_rate']],
    );
    assert.equal(errorRate([{ total: 0, failed: 0 }]), undefined);
  });
});

describe('page sets', () => {
  const lists = { popular: ['/a', '/b'], other: ['/c'], new: ['/b', '/n'] };

  it('hold each page once; what the crawl finds besides are other live pages', () => {
    assert.deepEqual(pageSets(lists, ['/n', '/d', '/d', '/a']), [
      { name: 'popular', pages: ['/a', '/b'] },
      { name: 'new', pages: ['/n'] },
      { name: 'other', pages: ['/c', '/d'] },
    ]);
  });

  it('without pages get no share', () => {
    assert.deepEqual(pageSets({ popular: [], other: [], new: ['/n'] }, ['/n']), [
      { name: 'new', pages: ['/n'] },
    ]);
  });

  it('come from a crawl where none is listed, or where one is asked for', () => {
    const seeds = (pages: object, crawl?: { seeds: string[] }) =>
      crawlSeeds(
        {
          ...{ ...goals, durationSeconds: 1, assets: { uploadsPerMinute: 0, imagesPercent: 0 } },
          pages: { popular: [], other: [], new: [], ...pages },
          ...(crawl ? { crawl: { maxPages: 1, maxDepth: 1, ...crawl } } : {}),
        },
        '/probe',
      );
    assert.deepEqual(seeds({}), ['/probe']);
    assert.deepEqual(seeds({ popular: ['/a'] }), undefined);
    assert.deepEqual(seeds({ popular: ['/a'] }, { seeds: [] }), ['/probe']);
    assert.deepEqual(seeds({}, { seeds: ['/s'] }), ['/s']);
  });
});

describe('an environment with nodes that nobody measures', () => {
  const { environments } = programSchema.parse(definition());
  const [stage, production] = environments as [Environment, Environment];
  const metrics = { exporter: 'http://127.0.0.1:1/metrics' };
  const measured = (nodes: readonly object[]) => nodes.map((node) => ({ ...node, metrics }));
  const half = { ...stage, author: measured(stage.author), publish: measured(stage.publish) } as Environment;

  it('is refused where critical KPIs would be unknown, with the nodes and both remedies', () => {
    const [problem, ...more] = unmeasured(half, {});
    assert.equal(more.length, 0);
    assert.equal(problem?.thing, 'environment 11 (Stage) dispatcher1');
    assert.match(problem.problem, /cpu_utilization_rate and disk_io_wait_time would be unknown/);
    assert.match(
      problem.remedy,
      /"metrics", or set qualityGates\.cpu_utilization_rate\.severity and .* to informational/,
    );
    assert.match(unmeasured(stage, {})[0]?.thing ?? '', /author, publish1, dispatcher1$/);
  });

  it('is taken where these KPIs do not decide, where no such test runs, and for production', () => {
    const informational = { severity: 'informational' } as const;
    const cpu = { cpu_utilization_rate: informational };
    assert.equal(unmeasured(stage, cpu).length, 1);
    assert.deepEqual(unmeasured(stage, { ...cpu, disk_io_wait_time: informational }), []);
    assert.deepEqual(unmeasured(stage, undefined), []);
    assert.deepEqual(unmeasured(production, {}), []);
    assert.deepEqual(unmeasured({ ...half, dispatchers: [] }, {}), []);
  });
});
