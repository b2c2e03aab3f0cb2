import assert from 'node:assert/strict';
import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { until } from '../support/until.ts';
import { describeAdobeLibrary } from './adobe-library.ts';
import { describeCatalogue } from './catalogue.ts';
import { describeOutages } from './outages.ts';
import { describePastExecutions } from './past-executions.ts';
import { describeRoles } from './role-table.ts';
import { apiUnderTest } from './setup.ts';
import { describeWebhooks } from './webhooks.ts';

const pipeline = '/api/program/1/pipeline/101';

describe('the Cloud Manager API', function () {
  this.timeout(120_000);
  const on = apiUnderTest();
  const { fairway, token, ask } = on;

  describeAdobeLibrary(on);
  describeCatalogue(on);
  describeRoles(on);
  describePastExecutions(on);
  describeOutages(on);
  describeWebhooks(on);

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
