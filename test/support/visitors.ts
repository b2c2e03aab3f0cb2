import assert from 'node:assert/strict';
import { sendVisitors, type Visitors } from '../../src/local/demo/visitors.ts';
import type { FaultPlatform } from './fault-platform.ts';
import type { RunningDeployment } from './running-deployment.ts';

/** Visitors come to production during every test of the enclosing `describe`; its deployment ends with it. */
export function visited(fairway: FaultPlatform) {
  let visitors: Visitors;
  beforeEach(() => {
    visitors = sendVisitors(fairway.definition.loadBalancer!.url, 50);
  });
  afterEach(async () => {
    await visitors.stop();
    await fairway.endDeployment();
  });
  return {
    nobodyFailed: async (): Promise<void> => {
      const { total, failed, failures } = await visitors.stop();
      assert.ok(total > 0);
      assert.deepEqual([failed, failures], [0, []]);
    },
    /** The deployment succeeds, and is on every node. */
    succeeds: async (deployment: RunningDeployment): Promise<void> => {
      const { progress, failure } = await deployment.end();
      assert.equal(failure, undefined);
      assert.deepEqual(
        progress.legs.map(({ state }) => state),
        ['NEW', 'NEW'],
      );
      await fairway.deployedEverywhere(deployment);
    },
  };
}
