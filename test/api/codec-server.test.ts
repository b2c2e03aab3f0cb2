import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWTPayload } from 'jose';
import { createCodecServer, type CodecServerOptions } from '../../src/api/codec-server.ts';
import { encryptingCodec } from '../../src/encryption/codec.ts';
import { parseKeys } from '../../src/encryption/keys.ts';

const UI = 'https://temporal.example.com';
const key = () => randomBytes(32).toString('base64');
const [older, newer] = [`2026-01:${key()}`, `2026-11:${key()}`];
const codec = (...lines: string[]) => encryptingCodec(parseKeys(lines.join('\n')));
const base64 = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('base64');
const written = (payloads: readonly Payload[]) => ({
  payloads: payloads.map(({ metadata, data }) => ({
    metadata: Object.fromEntries(
      Object.entries(metadata ?? {}).map(([name, value]) => [name, base64(value)]),
    ),
    data: base64(data),
  })),
});
const plain = [{ branch: 'main' }, 'x'].map((value) => defaultPayloadConverter.toPayload(value));

describe('the codec server', () => {
  const servers: FastifyInstance[] = [];
  let pair: { publicKey: CryptoKey; privateKey: CryptoKey };
  before(async () => {
    pair = await generateKeyPair('ES256');
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });
  const serve = async (options: Partial<CodecServerOptions> = {}) => {
    const server = await createCodecServer({ codec: codec(newer, older), origins: [UI], ...options });
    servers.push(server);
    return (body: unknown, { headers = { origin: UI }, ...rest }: InjectOptions = {}) =>
      server.inject({
        ...{ method: 'POST', url: '/decode', payload: JSON.stringify(body), ...rest },
        headers: { 'content-type': 'application/json', 'x-namespace': 'default', ...headers },
      });
  };
  const encrypted = async () => written(await codec(older).encode(plain));

  it('shows the Web UI what any of the keys encrypted, and what nobody did', async () => {
    const ask = await serve();
    const { payloads } = await encrypted();
    const answer = await ask({ payloads: [...payloads, written(plain).payloads[1]] });
    assert.deepEqual(
      [answer.statusCode, answer.headers['access-control-allow-origin'], answer.headers['cache-control']],
      [200, UI, 'no-store'],
    );
    const [first, second] = written(plain).payloads;
    assert.deepEqual(answer.json(), { payloads: [first, second, second] });
    const preflight = await ask(undefined, {
      method: 'OPTIONS',
      headers: {
        origin: UI,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,x-namespace',
      },
    });
    assert.deepEqual(
      ['origin', 'headers', 'methods'].map((what) => preflight.headers[`access-control-allow-${what}`]),
      [UI, 'authorization, content-type, x-namespace', 'POST'],
    );
  });

  it('encrypts what is sent from there, with the first key', async () => {
    const ask = await serve();
    const answer = (await ask(written(plain), { url: '/encode' })).json<ReturnType<typeof written>>();
    for (const { metadata } of answer.payloads)
      assert.equal(metadata['encryption-key-id'], base64(Buffer.from('2026-11')));
    assert.deepEqual((await ask(answer)).json(), written(plain));
  });

  it('names the key that is missing, wrong, or was not used, and never its value', async () => {
    for (const [lines, words] of [
      [[newer], /the key \\"2026-01\\", which this process does not have/],
      [[`2026-01:${key()}`], /the key \\"2026-01\\" of the secret PAYLOAD_KEYS is not the one/],
    ] as const) {
      const ask = await serve({ codec: codec(...lines) });
      const { statusCode, payload, headers } = await ask(await encrypted());
      assert.deepEqual([statusCode, headers['access-control-allow-origin']], [400, UI]);
      assert.match(payload, words);
      for (const line of [...lines, older]) assert.ok(!payload.includes(line.split(':')[1] ?? ''));
    }
  });

  it('gives pages from elsewhere nothing, whatever they ask and however they came here', async () => {
    const ask = await serve();
    for (const origin of [
      'https://evil.example.com',
      'null',
      `${UI}.evil.example.com`,
      'http://temporal.example.com',
    ])
      for (const method of ['POST', 'OPTIONS'] as const) {
        const answer = await ask(await encrypted(), {
          method,
          headers: { origin, host: 'evil.example.com', 'access-control-request-method': 'POST' },
        });
        assert.equal(answer.statusCode, 403);
        assert.equal(answer.headers['access-control-allow-origin'], undefined);
        assert.doesNotMatch(answer.payload, /payloads/);
      }
    const noBrowser = await ask(await encrypted(), { headers: {} });
    assert.equal(noBrowser.statusCode, 200);
  });

  it('refuses bodies that are too large or not payloads', async () => {
    const ask = await serve();
    const large = { payloads: [{ data: 'A'.repeat(9 * 1024 * 1024) }] };
    assert.equal((await ask(large)).statusCode, 413);
    for (const body of [
      {},
      { payloads: 'x' },
      { payloads: [{ data: 'not base64!' }] },
      { payloads: [{ metadata: { encoding: 1 } }] },
      { payloads: Array.from({ length: 10_001 }, () => ({})) },
    ]) {
      const { statusCode, payload } = await ask(body);
      assert.deepEqual([statusCode, /payloads/.test(payload)], [400, true], payload);
    }
    assert.equal((await ask('x', { headers: { 'content-type': 'text/plain' } })).statusCode, 400);
    assert.equal((await ask('x', { headers: { 'content-type': 'application/xml' } })).statusCode, 415);
    assert.equal((await ask(undefined, { method: 'GET' })).statusCode, 404);
  });

  it('answers who has a token of somebody who may read definitions, where tokens are asked for', async () => {
    const keys = { set: [await exportJWK(pair.publicKey)] };
    const ask = await serve({ tokens: { issuer: 'issuer', audience: 'fairway', keys } });
    const token = (claims: JWTPayload = {}) =>
      new SignJWT({ iss: 'issuer', aud: 'fairway', sub: 'dora', roles: ['deployment-manager'], ...claims })
        .setProtectedHeader({ alg: 'ES256' })
        .setExpirationTime('10m')
        .sign(pair.privateKey);
    const asked = async (authorization?: string) =>
      (await ask(await encrypted(), { headers: { origin: UI, ...(authorization && { authorization }) } }))
        .statusCode;
    assert.equal(await asked(`Bearer ${await token()}`), 200);
    assert.equal(await asked(), 401);
    assert.equal(await asked('Bearer a.b.c'), 401);
    assert.equal(await asked(`Bearer ${await token({ aud: 'another' })}`), 401);
    assert.equal(await asked(`Bearer ${await token({ roles: ['developer'] })}`), 403);
    const refused = await ask(await encrypted());
    assert.equal(refused.headers['access-control-allow-origin'], UI, 'so that the page can read why');
  });
});
