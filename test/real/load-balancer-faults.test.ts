import assert from 'node:assert/strict';
import { join } from 'node:path';
import { sendVisitors } from '../../src/local/demo/visitors.ts';
import { faultPlatform } from '../support/fault-platform.ts';
import { ReloadingHaproxy } from '../support/reloading-haproxy.ts';

describe('a rolling deployment while HAProxy is reloaded or dies', function () {
  this.timeout(120_000);
  const fairway = faultPlatform();
  let balancer: ReloadingHaproxy;

  before(async () => {
    balancer = new ReloadingHaproxy(
      fairway.environment.loadBalancer,
      join(fairway.folder, 'prod', 'haproxy'),
    );
    await balancer.takeOver();
  });
  after(() => balancer.stop());
  afterEach(() => fairway.endDeployment());

  /** Does something to HAProxy while dispatcher1 is out; the deployment must succeed. */
  const whileOut = async (fault: () => Promise<void>) => {
    const visitors = sendVisitors(fairway.environment.loadBalancer.url, 100);
    const { installs } = fairway.environment.publish[0]!.faults;
    installs.hold();
    const deployment = await fairway.deploy();
    await installs.waiting(1);
    await fault();
    const service = await fairway.service();
    installs.release();
    const { progress, failure } = await deployment.end();
    const load = await visitors.stop();
    assert.equal(failure, undefined);
    assert.deepEqual(
      progress.legs.map(({ state }) => state),
      ['NEW', 'NEW'],
    );
    await fairway.deployedEverywhere(deployment);
    return { service, load };
  };

  it('reloaded with its states kept: dispatcher1 stays out, nobody fails', async () => {
    const { service, load } = await whileOut(() => balancer.reload('kept'));
    assert.deepEqual(service, ['dispatcher1 maintenance', 'dispatcher2 up']);
    assert.deepEqual([load.failed, load.failures], [0, []]);
  });

  it('reloaded with its states lost: visitors come to dispatcher1 too early, it ends in good order', async () => {
    const { service, load } = await whileOut(() => balancer.reload('lost'));
    assert.notEqual(service[0], 'dispatcher1 maintenance');
    assert.deepEqual([load.failed, load.failures], [0, []]);
  });

  it('killed and started again: only visitors who came meanwhile fail', async () => {
    let [from, to] = [0, 0];
    const { load } = await whileOut(async () => {
      from = Date.now();
      await balancer.kill();
      await balancer.start();
      to = Date.now();
    });
    const others = load.failures.filter(({ at }) => Date.parse(at) < from - 1000 || Date.parse(at) > to);
    assert.ok(load.failed > 0, 'without a load balancer nobody can be served');
    assert.deepEqual(others, []);
  });

  it('killed with its states kept, the deployment terminated: a repair returns dispatcher1', async () => {
    const { installs } = fairway.environment.publish[0]!.faults;
    installs.hold();
    const deployment = await fairway.deploy();
    await installs.waiting(1);
    await balancer.keepStates();
    await balancer.kill();
    await balancer.start();
    assert.deepEqual(await fairway.service(), ['dispatcher1 maintenance', 'dispatcher2 up']);
    await deployment.handle.terminate();
    installs.release();
    const { reconciled, remaining = [] } = await fairway.repair();
    assert.deepEqual(remaining, []);
    assert.ok(reconciled.includes('dispatcher1: returned to service'), reconciled.join('\n'));
    const [tree] = await fairway.trees();
    assert.ok([deployment.release.tree, deployment.before[0]].includes(tree));
    await fairway.bothInService();
  });
});
