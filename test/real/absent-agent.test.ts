import assert from 'node:assert/strict';
import { faultPlatform } from '../support/fault-platform.ts';
import { visited } from '../support/visitors.ts';

describe('a rolling deployment whose second agent', function () {
  this.timeout(8 * 60_000);
  const fairway = faultPlatform();
  const { nobodyFailed, succeeds } = visited(fairway);

  it('stays away is waited for, fails in clear words, and leaves nothing half done', async () => {
    const [, agent2] = fairway.agents;
    const { author } = fairway.environment;
    author.faults.installs.hold();
    const deployment = await fairway.deploy();
    await author.faults.installs.waiting(1);
    await agent2!.stop();
    author.faults.installs.release();
    const { progress, failure } = await deployment.end();
    assert.match(
      failure ?? '',
      /dispatcher2: no worker took "backUpConfiguration" in time: is its agent .*running.*nothing of its leg was changed/,
    );
    assert.deepEqual(
      progress.legs.map(({ state }) => state),
      ['NEW', 'OLD'],
    );
    assert.deepEqual(await fairway.trees(), [deployment.release.tree, deployment.before[1]]);
    await fairway.bothInService();
    await agent2!.start();
    await succeeds(await fairway.deploy());
    await nobodyFailed();
  });
});
