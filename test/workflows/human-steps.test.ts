import assert from 'node:assert/strict';
import type { FairwayError } from '../../src/client/fairway-error.ts';
import type { Started } from '../../src/model/program.ts';
import { ann, workflowHarness } from './harness.ts';
import { metric } from './scripted-world.ts';

const results = { key: 'results.json', sha256: '0', size: 2 };
const DAY = 24 * 60 * 60 * 1000;

describe('steps that wait for a person', () => {
  const fairway = workflowHarness('time skipping');
  const send = (name: 'approve' | 'schedule' | 'cseSupport' | 'override', started: Started, body: object) =>
    fairway.client.send(name, fairway.address(started), { by: ann, ...body });

  describe('time out after 7 days', () => {
    const poor = async () => ({ metrics: [metric('coverage', 'important', false)], results });
    const bring = {
      codeQuality: { script: { codeQuality: poor }, answers: [] },
      securityTest: { script: { securityTest: poor }, answers: [] },
      reportPerformanceTest: { script: { loadTest: poor }, answers: [] },
      approval: { script: {}, answers: [] },
      schedule: { script: {}, answers: [['approve', { approved: true }]] },
      managed: {
        script: {},
        answers: [
          ['approve', { approved: true }],
          ['schedule', { at: 'NOW', timeZone: 'UTC' }],
        ],
      },
    } as const;

    for (const [step, { script, answers }] of Object.entries(bring))
      it(`in ${step}, as FAILED, holding nothing`, async () => {
        const started = await fairway.begin(script);
        for (const [name, body] of answers) {
          await fairway.waitsAt({ approve: 'approval', schedule: 'schedule' }[name]);
          await send(name, started, body);
        }
        const { waitingFor } = await fairway.waitsAt(step);
        assert.equal(Date.parse(waitingFor?.until ?? '') - Date.parse(waitingFor?.since ?? ''), 7 * DAY);

        const state = await fairway.end(started);
        assert.equal(state.status, 'FAILED');
        assert.equal(state.failure?.step, step);
        assert.match(state.failure?.message ?? '', /nobody answered .* within 7 days/);
        const lease = fairway.env.client.workflow.getHandle('environment-1-11');
        if (step !== 'codeQuality') assert.notEqual((await lease.describe()).status.name, 'RUNNING');
      });

    it('or after what the program says instead', async () => {
      const started = await fairway.begin({}, { program: { timeouts: { approval: 2 } } });
      const { waitingFor } = await fairway.waitsAt('approval');
      assert.equal(Date.parse(waitingFor?.until ?? '') - Date.parse(waitingFor?.since ?? ''), 2 * DAY);
      assert.equal((await fairway.end(started)).status, 'FAILED');
    });

    it('and a decision that comes afterwards is refused, as one that changes nothing', async () => {
      const started = await fairway.begin({}, { program: { timeouts: { approval: 2 } } });
      await fairway.waitsAt('approval');
      await fairway.end(started);
      await assert.rejects(send('approve', started, { approved: true }), (error: FairwayError) => {
        assert.equal(error.kind, 'refused');
        assert.match(error.message, new RegExp(`execution ${started.executionId}.* has ended`));
        return true;
      });
      assert.equal((await fairway.state(started.executionId)).status, 'FAILED');
    });
  });

  describe('approval', () => {
    it('refused ends the execution and says who refused it and why', async () => {
      const started = await fairway.begin();
      await fairway.waitsAt('approval');
      await send('approve', started, { approved: false, comment: 'not before the holidays' });
      const state = await fairway.end(started);
      assert.equal(state.status, 'FAILED');
      assert.equal(state.failure?.message, 'rejected by ann: not before the holidays');
      assert.deepEqual(fairway.world.done('installPackage').sort(), [
        'installPackage author',
        'installPackage publish1',
      ]);
    });

    it('is asked for only where it is configured, like schedule and CSE support', async () => {
      const started = await fairway.begin(
        {},
        { pipeline: { approval: false, schedule: false, cse: undefined } },
      );
      const state = await fairway.end(started);
      assert.equal(state.status, 'FINISHED');
      const ids = state.steps.map(({ id }) => id);
      assert.deepEqual(ids.slice(-2), ['reportPerformanceTest', 'prodDeploy']);
    });
  });

  describe('a message that does not fit changes nothing', () => {
    let started: Started;
    before(async () => {
      started = await fairway.begin();
      await fairway.waitsAt('approval');
    });
    after(async () => {
      await send('approve', started, { approved: false });
      await fairway.end(started);
    });

    const refused: [string, 'approve' | 'schedule' | 'cseSupport' | 'override', object, RegExp][] = [
      [
        'for another execution',
        'approve',
        { approved: true, executionId: '0000009999' },
        /is for 0000009999/,
      ],
      ['for a step that is not waiting', 'cseSupport', { start: true }, /not waiting for this now.*Approval/],
      ['without a decision', 'approve', {}, /approved must be true or false/],
      ['without a sender', 'approve', { approved: true, by: undefined }, /by must be/],
    ];
    for (const [what, name, body, reason] of refused) {
      it(`${what}: an update says why at once`, async () => {
        const address = { ...fairway.address(started), ...body };
        await assert.rejects(
          fairway.client.send(name, address, { by: ann, ...body }),
          (error: Error & { kind?: string }) => error.kind === 'refused' && reason.test(error.message),
        );
        assert.equal((await fairway.state()).waitingFor?.step, 'approval');
      });

      it(`${what}: a signal is journalled`, async () => {
        const address = { ...fairway.address(started), ...body };
        await fairway.client.send(name, address, { by: ann, ...body }, 'signal');
        const state = await fairway.state();
        assert.match(state.ignoredMessages.at(-1)?.reason ?? '', reason);
        assert.equal(state.waitingFor?.step, 'approval');
      });
    }

    it('that cannot even be read: a signal with no argument is journalled', async () => {
      await fairway.env.client.workflow.getHandle(started.workflowId).signal('approve');
      assert.match((await fairway.state()).ignoredMessages.at(-1)?.reason ?? '', /needs an object/);
    });

    it('that nobody can decode leaves the execution alive', async () => {
      const { connection } = fairway.env;
      await connection.workflowService.signalWorkflowExecution({
        namespace: 'default',
        workflowExecution: { workflowId: started.workflowId },
        signalName: 'approve',
        input: {
          payloads: [
            { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{"approved": tr') },
          ],
        },
        identity: 'test',
      });
      const state = await fairway.state();
      assert.match(state.ignoredMessages.at(-1)?.reason ?? '', /needs an object/);
      assert.equal(state.status, 'RUNNING');
    });
  });

  it('a decision counts once: the second is told who decided', async () => {
    const started = await fairway.begin();
    await fairway.waitsAt('approval');
    await send('approve', started, { approved: true });
    await fairway.waitsAt('schedule');
    await assert.rejects(send('approve', started, { approved: false }), /already decided by ann: approved/);
    await send('schedule', started, { at: 'NOW', timeZone: 'UTC' });
    await fairway.waitsAt('managed');
    await send('cseSupport', started, { start: false, comment: 'no window' });
    const state = await fairway.end(started);
    assert.equal(state.failure?.message, 'refused by ann: no window');
  });

  describe('the schedule', () => {
    let started: Started;
    beforeEach(async () => {
      started = await fairway.begin({}, { pipeline: { cse: undefined } });
      await fairway.waitsAt('approval');
      await send('approve', started, { approved: true });
      await fairway.waitsAt('schedule');
    });

    it('is refused without an offset, in the past, or beyond 90 days', async () => {
      const clock = Number(await fairway.env.currentTimeMs());
      const from = (days: number) => new Date(clock + days * DAY).toISOString();
      const bad: [string, RegExp][] = [
        ['2030-01-01T10:00:00', /no offset/],
        ['tomorrow', /ISO 8601/],
        [from(-1), /in the past/],
        [from(91), /90 days/],
      ];
      for (const [time, reason] of bad)
        await assert.rejects(send('schedule', started, { at: time, timeZone: 'Europe/Berlin' }), reason);
      await send('schedule', started, { at: 'NOW', timeZone: 'Europe/Berlin' });
      assert.equal((await fairway.end(started)).status, 'FINISHED');
    });

    it('is waited for, even longer than the 7 days that bound the decision', async () => {
      const clock = Number(await fairway.env.currentTimeMs());
      const time = new Date(clock + 20 * DAY).toISOString();
      await send('schedule', started, { at: time, timeZone: 'Europe/Berlin' });
      const state = await fairway.end(started);
      assert.equal(state.status, 'FINISHED');
      const deployed = state.steps.find(({ id }) => id === 'prodDeploy');
      assert.ok(
        Date.parse(deployed?.startedAt ?? '') >= Date.parse(time),
        `${deployed?.startedAt} before ${time}`,
      );
    });

    it('may be moved until its instant, also to now', async () => {
      const clock = Number(await fairway.env.currentTimeMs());
      const from = (days: number) => new Date(clock + days * DAY).toISOString();
      await send('schedule', started, { at: from(20), timeZone: 'Europe/Berlin' });
      await send('schedule', started, { at: from(30), timeZone: 'Europe/Berlin' });
      const moved = await fairway.state();
      assert.equal(moved.scheduledFor?.at, from(30));
      await send('schedule', started, { at: 'NOW', timeZone: 'Europe/Berlin' });
      const state = await fairway.end(started);
      assert.equal(state.status, 'FINISHED');
      const deployed = state.steps.find(({ id }) => id === 'prodDeploy');
      assert.ok(Date.parse(deployed?.startedAt ?? '') < Date.parse(from(20)));
    });
  });

  describe('a gate', () => {
    const outcome = (...metrics: ReturnType<typeof metric>[]) => ({
      codeQuality: async () => ({ metrics, results }),
    });

    it('fails at once by a critical metric', async () => {
      const started = await fairway.begin(outcome(metric('security_rating', 'critical', false)));
      const state = await fairway.end(started);
      assert.equal(state.status, 'FAILED');
      assert.match(state.failure?.message ?? '', /security_rating 40 \(expected >= 50\)/);
    });

    it('passes over an informational one', async () => {
      const started = await fairway.begin(outcome(metric('skipped_tests', 'informational', false)));
      await fairway.waitsAt('approval');
      await send('approve', started, { approved: false });
      assert.match((await fairway.end(started)).steps[2]?.details ?? '', /noted: skipped_tests/);
    });

    it('waits for an override that names every failing important metric', async () => {
      const started = await fairway.begin(
        outcome(metric('coverage', 'important', false), metric('reliability_rating', 'important', false)),
      );
      await fairway.waitsAt('codeQuality');
      const accept = (...kpis: string[]) => ({
        step: 'codeQuality',
        metrics: kpis.map((kpi) => ({ kpi, override: true })),
      });
      await assert.rejects(send('override', started, accept('coverage')), /missing: reliability_rating/);
      await assert.rejects(
        send('override', started, { ...accept('coverage'), step: 'securityTest' }),
        /codeQuality is waiting/,
      );
      await send('override', started, accept('coverage', 'reliability_rating'));
      const state = await fairway.waitsAt('approval');
      const scan = state.steps.find(({ id }) => id === 'codeQuality');
      assert.equal(scan?.status, 'FINISHED');
      assert.ok(scan?.metrics?.every(({ override }) => override));
      await send('approve', started, { approved: false });
      await fairway.end(started);
    });

    it('tolerates unknown KPIs in an override, and refuses one that comes late or twice', async () => {
      const started = await fairway.begin(
        outcome(metric('coverage', 'important', false), metric('open_issues', 'informational', false)),
      );
      const accept = (...kpis: string[]) =>
        send('override', started, {
          step: 'codeQuality',
          metrics: kpis.map((kpi) => ({ kpi, override: true })),
        });
      await fairway.waitsAt('codeQuality');
      await assert.rejects(accept('coverag', 'open_issues'), /missing: coverage/);
      const both = await Promise.allSettled([
        accept('coverage', 'coverag', 'open_issues'),
        accept('coverage'),
      ]);
      assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
      const state = await fairway.waitsAt('approval');
      await assert.rejects(accept('coverage'), /already decided by ann/);
      // Accepting is for failing important metrics only: the others stay as they are.
      const scan = state.steps.find(({ id }) => id === 'codeQuality');
      assert.deepEqual(
        scan?.metrics?.map(({ kpi, override }) => `${kpi} ${override}`),
        ['coverage true', 'open_issues false'],
      );
      assert.equal(state.decisions.filter(({ step }) => step === 'codeQuality').length, 1);
      await send('approve', started, { approved: false });
      await fairway.end(started);
    });

    it('rejected by a person fails', async () => {
      const started = await fairway.begin(outcome(metric('coverage', 'important', false)));
      await fairway.waitsAt('codeQuality');
      await send('override', started, {
        step: 'codeQuality',
        metrics: [{ kpi: 'coverage', override: false }],
      });
      assert.match((await fairway.end(started)).failure?.message ?? '', /results rejected by ann/);
    });

    it('does what the pipeline says about important metrics instead of waiting', async () => {
      const poor = outcome(metric('coverage', 'important', false));
      const failing = await fairway.begin(poor, { pipeline: { importantMetricsFailureBehavior: 'FAIL' } });
      assert.equal((await fairway.end(failing)).failure?.step, 'codeQuality');
      const going = await fairway.begin(poor, { pipeline: { importantMetricsFailureBehavior: 'CONTINUE' } });
      await fairway.waitsAt('approval');
      await send('approve', going, { approved: false });
      await fairway.end(going);
    });
  });
});
