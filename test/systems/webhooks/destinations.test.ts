import assert from 'node:assert/strict';
import { askHttp } from '../../../src/systems/http-ask.ts';
import { destinations } from '../../../src/systems/webhooks/destinations.ts';
import { httpServer } from '../../support/http-server.ts';

describe('destinations of events', () => {
  const refusal = (address: string, networks: string[] = []) =>
    destinations(networks).refusal(new URL(`https://${address}/hook`));

  for (const address of [
    '127.0.0.1',
    '2130706433', // 127.0.0.1 as one number
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '169.254.169.254',
    '172.31.255.255',
    '192.168.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '[::]',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:10.0.0.1]',
    '[fc00::1]',
    '[fe80::1]',
    '[ff02::1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '[2001:db8::1]',
  ])
    it(`are not ${address}`, () => {
      assert.match(refusal(address) ?? 'allowed', /is not a public address; the setting events\.networks/);
    });

  for (const address of ['8.8.8.8', '172.32.0.1', '[2606:4700::1111]', 'ci.example.com'])
    it(`may be ${address}`, () => assert.equal(refusal(address), undefined));

  it('may be what is allowed besides, and nothing else of its kind', () => {
    assert.equal(refusal('10.1.2.3', ['10.1.0.0/16']), undefined);
    assert.notEqual(refusal('10.2.0.1', ['10.1.0.0/16']), undefined);
    assert.equal(refusal('[::1]', ['::1/128']), undefined);
  });

  it('are looked at when a name is connected to, whatever it resolves to', async () => {
    const asked: string[] = [];
    const server = await httpServer((request, response) => {
      asked.push(request.url ?? '');
      response.end();
    });
    try {
      const url = new URL(server.url.replace('127.0.0.1', 'localhost'));
      const closed = destinations([]);
      assert.equal(closed.refusal(url), undefined);
      await assert.rejects(
        askHttp(url, { dispatcher: closed.dispatcher }),
        /localhost is (127\.0\.0\.1|::1), which is not a public/,
      );
      const open = destinations(['127.0.0.0/8', '::1/128']);
      assert.equal((await askHttp(url, { dispatcher: open.dispatcher })).status, 200);
      assert.equal(asked.length, 1);
    } finally {
      await server.close();
    }
  });
});
