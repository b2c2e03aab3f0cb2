import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { CloudManager } from '@adobe/aio-lib-cloudmanager';
import { generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose';
import { createRepository } from '../../src/local/repository.ts';
import { executionKey } from '../../src/model/execution.ts';
import { currentStepTitle } from '../../src/model/summary.ts';
import { definition } from '../support/definition.ts';
import { gate } from '../support/gate.ts';
import { until } from '../support/until.ts';
import { metric } from '../workflows/scripted-world.ts';
import { describeOutages } from './outages.ts';
import { describePastExecutions } from './past-executions.ts';
import { describeRoles } from './role-table.ts';
import { apiUnderTest } from './setup.ts';
import { describeWebhooks } from './webhooks.ts';

const poor = {
  metrics: [metric('coverage', 'important', false)],
  results: { key: 'results.json', sha256: '0', size: 2 },
};
const pipeline = '/api/program/1/pipeline/101';

describe('the Cloud Manager API', function () {
  this.timeout(120_000);
  const on = apiUnderTest();
  const { fairway, token, ask, ended } = on;
  let deployer: CloudManager;
  let engineer: CloudManager;
  before(() => ({ deployer, engineer } = on));
  const cancelled = async () => {
    await deployer.cancelCurrentExecution('1', '101');
    await ended();
  };

  describeRoles(on);
  describePastExecutions(on);
  describeOutages(on);
  describeWebhooks(on);

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

  describe('programs, environments and pipelines', () => {
    const owner = { sub: 'olga', roles: ['business-owner'] };
    const change = (
      method: 'POST' | 'PUT',
      url: string,
      payload: object,
      claims?: JWTPayload,
      headers = {},
    ) => ask({ method, url, payload, headers }, claims);

    it('are created, changed and removed in the schema of fairway.yaml', async () => {
      await fairway.apply();
      const two = { ...definition(), id: '2', name: 'Second' };
      const created = await change('POST', '/api/programs', two, owner);
      assert.deepEqual([created.statusCode, created.headers.location], [201, '/api/program/2'], created.body);
      assert.equal((await change('POST', '/api/programs', two, owner)).statusCode, 409);
      const kept = (await ask({ url: '/api/program/2/definition' }, owner)).json<{ pipelines: object[] }>();
      const third = { ...kept.pipelines[0], id: '102', name: 'Another' };
      const added = await change('POST', '/api/program/2/pipelines', third);
      assert.deepEqual([added.statusCode, added.json<{ name: string }>().name], [201, 'Another'], added.body);
      assert.equal((await change('POST', '/api/program/2/pipelines', third)).statusCode, 409);
      const named = await change('PUT', '/api/program/2/pipeline/102', { ...third, name: 'Renamed' });
      assert.equal(named.json<{ name: string }>().name, 'Renamed');
      const stale = await change('PUT', '/api/program/2/pipeline/102', third, {}, { 'if-match': '"1"' });
      assert.deepEqual([stale.statusCode, /changed meanwhile/.test(stale.body)], [409, true]);
      const other = await change('PUT', '/api/program/2/pipeline/102', { ...third, id: '103' });
      assert.equal(other.statusCode, 400);
      const wrong = await change('PUT', '/api/program/2/pipeline/102', { ...third, stageEnvironment: '12' });
      assert.deepEqual([wrong.statusCode, /stageEnvironment/.test(wrong.body)], [400, true], wrong.body);
      const dev = { ...two.environments[0], id: '13', name: 'Dev', type: 'dev' };
      assert.equal((await change('POST', '/api/program/2/environments', dev)).statusCode, 201);
      const renamed = await change('PUT', '/api/program/2/environment/13', { ...dev, name: 'Try' });
      assert.equal(renamed.json<{ name: string }>().name, 'Try', renamed.body);
      await deployer.deleteEnvironment('2', '13');
      await assert.rejects(deployer.deleteEnvironment('2', '11'), /400/);
      await deployer.deletePipeline('2', '102');
      await assert.rejects(deployer.deleteProgram('2'), /403/);
      await (await on.as('olga', 'business-owner')).deleteProgram('2');
      assert.equal((await ask({ url: '/api/program/2' })).statusCode, 404);
    });

    it('a program may want verified people, and somebody else to approve what one has started', async () => {
      fairway.world.begin();
      await fairway.apply({ deciders: { verifiedActors: true, notByStarter: true } });
      const ann = { subject: 'ann', via: 'test', verified: false };
      const unproved = /nothing proves that this is ann/;
      await assert.rejects(
        fairway.client.start({ programId: '1', pipelineId: '101', mode: 'NORMAL', by: ann }),
        unproved,
      );
      await assert.rejects(fairway.client.setEmergency('1', true, ann), unproved);
      const { id: executionId } = await deployer.createExecution('1', '101');
      await fairway.waitsAt('approval');
      const address = { programId: '1', pipelineId: '101', executionId };
      await assert.rejects(fairway.client.send('approve', address, { by: ann, approved: true }), unproved);
      await assert.rejects(fairway.client.send('cancel', address, { by: ann }), unproved);
      await assert.rejects(deployer.advanceCurrentExecution('1', '101'), /400.*dora started this execution/);
      const step = `${pipeline}/execution/${executionId}/phase/DEPLOY_2/step/approval`;
      const other = { sub: 'olga', roles: ['business-owner'] };
      const approval = await ask(
        { method: 'PUT', url: `${step}/advance`, payload: { approved: true } },
        other,
      );
      assert.equal(approval.statusCode, 202, approval.body);
      await fairway.waitsAt('schedule');
      await cancelled();
      await assert.rejects(fairway.apply(), unproved);
      const program = (await ask({ url: '/api/program/1/definition' })).json<object>();
      const lenient = { ...program, deciders: undefined };
      assert.equal(
        (await ask({ method: 'PUT', url: '/api/program/1', payload: lenient }, other)).statusCode,
        200,
      );
    });

    it('have a tenant, repositories with branches, a cache; logs and variables of AEM are not here', async () => {
      const repository = await createRepository(join(fairway.folder, 'repository'));
      await fairway.apply({}, { repository: { url: repository.url, branch: 'main' } });
      const { _embedded } = (await ask({ url: '/api/program/1/repositories' })).json<{
        _embedded: { repositories: { id: string; repositoryUrl: string }[] };
      }>();
      const [only] = _embedded.repositories;
      assert.equal(only?.repositoryUrl, repository.url);
      const branches = await ask({ url: `/api/program/1/repository/${only?.id}/branches` });
      assert.match(branches.body, new RegExp(`"name":"${repository.branch}"`));
      assert.equal((await ask({ url: '/api/program/1/repository/1/branches' })).statusCode, 404);
      for (const path of ['/api/tenants', '/api/tenant/1', '/api/tenant/1/programs'])
        assert.equal((await ask({ url: path })).statusCode, 200, path);
      await deployer.invalidatePipelineCache('1', '101');
      assert.deepEqual(await deployer.getEnvironmentVariables('1', '11'), []);
      await assert.rejects(
        deployer.setEnvironmentVariables('1', '11', [{ name: 'A', value: '1' }]),
        /400.*keep no/,
      );
      assert.deepEqual(await deployer.downloadLogs('1', '11', 'author', 'aemerror', 1, fairway.folder), []);
    });
  });

  it('refuses tokens that prove nothing', async () => {
    const past = Math.floor(Date.now() / 1000) - 3600;
    const told: Record<string, [token: string, why: RegExp]> = {
      'of another key': [
        await token({}, (await generateKeyPair('ES256')).privateKey),
        /signed by none of the keys.*get one of its own issuer/,
      ],
      expired: [await token({ exp: past }), /has expired: get a new one/],
      'that never expires': [await token({ exp: undefined }), /claim \\"exp\\"/],
      'of another issuer': [await token({ iss: 'other' }), /not made for this API: its claim \\"iss\\"/],
      'for another audience': [await token({ aud: 'other' }), /claim \\"aud\\"/],
      'of nobody': [await token({ sub: undefined }), /claim \\"sub\\"/],
    };
    for (const [what, [bad, why]] of Object.entries(told)) {
      const answer = await on.api.inject({
        url: '/api/programs',
        headers: { authorization: `Bearer ${bad}` },
      });
      assert.equal(answer.statusCode, 401, what);
      assert.match(answer.body, why);
    }
    const tokens: Record<string, string> = {
      'not signed': new UnsecuredJWT({
        sub: 'dora',
        iss: 'issuer',
        aud: 'fairway',
        exp: past + 7200,
      }).encode(),
      'signed with a shared secret': await new SignJWT({ sub: 'dora', iss: 'issuer', aud: 'fairway' })
        .setProtectedHeader({ alg: 'HS256' })
        .setExpirationTime('1h')
        .sign(Buffer.alloc(32, 7)),
      'not a token': 'x.y.z',
      empty: '',
    };
    for (const [what, bad] of Object.entries(tokens)) {
      const answer = await on.api.inject({
        url: '/api/programs',
        headers: { authorization: `Bearer ${bad}` },
      });
      assert.equal(answer.statusCode, 401, what);
    }
    assert.equal((await on.api.inject({ url: '/api/programs' })).statusCode, 401);
    assert.equal((await on.api.inject({ url: '/anything' })).statusCode, 401);
  });

  it('answers hostile requests with a problem, never with an internal error', async () => {
    await fairway.apply();
    const ids = ['..', '%2e%2e%2f', "1'", '1"', '%00', 'ü', '-1', '01', '9'.repeat(10_000), '{executionId}'];
    for (const id of ids)
      for (const path of [
        `/api/program/${id}`,
        `/api/program/1/pipeline/${id}`,
        `${pipeline}/execution/${id}`,
      ]) {
        const { statusCode, headers } = await ask({ url: path });
        assert.ok([400, 404, 414].includes(statusCode), `${path.slice(0, 60)}: ${statusCode}`);
        assert.match(String(headers['content-type']), /^application\/problem\+json/);
      }
    const wrong = await ask({ method: 'DELETE', url: `${pipeline}/executions` });
    assert.deepEqual([wrong.statusCode, wrong.headers['allow']], [405, 'GET, HEAD']);
    const variables = { method: 'PATCH', url: `${pipeline}/variables` } as const;
    assert.equal((await ask({ ...variables, payload: [{ name: 'x'.repeat(300_000) }] })).statusCode, 413);
    assert.equal((await ask({ ...variables, payload: { name: 'A' } })).statusCode, 400);
    const broken = await ask({ ...variables, payload: '{', headers: { 'content-type': 'application/json' } });
    assert.equal(broken.statusCode, 400);
    assert.equal((await ask({ url: `${pipeline}/executions?limit=100000` })).statusCode, 400);
    const beyond = await ask({ url: `${pipeline}/executions?after=nowhere` });
    assert.equal(beyond.statusCode, 400);
    assert.match(beyond.body, /\\"nowhere\\" is no place in a list: give what the page before ends with/);
    for (const payload of ['{"__proto__": 1}', '[1', '"', 'null', '[null]', '[{"name": 7}]']) {
      const json = { payload, headers: { 'content-type': 'application/json' } };
      assert.equal((await ask({ ...variables, ...json })).statusCode, 400, payload);
    }
    const mode = await ask({ method: 'PUT', url: `${pipeline}/execution?pipelineExecutionMode=FAST` });
    assert.equal(mode.statusCode, 400);
  });

  it('says what to do about what began with another version of the workflows', async () => {
    fairway.world.begin();
    await fairway.apply();
    const { workflow } = fairway.client.temporal;
    const begun = (workflowId: string, executionId: string) =>
      workflow.start('environmentLease', {
        ...{ workflowId, taskQueue: 'fairway', args: ['nobody'] },
        memo: { executionId },
      });
    const handles = [await begun('pipeline-1-102', '0000000042'), await begun('program-9', '')];
    try {
      for (const url of ['/api/program/1/pipeline/102/execution/42', '/api/program/9']) {
        const { statusCode, body } = await ask({ url });
        assert.equal(statusCode, 503);
        assert.match(
          body,
          /began with another version.*Run workers of that version.*or terminate its workflow/,
        );
      }
    } finally {
      for (const handle of handles) await handle.terminate();
    }
  });

  it('of a thousand starts at once exactly one wins', async () => {
    fairway.world.begin();
    await fairway.apply();
    const headers = { authorization: `Bearer ${await token()}` };
    const starts = Array.from({ length: 1000 }, () =>
      on.api.inject({ method: 'PUT', url: `${pipeline}/execution`, headers }),
    );
    const counts = new Map<number, number>();
    for (const { statusCode } of await Promise.all(starts))
      counts.set(statusCode, (counts.get(statusCode) ?? 0) + 1);
    assert.deepEqual(Object.fromEntries(counts), { 201: 1, 412: 999 });
    // Activities, in this process too, may have been starved meanwhile: how it goes on is not the question.
    const rests = async () => {
      const state = await fairway.state().catch(() => undefined);
      return state !== undefined && (state.waitingFor !== undefined || state.status !== 'RUNNING');
    };
    await until('nothing is under way any more', rests, 60_000);
  });
});
