import assert from 'node:assert/strict';
import { evaluate } from '../../src/model/gates.ts';
import { measurePerformance, performanceMetrics } from '../../src/model/performance.ts';
import { generateLoad } from '../../src/systems/load/http-load.ts';
import { httpServer } from '../support/http-server.ts';

describe('a page that takes 25 seconds', () => {
  it('is given up after 20, and fails error rate, 95th percentile, peak and views', async function () {
    this.timeout(60_000);
    const server = await httpServer((_, response) => {
      const late = setTimeout(() => response.end(), 25_000);
      response.on('close', () => clearTimeout(late));
    });
    try {
      const load = await generateLoad({
        ...{ url: server.url, pageSets: [['/slow']], requestsPerSecond: 10, sticky: 0 },
        ...{ userAgent: 'test', durationMs: 1_000 },
      });
      assert.deepEqual([load.total, load.failed, load.unanswered], [10, 10, 10]);
      assert.equal(load.failures[0]?.failure, 'no answer within 20 s');
      const goals = { viewsPerMinute: 600, responseTimeMs: 2_000 };
      const rows = performanceMetrics(goals).slice(0, 5);
      assert.deepEqual(
        evaluate(rows, measurePerformance([load]))
          .filter(({ passed }) => !passed)
          .map(({ kpi }) => kpi),
        ['error_rate', 'response_time', 'peak_resp_time', 'views_per_minute'],
      );
    } finally {
      await server.close();
    }
  });
});
