import assert from 'node:assert/strict';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { faultPlatform } from '../support/fault-platform.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { until } from '../support/until.ts';
import { visited } from '../support/visitors.ts';

describe('a rolling deployment while hosts fail', function () {
  this.timeout(120_000);
  const disk = new SmallDisk();
  const fairway = faultPlatform(disk);
  const { nobodyFailed, succeeds } = visited(fairway);

  it('waits for an agent that is absent at its beginning, and for one that is stopped meanwhile', async () => {
    const [agent1, agent2] = fairway.agents;
    const { author } = fairway.environment;
    await agent2!.stop();
    author.faults.installs.hold();
    const deployment = await fairway.deploy();
    await deployment.waiting('prepareConfiguration');
    await agent2!.start();
    await author.faults.installs.waiting(1);
    await agent1!.stop();
    author.faults.installs.release();
    await deployment.waiting('backUpConfiguration');
    await agent1!.start();
    await succeeds(deployment);
    await nobodyFailed();
  });

  it('waits for a storage that is away, at its beginning and in an installation', async () => {
    const away = `${fairway.storageFolder}-away`;
    const { installs } = fairway.environment.author.faults;
    installs.hold();
    const release = await fairway.release();
    await rename(fairway.storageFolder, away);
    const deployment = await fairway.deploy(release);
    await deployment.busy('preflightEnvironment', 5_000);
    await rename(away, fairway.storageFolder);
    await installs.waiting(1);
    await rename(fairway.storageFolder, away);
    installs.release();
    await deployment.busy('installPackage', 2_000);
    await rename(away, fairway.storageFolder);
    await succeeds(deployment);
    await nobodyFailed();
  });

  it('changes nothing on a host whose disk is full; a repair says so', async () => {
    await disk.fill(200);
    const before = await fairway.trees();
    const full = /dispatcher1: .* MB are free .* make room/;
    const { remaining = [] } = await fairway.repair();
    const { failure } = await (await fairway.deploy()).end();
    await disk.empty();
    assert.match(remaining.join('\n'), full);
    assert.match(failure ?? '', /nothing was changed/);
    assert.match(failure ?? '', full);
    assert.deepEqual(await fairway.trees(), before);
    assert.deepEqual((await fairway.repair()).remaining ?? [], []);
    await fairway.bothInService();
    await nobodyFailed();
  });

  it('puts the old configuration back where the disk is full in the middle of a replacement', async () => {
    const { author } = fairway.environment;
    author.faults.installs.hold();
    const deployment = await fairway.deploy(await fairway.release(4_000_000));
    await author.faults.installs.waiting(1);
    await disk.fill(1_000);
    author.faults.installs.release();
    const { progress, failure } = await deployment.end();
    await disk.empty();
    assert.match(failure ?? '', /dispatcher1: no space is left .*configuration now: old/);
    assert.deepEqual(
      progress.legs.map(({ state }) => state),
      ['MIXED', 'OLD'],
    );
    assert.deepEqual(await fairway.trees(), deployment.before);
    await fairway.bothInService();
    await succeeds(await fairway.deploy());
    await nobodyFailed();
  });

  it('that was terminated with its agent and its publish instance dead is made good by a repair', async () => {
    const [agent1] = fairway.agents;
    const [publish1] = fairway.environment.publish;
    publish1!.faults.installs.hold();
    const deployment = await fairway.deploy(await fairway.release(30_000_000));
    await publish1!.faults.installs.waiting(1);
    const journal = join(fairway.environment.agents[0]!.host.stateFolder, 'journal.json');
    await until('dispatcher1 replaces its configuration', async () =>
      /"replac/.test(await readFile(journal, 'utf8').catch(() => '')),
    );
    await agent1!.kill();
    await deployment.handle.terminate();
    await publish1!.crash();

    const first = await fairway.repair();
    assert.deepEqual(first.reconciled, []);
    const remaining = (first.remaining ?? []).join('\n');
    assert.match(remaining, /publish1: .* does not answer/);
    assert.match(remaining, /dispatcher1: no worker took "checkAgent" in time.*start the Fairway agent/);
    assert.match(remaining, /dispatcher1: stays out of service until it and publish1 are well/);
    assert.deepEqual(await fairway.service(), ['dispatcher1 maintenance', 'dispatcher2 up']);

    await publish1!.resume();
    await agent1!.start();
    const second = await fairway.repair();
    assert.deepEqual(second.remaining ?? [], []);
    assert.ok(second.reconciled.includes('dispatcher1: returned to service'), second.reconciled.join('\n'));
    assert.deepEqual(await fairway.trees(), deployment.before);
    await fairway.bothInService();
    const third = await fairway.repair();
    assert.deepEqual([third.reconciled, third.remaining ?? []], [[], []]);
    await nobodyFailed();
  });
});
