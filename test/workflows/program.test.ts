import assert from 'node:assert/strict';
import type { WorkflowFailedError } from '@temporalio/client';
import { FairwayError } from '../../src/client/fairway-error.ts';
import type { Start, Started } from '../../src/model/program.ts';
import { definition } from '../support/definition.ts';
import { gate } from '../support/gate.ts';
import { until } from '../support/until.ts';
import { ann, workflowHarness } from './harness.ts';

const refused = (reason: RegExp) => (error: unknown) =>
  error instanceof FairwayError && error.kind === 'refused' && reason.test(error.message);

describe('a program', () => {
  const fairway = workflowHarness('real time');
  const idle = { approval: true, schedule: false, cse: undefined };
  const revision = async () => (await fairway.client.program('1'))?.revision ?? 0;

  it('that was never applied is unknown', async () => {
    assert.equal(await fairway.client.program('77'), undefined);
    await assert.rejects(
      fairway.client.start({ programId: '77', pipelineId: '101', mode: 'NORMAL', by: ann }),
      /there is no program 77/,
    );
  });

  it('refuses a definition with problems as a whole and names each with its path', async () => {
    const bad = definition({ stageEnvironment: '12', repository: { url: 'x', branch: '' } });
    await assert.rejects(
      fairway.client.apply(bad, 0, ann),
      (error: Error) =>
        /pipelines\.0\.repository\.branch/.test(error.message) || /stageEnvironment/.test(error.message),
    );
    assert.equal(await fairway.client.program('1'), undefined);
  });

  it('takes a definition once: the same again changes nothing, a stale change is refused', async () => {
    const first = await fairway.client.apply(definition(idle), 0, ann);
    assert.equal(first.revision, 1);
    assert.equal((await fairway.client.apply(definition(idle), 0, ann)).revision, 1);
    assert.equal((await fairway.client.apply(definition({ ...idle, name: 'Renamed' }), 1, ann)).revision, 2);
    await assert.rejects(
      fairway.client.apply(definition({ ...idle, name: 'Other' }), 1, ann),
      refused(/it is at revision 2, the change was made from 1/),
    );
  });

  it('answers a start that is sent again after its own run as it did then, and starts nothing', async () => {
    const { workflow } = fairway.env.client;
    const started = { executionId: '0000000005', workflowId: 'pipeline-5-101', runId: 'an earlier one' };
    const state = { ...(await fairway.client.program('1')), definition: definition(idle, { id: '5' }) };
    const program = await workflow.start('program', {
      ...{ workflowId: 'program-5', taskQueue: 'fairway' },
      args: [state, [['sent before', started]]],
    });
    const args: [object] = [{ pipelineId: '101', mode: 'NORMAL', by: ann }];
    assert.deepEqual(await program.executeUpdate('start', { args, updateId: 'sent before' }), started);
    assert.equal(await fairway.client.running('5', '101'), undefined);
  });

  it('refuses an unknown pipeline and says which there are', async () => {
    await fairway.client.apply(definition(idle), await revision(), ann);
    await assert.rejects(
      fairway.client.start({ programId: '1', pipelineId: '999', mode: 'NORMAL', by: ann }),
      refused(/no pipeline 999; it has: 101 \(Production pipeline\)/),
    );
  });

  it('refuses emergency mode until it is activated, and again when it no longer is', async () => {
    await fairway.client.apply(definition(idle), await revision(), ann);
    await assert.rejects(
      fairway.client.start({ programId: '1', pipelineId: '101', mode: 'EMERGENCY', by: ann }),
      refused(/not activated/),
    );
    await fairway.client.setEmergency('1', true, ann);
    await fairway.client.setEmergency('1', false, ann);
    await assert.rejects(
      fairway.client.start({ programId: '1', pipelineId: '101', mode: 'EMERGENCY', by: ann }),
      refused(/not activated/),
    );
  });

  it('in emergency mode leaves out exactly the security and performance tests, and shows the mode everywhere', async () => {
    const started = await fairway.begin({}, { mode: 'EMERGENCY' });
    const state = await fairway.waitsAt('approval');
    assert.deepEqual(
      state.steps.filter(({ notRun }) => notRun).map(({ id, status, details }) => [id, status, details]),
      ['securityTest', 'loadTest', 'assetsTest', 'reportPerformanceTest'].map((id) => [
        id,
        'NOT_STARTED',
        'not run: emergency mode',
      ]),
    );
    assert.deepEqual(fairway.world.done('securityTest', 'loadTest', 'assetsTest'), []);
    const described = await fairway.client.temporal.workflow.getHandle(started.workflowId).describe();
    assert.match((await described.staticSummary()) ?? '', /^EMERGENCY/);
    assert.equal(described.memo?.['mode'], 'EMERGENCY');
    const mode = described.typedSearchAttributes.getAll().find(({ key }) => key.name === 'FairwayMode');
    assert.equal(mode?.value, 'EMERGENCY');
    await fairway.client.send('cancel', fairway.address(started), { by: ann });
    const ended = await fairway.end(started);
    assert.equal(ended.status, 'CANCELLED');
    assert.equal(ended.mode, 'EMERGENCY');
  });

  it('starts one execution of a pipeline, however many ask at once', async function () {
    this.timeout(90_000);
    fairway.world.begin();
    await fairway.client.apply(definition(idle), await revision(), ann);
    const starts = await Promise.allSettled(
      Array.from({ length: 200 }, () =>
        fairway.client.start({ programId: '1', pipelineId: '101', mode: 'NORMAL', by: ann }),
      ),
    );
    const won = starts.filter((start) => start.status === 'fulfilled');
    const reasons = starts.flatMap((start) =>
      start.status === 'rejected' ? [start.reason as FairwayError] : [],
    );
    assert.equal(won.length, 1, reasons[0]?.message);
    assert.deepEqual([...new Set(reasons.map(({ kind }) => kind))], ['refused']);
    assert.match(reasons[0]?.message ?? '', /has a running execution/);
    const [{ value: started }] = won as [PromiseFulfilledResult<Awaited<ReturnType<typeof fairway.begin>>>];
    await fairway.client.send('cancel', fairway.address(started), { by: ann });
    await fairway.end(started);
  });

  it('starts the next one as soon as anybody knows that one has ended, with the next id', async () => {
    fairway.world.begin();
    await fairway.client.apply(definition(idle), await revision(), ann);
    const ids: number[] = [];
    for (let n = 0; n < 5; n += 1) {
      const start = { programId: '1', pipelineId: '101', mode: 'NORMAL', by: ann } as const;
      const started = await fairway.client.start(start);
      ids.push(Number(started.executionId));
      await assert.rejects(
        fairway.client.start(start),
        refused(new RegExp(`has a running.*${started.executionId}`)),
      );
      const { workflow } = fairway.client.temporal;
      await workflow.getHandle(started.workflowId).terminate();
    }
    assert.deepEqual(
      ids,
      ids.map((_, n) => ids[0]! + n),
    );
  });

  it('waits with the next one for an execution that has ended and still keeps its record', async () => {
    const kept = gate();
    const recordExecution = async () => {
      await kept.hold();
      return { key: 'execution.json', sha256: '0', size: 2 };
    };
    const first = await fairway.begin({ recordExecution }, { pipeline: idle });
    await fairway.client.send('cancel', fairway.address(first), { by: ann });
    await until('it has ended', async () => (await fairway.state()).status === 'CANCELLED');
    const start = { pipelineId: '101', mode: 'NORMAL', by: ann } as const;
    const program = fairway.client.temporal.workflow.getHandle('program-1');
    const updates = ['one', 'other'].map((updateId) =>
      program.startUpdate<Started, [Start]>('start', { args: [start], updateId, waitForStage: 'ACCEPTED' }),
    );
    const starts = (await Promise.all(updates)).map((update) => update.result());
    kept.open();
    const [second, ...others] = (await Promise.allSettled(starts)).flatMap((end) =>
      end.status === 'fulfilled' ? [end.value] : [],
    );
    assert.ok(second);
    assert.deepEqual(others, [], 'of those that waited only one begins');
    assert.notEqual(second.executionId, first.executionId);
    assert.equal((await fairway.client.program('1'))?.latest?.['101'], second.executionId);
    await fairway.client.send('cancel', fairway.address(second), { by: ann });
    await fairway.end(second);
  });

  it('goes on as before when somebody cancels it, and so do its executions', async () => {
    const first = await fairway.begin({}, { pipeline: idle });
    const { workflow } = fairway.client.temporal;
    await workflow.getHandle('program-1').cancel();
    await assert.rejects(fairway.begin({}, { pipeline: idle }), refused(/has a running execution/));
    await fairway.waitsAt('approval');
    await workflow.getHandle(first.workflowId).terminate();
    const next = await fairway.begin({}, { pipeline: idle });
    await workflow.getHandle(next.workflowId).terminate();
  });

  it('keeps older executions readable beside the latest', async () => {
    const first = await fairway.begin({}, { pipeline: idle });
    await fairway.client.send('cancel', fairway.address(first), { by: ann, reason: 'the first' });
    await fairway.end(first);
    const second = await fairway.begin({}, { pipeline: idle });
    await until('the older one is listed', async () =>
      fairway.state(first.executionId).then(
        (state) => state.decisions.at(-1)?.comment === 'the first',
        () => false,
      ),
    );
    await fairway.client.send('cancel', fairway.address(second), { by: ann });
    await fairway.end(second);
    await assert.rejects(fairway.state('0000099999'), /there is no execution 0000099999/);
  });

  it('is the only door: an execution started beside it refuses to run', async () => {
    const { temporal } = fairway.client;
    const run = temporal.workflow.execute('pipelineExecution', {
      taskQueue: 'fairway',
      workflowId: 'pipeline-1-777',
      args: [{ executionId: '0000000777', program: { id: '1' } }],
    });
    await assert.rejects(run, (error: unknown) =>
      /started by the update "start"/.test((error as WorkflowFailedError).cause?.message ?? ''),
    );
  });
});
