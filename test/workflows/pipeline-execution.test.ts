import assert from 'node:assert/strict';
import { ann, workflowHarness } from './harness.ts';

describe('a production pipeline', () => {
  const fairway = workflowHarness('time skipping');

  it('runs all its steps in order and deploys to production leg by leg', async () => {
    const started = await fairway.begin();
    const { client } = fairway;
    await fairway.waitsAt('approval');
    await client.send('approve', fairway.address(started), { by: ann, approved: true });
    await fairway.waitsAt('schedule');
    await client.send('schedule', fairway.address(started), { by: ann, at: 'NOW', timeZone: 'UTC' });
    await fairway.waitsAt('managed');
    await client.send('cseSupport', fairway.address(started), { by: ann, start: true });
    const state = await fairway.end(started);

    assert.equal(state.status, 'FINISHED', state.failure?.message);
    assert.deepEqual(
      state.steps.map(({ id, status }) => `${id} ${status}`),
      [
        'validate',
        'build',
        'codeQuality',
        'stageDeploy',
        'securityTest',
        'loadTest',
        'reportPerformanceTest',
        'approval',
        'schedule',
        'managed',
        'prodDeploy',
      ].map((id) => `${id} FINISHED`),
    );
    assert.deepEqual(fairway.world.done('detach', 'attach'), [
      'detachDispatcher dispatcher1',
      'attachDispatcher dispatcher1',
      'detachDispatcher dispatcher1',
      'attachDispatcher dispatcher1',
      'detachDispatcher dispatcher2',
      'attachDispatcher dispatcher2',
    ]);
  });
});
