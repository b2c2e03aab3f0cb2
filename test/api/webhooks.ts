import assert from 'node:assert/strict';
import { noteChallenge } from '../../src/systems/webhooks/agreement.ts';
import { until } from '../support/until.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';
import type { ApiUnderTest } from './setup.ts';

const all = '/api/program/1/webhooks';
const one = '/api/program/1/webhook/ci';

/** Webhooks registered through the API, and receivers that agree later. */
export function describeWebhooks(on: ApiUnderTest): void {
  describe('webhooks', () => {
    let receiver: WebhookReceiver;
    beforeEach(async () => {
      await on.fairway.apply({}, { approval: false, schedule: false, cse: undefined });
      receiver = new WebhookReceiver();
      await receiver.start();
    });
    afterEach(() => receiver.stop());

    const ci = (change: object = {}) => ({
      ...{ id: 'ci', form: 'adobe', url: receiver.url, secret: 'HOOK' },
      ...change,
    });
    const post = (payload: object) => on.ask({ method: 'POST', url: all, payload });
    const put = (payload: object, headers = {}) => on.ask({ method: 'PUT', url: one, payload, headers });

    it('are registered, changed and removed, as fairway.yaml has them', async () => {
      const wrong: readonly [object, RegExp][] = [
        [ci({ url: 'http://example.com/hook' }), /https/],
        [ci({ url: 'https://user:pw@example.com/' }), /credentials/],
        [ci({ secret: undefined }), /secret/],
        [ci({ id: '../x' }), /id/],
        [ci({ form: 'other' }), /form/],
        [ci({ events: ['unknown'] }), /events/],
        [ci({ more: 1 }), /more/],
      ];
      for (const [payload, why] of wrong) {
        const { statusCode, body } = await post(payload);
        assert.deepEqual([statusCode, why.test(body)], [400, true], body);
      }
      assert.equal((await on.ask({ url: one })).statusCode, 404);
      const made = await post(ci());
      assert.deepEqual([made.statusCode, made.headers.location], [201, one], made.body);
      assert.equal((await post(ci())).statusCode, 409);
      const { _embedded } = (await on.ask({ url: all })).json<{ _embedded: { webhooks: object[] } }>();
      assert.deepEqual(_embedded.webhooks, [made.json<object>()]);

      assert.equal((await put(ci({ id: 'other' }))).statusCode, 400);
      assert.equal((await put(ci({ clientId: 'mine' }), { 'if-match': '"0"' })).statusCode, 409);
      assert.equal((await put(ci({ clientId: 'mine' }))).statusCode, 200);
      assert.equal((await on.ask({ url: one })).json<{ clientId: string }>().clientId, 'mine');
      assert.equal((await on.ask({ method: 'DELETE', url: one })).statusCode, 204);
      for (const method of ['GET', 'DELETE', 'PUT'] as const)
        assert.equal(
          (await on.ask({ method, url: one, payload: method === 'PUT' ? ci() : undefined })).statusCode,
          404,
        );
    });

    it('get events once the address in their challenge is opened, within five minutes', async () => {
      receiver.challenge = 'later';
      assert.equal((await post(ci({ events: ['executionEnded'] }))).statusCode, 201);
      on.fairway.world.begin();
      await on.deployer.createExecution('1', '101');
      await on.ended();
      await until('it is challenged', () => receiver.validationUrls.length > 0, 60_000);
      const asked = new URL(receiver.validationUrls[0]!);
      assert.equal(asked.origin, 'https://fairway.example.org');
      const open = (challenge: string, path = asked.pathname) =>
        on.api.inject({ url: path, query: { challenge } });
      const challenge = asked.searchParams.get('challenge')!;

      const late = new Date(Date.now() - 301_000);
      await noteChallenge(on.fairway.storage, '1', { id: 'ci', url: receiver.url }, 'too-late', late);
      for (const [wrong, path] of [
        ['no-such-challenge', asked.pathname],
        ['too-late', asked.pathname],
        [challenge, asked.pathname.replace('/ci/', '/other/')],
        [challenge, asked.pathname.replace('/1/', '/2/')],
      ] as const)
        assert.equal((await open(wrong, path)).statusCode, 404, `${path} ${wrong}`);
      assert.equal((await open('')).statusCode, 400);
      assert.equal(receiver.received.length, 0);

      for (let twice = 0; twice < 2; twice += 1) {
        const opened = await open(challenge);
        assert.deepEqual([opened.statusCode, /from now on/.test(opened.body)], [200, true], opened.body);
      }
      await until('the event has come', () => receiver.received.length === 1, 60_000);
      assert.deepEqual(receiver.challenges, ['GET', 'POST'], 'it was asked once');
    });
  });
}
