import assert from 'node:assert/strict';
import type { WorkflowFailedError } from '@temporalio/client';
import { FairwayError } from '../../src/client/fairway-error.ts';
import { definition } from '../support/definition.ts';
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
    await assert.rejects(fairway.client.start('77', '101', 'NORMAL', ann), /there is no program 77/);
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

  it('refuses an unknown pipeline and says which there are', async () => {
    await fairway.client.apply(definition(idle), await revision(), ann);
    await assert.rejects(
      fairway.client.start('1', '999', 'NORMAL', ann),
      refused(/no pipeline 999; it has: 101 \(Production pipeline\)/),
    );
  });

  it('refuses emergency mode until it is activated, and again when it no longer is', async () => {
    await fairway.client.apply(definition(idle), await revision(), ann);
    await assert.rejects(fairway.client.start('1', '101', 'EMERGENCY', ann), refused(/not activated/));
    await fairway.client.setEmergency('1', true, ann);
    await fairway.client.setEmergency('1', false, ann);
    await assert.rejects(fairway.client.start('1', '101', 'EMERGENCY', ann), refused(/not activated/));
  });

  it('in emergency mode leaves out exactly the security and performance tests, and shows the mode everywhere', async () => {
    const started = await fairway.begin({}, { mode: 'EMERGENCY' });
    const state = await fairway.waitsAt('approval');
    assert.deepEqual(
      state.steps.filter(({ notRun }) => notRun).map(({ id, status, details }) => [id, status, details]),
      ['securityTest', 'loadTest', 'reportPerformanceTest'].map((id) => [
        id,
        'NOT_STARTED',
        'not run: emergency mode',
      ]),
    );
    assert.deepEqual(fairway.world.done('securityTest', 'loadTest'), []);
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
      Array.from({ length: 200 }, () => fairway.client.start('1', '101', 'NORMAL', ann)),
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
