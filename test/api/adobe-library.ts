import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import type { CloudManager } from '@adobe/aio-lib-cloudmanager';
import { executionKey } from '../../src/model/execution.ts';
import { currentStepTitle } from '../../src/model/summary.ts';
import { gate } from '../support/gate.ts';
import { until } from '../support/until.ts';
import { metric } from '../workflows/scripted-world.ts';
import type { ApiUnderTest } from './setup.ts';

const poor = {
  metrics: [metric('coverage', 'important', false)],
  results: { key: 'results.json', sha256: '0', size: 2 },
};
const pipeline = '/api/program/1/pipeline/101';

/** What `@adobe/aio-lib-cloudmanager` makes of the API, unchanged. */
export function describeAdobeLibrary(on: ApiUnderTest): void {
  const { fairway, token, ask, ended } = on;
  let deployer: CloudManager;
  let engineer: CloudManager;
  before(() => ({ deployer, engineer } = on));
  const cancelled = async () => {
    await deployer.cancelCurrentExecution('1', '101');
    await ended();
  };

  describe("with Adobe's own library", () => {
    it('an emergency execution is started, decided step by step by those who may, and read', async () => {
      fairway.world.begin({ codeQuality: async () => poor });
      await fairway.apply();
      assert.deepEqual(
        (await deployer.listPrograms()).map(({ id, name }) => [id, name]),
        [['1', 'Example']],
      );
      assert.deepEqual(
        (await deployer.listEnvironments('1')).map(({ id, type }) => [id, type]),
        [
          ['11', 'stage'],
          ['12', 'prod'],
        ],
      );
      await assert.rejects(deployer.getCurrentExecution('1', '101'), /404.*no execution/);
      await fairway.client.setEmergency('1', false, { subject: 'carl', via: 'test', verified: false });
      await assert.rejects(
        deployer.createExecution('1', '101', 'EMERGENCY'),
        /emergency mode is not activated/,
      );
      await fairway.client.setEmergency('1', true, { subject: 'carl', via: 'test', verified: false });

      const { id, pipelineExecutionMode } = await deployer.createExecution('1', '101', 'EMERGENCY');
      assert.equal(pipelineExecutionMode, 'EMERGENCY');
      const [listed] = await deployer.listExecutions('1', '101');
      assert.deepEqual([listed?.id, listed?.pipelineExecutionMode], [id, 'EMERGENCY']);
      assert.equal((await deployer.listPipelines('1', { busy: true })).length, 1);
      await assert.rejects(deployer.createExecution('1', '101'), /Pipeline already running/);

      await fairway.waitsAt('codeQuality');
      const { metrics } = await deployer.getQualityGateResults('1', '101', id, 'codeQuality');
      assert.deepEqual(
        metrics.map(({ kpi, passed }) => [kpi, passed]),
        [['coverage', false]],
      );
      await deployer.advanceCurrentExecution('1', '101');
      await fairway.waitsAt('approval');
      await deployer.advanceCurrentExecution('1', '101');
      await fairway.waitsAt('schedule');
      const step = `${pipeline}/execution/${id}/phase/DEPLOY_2/step/schedule/advance`;
      const refused = await ask({
        method: 'PUT',
        url: step,
        payload: { type: 'SCHEDULED', schedule: '2001-01-01T00:00:00Z' },
      });
      assert.equal(refused.statusCode, 400);
      assert.match(refused.body, /in the past/);
      assert.equal((await ask({ method: 'PUT', url: step, payload: { type: 'IMMEDIATE' } })).statusCode, 202);
      await fairway.waitsAt('managed');
      await assert.rejects(deployer.advanceCurrentExecution('1', '101'), /403.*may not/);
      await engineer.advanceCurrentExecution('1', '101');
      await ended();

      const execution = await deployer.getExecution('1', '101', id);
      assert.deepEqual([execution.status, execution.user], ['FINISHED', 'dora']);
      assert.deepEqual(
        execution._embedded.stepStates.map(({ action }) => action),
        ['validate', 'build', 'codeQuality', 'deploy', 'approval', 'schedule', 'managed', 'deploy'],
      );
      assert.deepEqual(
        (await fairway.state(id)).decisions.map(({ by }) => [by.subject, by.via, by.verified]),
        [
          ['dora', 'api', true],
          ['dora', 'api', true],
          ['dora', 'api', true],
          ['carl', 'api', true],
        ],
      );
    });

    it('every kind of waiting step is cancelled by those who may', async () => {
      const all = { approval: true, schedule: true, cse: 'ANY_CSE' } as const;
      const only = { approval: false, schedule: false, cse: undefined };
      const cases = [
        ['codeQuality', all, 'FAILED', deployer],
        ['approval', all, 'FAILED', deployer],
        ['schedule', { ...only, schedule: true }, 'CANCELLED', deployer],
        ['managed', { ...only, cse: 'ANY_CSE' }, 'FAILED', engineer],
      ] as const;
      for (const [at, pipelineOptions, status, who] of cases) {
        fairway.world.begin(at === 'codeQuality' ? { codeQuality: async () => poor } : {});
        await fairway.apply({}, pipelineOptions);
        const { id } = await deployer.createExecution('1', '101');
        await fairway.waitsAt(at);
        await who.cancelCurrentExecution('1', '101');
        await ended();
        assert.equal((await deployer.getExecution('1', '101', id)).status, status, at);
        await assert.rejects(who.cancelCurrentExecution('1', '101'), /404/, at);
      }
    });

    it('a date is accepted, moved and refused; the execution is cancelled while it waits for it', async () => {
      fairway.world.begin();
      await fairway.apply({}, { approval: false, cse: undefined });
      const { id } = await deployer.createExecution('1', '101');
      await fairway.waitsAt('schedule');
      await assert.rejects(
        deployer.advanceCurrentExecution('1', '101'),
        /schedule/,
        'the library has no way to',
      );
      const step = `${pipeline}/execution/${id}/phase/DEPLOY_2/step/schedule`;
      const advance = (payload: object) => ask({ method: 'PUT', url: `${step}/advance`, payload });
      const shown = async () => (await ask({ url: step })).json<Record<string, unknown>>();
      for (const [wrong, why] of [
        [{}, /"type\\": \\"IMMEDIATE/],
        [{ type: 'LATER' }, /SCHEDULED/],
        [{ type: 'SCHEDULED' }, /ISO 8601/],
        [{ type: 'SCHEDULED', schedule: '2001-01-01T00:00:00Z' }, /in the past/],
        [{ type: 'SCHEDULED', schedule: '2099-01-01T00:00:00' }, /offset/],
        [{ type: 'SCHEDULED', schedule: '2099-01-01T00:00:00Z' }, /days/],
      ] as const) {
        const { statusCode, body } = await advance(wrong);
        assert.deepEqual([statusCode, why.test(body)], [400, true], `${JSON.stringify(wrong)}: ${body}`);
      }
      assert.equal((await shown())['status'], 'WAITING');
      const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
      for (const [at, timeZone] of [
        [inDays(2), 'Europe/Zurich'],
        [inDays(3), 'UTC'],
      ] as const) {
        const accepted = await advance({ type: 'SCHEDULED', schedule: at, timeZone });
        assert.equal(accepted.statusCode, 202, accepted.body);
        assert.deepEqual((await fairway.state(id)).scheduledFor, { at, timeZone });
        assert.match(
          JSON.stringify(await shown()),
          new RegExp(`scheduled for ${at} \\(${timeZone}\\) by dora`),
        );
      }
      assert.match(JSON.stringify(await shown()), /pipeline\/advance.*pipeline\/cancel/, 'both can be done');
      await cancelled();
      const { status, _embedded } = await deployer.getExecution('1', '101', id);
      assert.deepEqual([status, _embedded.stepStates.at(-1)?.status], ['CANCELLED', 'NOT_STARTED']);
    });

    it('the production deployment of the last execution is done again, by the link that it has', async () => {
      fairway.world.begin();
      await fairway.apply({}, { approval: false, schedule: false, cse: undefined });
      const { id: first } = await deployer.createExecution('1', '101');
      await ended();
      const again = async (id: string) => {
        const step = (await deployer.getExecution('1', '101', id))._embedded.stepStates.at(-1);
        const { href } = step?._links['http://ns.adobe.com/adobecloud/rel/pipeline/reExecute'] ?? {};
        assert.ok(href, 'the last step has the link');
        return ask({ method: 'PUT', url: href });
      };
      const { artifacts } = await fairway.state(first);
      fairway.world.begin({
        validate: async () => ({
          ...{ problems: [], warnings: [] },
          reExecuted: { commit: 'c0ffee', artifactsVersion: '2026.1', artifacts },
        }),
      });
      const started = await again(first);
      assert.equal(started.statusCode, 201, started.body);
      const { id, trigger } = started.json<{ id: string; trigger: string }>();
      assert.equal(trigger, 'RE_EXECUTE');
      await ended();
      const { status, _embedded } = await deployer.getExecution('1', '101', id);
      assert.deepEqual(
        [status, ..._embedded.stepStates.map(({ action }) => action)],
        ['FINISHED', 'validate', 'build', 'deploy'],
      );
      const titles = new Map<string, string | undefined>();
      await until('both are listed', async () => {
        const { executions } = await fairway.client.executions({ programId: '1' });
        for (const each of executions)
          titles.set(each.executionId, currentStepTitle({ ...each, step: 'build' }));
        return titles.has(first) && titles.has(id);
      });
      assert.deepEqual([titles.get(first), titles.get(id)], ['Build & Unit Testing', 'Build']);
      const refused = await again(first);
      assert.equal(refused.statusCode, 400);
      assert.match(refused.body, /only the last execution/);
      const unknown = await ask({ method: 'PUT', url: `${pipeline}/execution?stepId=build` });
      assert.equal(unknown.statusCode, 400);
    });

    it('a branch, a tag and variables are changed', async () => {
      await fairway.apply();
      for (const branch of ['release/1', 'refs/tags/v1']) {
        const { phases } = await deployer.updatePipeline('1', '101', { branch });
        assert.equal(phases.find(({ type }) => type === 'BUILD')?.branch, branch);
      }
      await assert.rejects(
        deployer.updatePipeline('1', '101', { branch: '--upload-pack=x' }),
        /400.*name as git/,
      );
      await deployer.setPipelineVariables('1', '101', [{ name: 'A', value: '1', type: 'string' }]);
      assert.deepEqual(
        (await deployer.getPipelineVariables('1', '101')).map(({ name, value }) => [name, value]),
        [['A', '1']],
      );
      await deployer.setPipelineVariables('1', '101', [{ name: 'A', value: '' }]);
      assert.deepEqual(await deployer.getPipelineVariables('1', '101'), []);
    });

    it('a log is followed while its step runs', async () => {
      const lines = ['one\n', 'zwölf\n'];
      const mayEnd = gate();
      fairway.world.begin({
        build: async () => {
          await mayEnd.hold();
          throw new Error('the build ends here');
        },
      });
      await fairway.apply();
      const { id } = await deployer.createExecution('1', '101');
      const key = `${executionKey({ programId: '1', pipelineId: '101', executionId: id })}/logs/build.log`;
      await on.fairway.storage.append(key, lines[0]!);
      const isBuilding = async () =>
        (await fairway.state(id)).steps.some((step) => step.id === 'build' && step.status === 'RUNNING');
      await until('it builds', isBuilding, 30_000);
      let text = '';
      const output = new Writable({
        write(chunk: Buffer, _encoding, done) {
          text += chunk.toString();
          if (text === lines[0]) void on.fairway.storage.append(key, lines[1]!).then(() => done(), done);
          else {
            mayEnd.open();
            done();
          }
        },
      });
      const { status } = await deployer.tailExecutionStepLog('1', '101', 'build', output);
      assert.deepEqual([text, status], [lines.join(''), 'ERROR']);
      await ended();
    });

    it('a log is read whole, and from where it had ended', async () => {
      fairway.world.begin();
      await fairway.apply();
      const { id } = await deployer.createExecution('1', '101');
      await fairway.waitsAt('approval');
      const key = `${executionKey({ programId: '1', pipelineId: '101', executionId: id })}/logs/build.log`;
      const logs = await fetch(`${on.url}${pipeline}/execution/${id}/phase/BUILD_1/step/build/logs`, {
        headers: { authorization: `Bearer ${await token()}` },
      });
      const { redirect } = (await logs.json()) as { redirect: string };
      assert.equal((await fetch(redirect)).status, 404);
      await on.fairway.storage.append(key, 'fünf\n');
      let text = '';
      const output = new Writable({
        write: (chunk: Buffer, _encoding, done) => ((text += chunk.toString()), done()),
      });
      await deployer.getExecutionStepLog('1', '101', id, 'build', output);
      assert.equal(text, 'fünf\n');
      const from = (bytes: number) => fetch(redirect, { headers: { range: `bytes=${bytes}-` } });
      assert.equal((await from(6)).status, 416);
      await on.fairway.storage.append(key, 'six\n');
      const more = await from(6);
      assert.deepEqual(
        [more.status, more.headers.get('content-length'), await more.text()],
        [206, '4', 'six\n'],
      );
      assert.equal((await fetch(`${redirect}x`)).status, 404);
      await cancelled();
    });
  });
}
