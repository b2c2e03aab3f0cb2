import assert from 'node:assert/strict';
import type { Metric } from '../../src/model/gates.ts';
import { ann, workflowHarness } from './harness.ts';
import { metric } from './scripted-world.ts';

const results = { key: 'results.json', sha256: '0', size: 2 };
const unknown = (kpi: string, severity: Metric['severity']): Metric => ({
  ...metric(kpi, severity, false),
  actualValue: 'unknown',
});

describe('performance testing', () => {
  const fairway = workflowHarness('time skipping');
  const stepOf = (state: Awaited<ReturnType<typeof fairway.end>>, id: string) =>
    state.steps.find((step) => step.id === id);

  for (const test of ['loadTest', 'assetsTest'] as const)
    it(`whose ${test} crashes ends the execution with an error: production is left alone`, async () => {
      const crash = async () => {
        throw new TypeError('the generator crashed');
      };
      const state = await fairway.end(await fairway.begin({ [test]: crash }));
      assert.deepEqual([state.status, state.failure?.step], ['ERROR', test]);
      assert.match(state.failure?.message ?? '', /the generator crashed/);
      assert.equal(stepOf(state, 'prodDeploy')?.status, 'NOT_STARTED');
    });

  it('that has no figure of a node fails the report, and says which node and why', async () => {
    const state = await fairway.end(
      await fairway.begin({
        assetsTest: async () => ({
          ...{ metrics: [unknown('cpu_utilization_rate', 'critical')], results },
          problems: ['publish1: gives no figure for CPU'],
        }),
      }),
    );
    assert.deepEqual([state.status, state.failure?.step], ['FAILED', 'reportPerformanceTest']);
    assert.match(
      state.failure?.message ?? '',
      /cpu_utilization_rate unknown .*; publish1: gives no figure for CPU/,
    );
    assert.deepEqual(
      ['loadTest', 'assetsTest', 'reportPerformanceTest'].map((id) => stepOf(state, id)?.status),
      ['FINISHED', 'FINISHED', 'FAILED'],
    );
  });

  it('asks one person about the failing important metrics of both tests', async () => {
    const started = await fairway.begin({
      loadTest: async () => ({ metrics: [metric('response_time', 'important', false)], results }),
      assetsTest: async () => ({ metrics: [metric('disk_bandwidth_util', 'important', false)], results }),
    });
    const { waitingFor } = await fairway.waitsAt('reportPerformanceTest');
    assert.match(waitingFor?.question ?? '', /response_time .*disk_bandwidth_util/);
    const kpis = ['response_time', 'disk_bandwidth_util'];
    await fairway.client.send('override', fairway.address(started), {
      ...{ by: ann, step: 'reportPerformanceTest' as const },
      metrics: kpis.map((kpi) => ({ kpi, override: true })),
    });
    const state = await fairway.waitsAt('approval');
    assert.deepEqual(
      stepOf(state, 'reportPerformanceTest')?.metrics?.map(({ override }) => override),
      [true, true],
    );
    await fairway.client.send('approve', fairway.address(started), { by: ann, approved: false });
    await fairway.end(started);
  });

  it('of a program without assets uploads none', async () => {
    const state = await fairway.end(
      await fairway.begin(
        {},
        {
          pipeline: { approval: false, schedule: false, cse: undefined },
          program: { performance: { assets: { uploadsPerMinute: 0 } } },
        },
      ),
    );
    assert.equal(state.status, 'FINISHED', state.failure?.message);
    assert.equal(stepOf(state, 'assetsTest')?.details, 'this program uploads no assets');
    assert.deepEqual(fairway.world.done('assetsTest'), []);
  });
});
