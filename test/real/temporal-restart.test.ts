import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { sendVisitors } from '../../src/local/demo/visitors.ts';
import { prepare } from '../../src/local/setup/prepare.ts';
import { startTemporal, type TemporalServer } from '../../src/local/temporal-server.ts';
import type { ExecutionState } from '../../src/model/execution.ts';
import type { Started } from '../../src/model/program.ts';
import { localPlatform, tester } from '../end-to-end/harness.ts';
import { until } from '../support/until.ts';

describe('a whole production pipeline while Temporal is killed and started again', function () {
  this.timeout(300_000);
  const fairway = localPlatform();
  let server: TemporalServer;

  before(() => {
    server = fairway.platform.temporal;
  });
  after(() => server.stop());

  /** It is as after a power cut: what is in its database file is what it knows. */
  const restart = async () => {
    const { temporal } = await prepare(['temporal'], () => undefined);
    process.kill(-server.pid, 'SIGKILL');
    await server.stop();
    server = await startTemporal({
      folder: join(dirname(fairway.platform.workerLog), 'temporal'),
      executable: temporal,
      port: Number(new URL(`http://${server.address}`).port),
      uiPort: Number(new URL(server.uiUrl).port),
    });
  };
  const comesTo = async (
    started: Started,
    what: string,
    is: (state: ExecutionState) => boolean,
  ): Promise<ExecutionState> => {
    let last: ExecutionState | undefined;
    await until(
      what,
      async () => {
        last = await fairway.state(started).catch(() => last); // it may not answer yet
        if (last && is(last)) return true;
        assert.ok(!last?.failure, last?.failure?.message);
        return false;
      },
      120_000,
    );
    return last!;
  };
  const stepIs = (id: string, status: string) => (state: ExecutionState) =>
    state.steps.find((step) => step.id === id)?.status === status;

  it('in the build, while it waits for an approval, and in the middle of a leg: goes on, and visitors notice nothing', async () => {
    const { client, program, pipelineId, production } = fairway.platform;
    await fairway.pipeline({ approval: true });
    const visitors = sendVisitors(production.loadBalancer.url, 50);
    try {
      const started = await fairway.begin('NORMAL');
      await comesTo(started, 'it builds', stepIs('build', 'RUNNING'));
      await restart();

      await comesTo(started, 'it waits for an approval', stepIs('approval', 'WAITING'));
      await restart();
      const address = { programId: program.id, pipelineId, executionId: started.executionId };
      const { installs } = production.publish[0]!.faults;
      installs.hold();
      const approval = { by: tester, approved: true };
      await until('the approval is taken', () =>
        client.send('approve', address, approval).then(
          () => true,
          (error: Error) => error.message.startsWith('already decided'),
        ),
      );

      await installs.waiting(1);
      await restart();
      installs.release();
      const state = await comesTo(started, 'it has ended', ({ status }) => status !== 'RUNNING');
      assert.equal(state.status, 'FINISHED', state.failure?.message);
      assert.deepEqual(
        fairway.production(state).legs.map((leg) => leg.state),
        ['NEW', 'NEW'],
      );
      const [first, second] = await fairway.trees();
      assert.equal(first, second);
      await fairway.bothInService();
      for (const instance of [production.author, ...production.publish]) {
        const installed = instance.actions.filter(
          ({ what, path }) => what === 'install' && path.includes('site.all'),
        );
        assert.equal(installed.length, 1, 'each instance installed the package once');
      }
      const { failed, failures } = await visitors.stop();
      assert.deepEqual([failed, failures], [0, []]);
    } finally {
      await visitors.stop();
    }
  });
});
