import assert from 'node:assert/strict';
import { UPDATE_MS } from '../../src/client/calls.ts';
import { NO_WORKER_MS } from '../../src/client/patiently.ts';
import { endAll, fairway, type Ended } from '../command/fairway.ts';
import { until } from '../support/until.ts';
import { workflowHarness } from '../workflows/harness.ts';

describe('a command while no worker works', function () {
  this.timeout(240_000);
  const harness = workflowHarness('real time');
  after(endAll);

  const run = (...args: string[]) => fairway(args, { env: { TEMPORAL_ADDRESS: harness.env.address } });
  const ends = (ended: Ended, code: number, words: RegExp) => {
    assert.equal(ended.code, code, `${ended.stdout}${ended.stderr}`);
    assert.match(code === 0 ? ended.stdout : ended.stderr, words);
  };
  /** Workers come when its first attempt has long been given up. */
  const runsBeforeWorkersCome = async (...args: string[]) => {
    await harness.stopWorkers();
    const begun = Date.now();
    const ended = run(...args);
    await until('one attempt is over', () => Date.now() > begun + UPDATE_MS + 2_000, 2 * UPDATE_MS);
    await harness.startWorkers();
    return ended;
  };

  it('is done once when one comes; when none does it says so in time', async () => {
    harness.world.begin();
    await harness.apply();
    ends(await runsBeforeWorkersCome('start', '101'), 0, /execution \d{10}: started/);
    const { executionId } = await harness.waitsAt('approval');
    assert.equal((await harness.client.program('1'))?.lastExecution, Number(executionId));

    ends(await runsBeforeWorkersCome('approve', executionId), 0, /approved/);
    const { decisions } = await harness.waitsAt('schedule');
    assert.deepEqual(
      decisions.map(({ what }) => what),
      ['approved'],
    );

    await harness.stopWorkers();
    const begun = Date.now();
    ends(
      await run('cancel', executionId, '--reason', 'nobody is there'),
      5,
      /outcome unknown: no worker has answered .* for 30 seconds: is one running\?[^]*fairway show[^]*--signal/,
    );
    const seconds = (Date.now() - begun) / 1000;
    assert.ok(seconds >= NO_WORKER_MS / 1000, `after ${seconds} s`);
    await harness.startWorkers();
    // What was asked for may still be done, as it said, or not.
    await harness.client
      .send(
        'cancel',
        { programId: '1', pipelineId: '101', executionId },
        {
          by: { subject: 'ann', via: 'test', verified: false },
        },
      )
      .catch(() => undefined);
    await until(
      'it is cancelled',
      async () => (await harness.state(executionId)).status === 'CANCELLED',
      60_000,
    );
  });
});
