import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { Client, Connection } from '@temporalio/client';
import type { FastifyInstance } from 'fastify';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { createApi, type ApiOptions } from '../../src/api/server.ts';
import { FairwayClient } from '../../src/client/fairway-client.ts';
import { documentedAnswers } from './documented.ts';

describe('the API without a Temporal Service', function () {
  this.timeout(60_000);
  const running: { close(): unknown }[] = [];
  let pair: { publicKey: CryptoKey; privateKey: CryptoKey };
  let authorization: string;

  before(async () => {
    pair = await generateKeyPair('ES256');
    authorization = `Bearer ${await tokenOf('dora')}`;
  });
  afterEach(async () => {
    for (const thing of running.splice(0).reverse()) await thing.close();
  });

  const tokenOf = (sub: string, kid?: string) =>
    new SignJWT({ iss: 'issuer', aud: 'fairway', sub, roles: ['deployment-manager'] })
      .setProtectedHeader({ alg: 'ES256', kid })
      .setExpirationTime('10m')
      .sign(pair.privateKey);
  const api = async (options: Partial<ApiOptions> = {}): Promise<FastifyInstance> => {
    const connection = Connection.lazy({ address: '127.0.0.1:1', connectTimeout: 1000 });
    running.push(connection);
    const made = await createApi({
      client: new FairwayClient(new Client({ connection })),
      tokens: {
        ...{ issuer: 'issuer', audience: 'fairway' },
        keys: { set: [await exportJWK(pair.publicKey)] },
      },
      linkSecret: Buffer.alloc(32, 7),
      ...options,
    });
    running.push(made);
    return made;
  };

  it('answers 503 and when to come again, and says that it is not ready; itself it lives', async () => {
    const down = await api();
    const misfits = documentedAnswers(down);
    const { statusCode, headers } = await down.inject({ url: '/api/program/1', headers: { authorization } });
    assert.deepEqual([statusCode, headers['retry-after']], [503, '5']);
    assert.deepEqual(misfits(), []);
    assert.equal((await down.inject('/health/ready')).statusCode, 503);
    assert.equal((await down.inject('/health/live')).statusCode, 200);
  });

  it('describes every request, its answers and problems', async () => {
    const document = (await (await api()).inject('/api/openapi.json')).json<{
      paths: Record<string, Record<string, { responses: Record<string, { content?: object }> }>>;
    }>();
    assert.equal(Object.keys(document.paths).length > 25, true);
    for (const [path, operations] of Object.entries(document.paths))
      for (const [method, { responses }] of Object.entries(operations)) {
        const answers = Object.keys(responses);
        assert.ok(answers.includes('4XX') && answers.length > 2, `${method} ${path}`);
      }
  });

  it('counts requests by who sends them', async () => {
    const limited = await api({ requestsPerMinute: 3 });
    const ask = async (header?: string) =>
      limited.inject({ url: '/api/tenants', headers: header ? { authorization: header } : {} });
    for (const expected of [200, 200, 200, 429])
      assert.equal((await ask(authorization)).statusCode, expected);
    const refused = await ask(authorization);
    assert.ok(Number(refused.headers['retry-after']) > 0);
    assert.equal((await ask(`Bearer ${await tokenOf('olga')}`)).statusCode, 200);
    for (const expected of [401, 401, 401, 429]) assert.equal((await ask()).statusCode, expected);
  });

  it('takes the keys of an identity provider, also those that are new, and says when they cannot be had', async () => {
    const keys = [await exportJWK((await generateKeyPair('ES256')).publicKey)];
    const provider: Server = createServer((_request, response) =>
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys })),
    );
    running.push(provider);
    await new Promise<void>((done) => provider.listen(0, '127.0.0.1', done));
    const { port } = provider.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/jwks`;
    const headers = { authorization: `Bearer ${await tokenOf('dora', 'new')}` };
    keys.push({ ...(await exportJWK(pair.publicKey)), kid: 'new' });
    const trusting = await api({ tokens: { issuer: 'issuer', audience: 'fairway', keys: { url } } });
    assert.equal((await trusting.inject({ url: '/api/tenants', headers })).statusCode, 200);
    const other = { authorization: `Bearer ${await tokenOf('dora', 'unknown')}` };
    assert.equal((await trusting.inject({ url: '/api/tenants', headers: other })).statusCode, 401);
    const unreachable = { issuer: 'issuer', audience: 'fairway', keys: { url: 'http://127.0.0.1:1/' } };
    const blind = await api({ tokens: unreachable });
    const { statusCode } = await blind.inject({ url: '/api/tenants', headers });
    assert.equal(statusCode, 503);
  });

  it('lets go of who sends a body that does not come', async () => {
    const patient = await api({ requestMs: 500 });
    const { port } = new URL(await patient.listen({ host: '127.0.0.1', port: 0 }));
    const socket = connect(Number(port), '127.0.0.1');
    const head = ['PATCH /api/program/1/pipeline/1/variables HTTP/1.1', 'host: x', 'content-length: 1000'];
    socket.write(
      `${[...head, 'content-type: application/json', `authorization: ${authorization}`].join('\r\n')}\r\n\r\n[`,
    );
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    await new Promise((closed) => socket.once('close', closed));
    assert.match(answer, /^HTTP\/1.1 408 /);
  });
});
