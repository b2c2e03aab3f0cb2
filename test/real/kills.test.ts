import assert from 'node:assert/strict';
import { killRuns } from '../support/kill-runs.ts';

describe('a production pipeline whose worker and agents are killed', function () {
  this.timeout(30 * 60_000);

  it('at the start, in the middle and at the end of every activity: finishes, with every node whole and in service and no visitor failed', async () => {
    const started = Date.now();
    const { planned, missed, kills, runs, problems } = await killRuns({ count: 6, lanes: 6 });
    const seconds = Math.round((Date.now() - started) / 1000);
    console.log(
      `      ${planned - missed.length} of ${planned} points by ${kills} kills in ${runs} runs, ${seconds} s`,
    );
    assert.deepEqual(problems, []);
    assert.deepEqual(missed, []);
  });
});
