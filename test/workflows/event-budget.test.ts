import assert from 'node:assert/strict';
import { environment } from '../support/definition.ts';
import { countTree, sumOfEvents, type CountedRun } from '../support/event-count.ts';
import { ann, workflowHarness } from './harness.ts';

const MOST_LEGS = 8;
/** What ends together costs one workflow task, what ends apart several: how it comes is luck. */
const TRIES = 3;

/** Of a whole execution: legs are those of stage and of production together. */
const budget = (legs: number): number => 120 + 60 * legs;

describe('the history events of a whole production execution', () => {
  const fairway = workflowHarness('real time', MOST_LEGS);

  const execute = async (legs: number): Promise<CountedRun[]> => {
    const started = await fairway.begin(
      {},
      {
        // What a pipeline is told to flush costs each leg one activity more.
        pipeline: { dispatcherCacheFlushPaths: [] },
        program: {
          environments: [
            environment('11', 'Stage', 'stage', 1),
            environment('12', 'Production', 'prod', legs),
          ],
        },
      },
    );
    const address = fairway.address(started);
    await fairway.waitsAt('approval');
    await fairway.client.send('approve', address, { by: ann, approved: true });
    await fairway.waitsAt('schedule');
    await fairway.client.send('schedule', address, { by: ann, at: 'NOW', timeZone: 'Europe/Berlin' });
    await fairway.waitsAt('managed');
    await fairway.client.send('cseSupport', address, { by: ann, start: true });
    const state = await fairway.end(started);
    assert.equal(state.status, 'FINISHED', state.failure?.message);
    return countTree(fairway.client.temporal, started.workflowId, started.runId);
  };

  for (const legs of [1, 2, 4, MOST_LEGS])
    it(`with one leg on stage and ${legs} in production is at most ${budget(1 + legs)}`, async () => {
      const counts: CountedRun[][] = [];
      const fewest = () => Math.min(...counts.map(sumOfEvents));
      while (counts.length < TRIES && fewest() > budget(1 + legs)) counts.push(await execute(legs));
      assert.ok(
        fewest() <= budget(1 + legs),
        `${fewest()} events: ${JSON.stringify(counts[0], undefined, 2)}`,
      );
    });
});
