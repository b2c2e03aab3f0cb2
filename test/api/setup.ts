import assert from 'node:assert/strict';
import { init, type CloudManager } from '@adobe/aio-lib-cloudmanager';
import type { Client } from '@temporalio/client';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWTPayload } from 'jose';
import type { Role } from '../../src/api/roles.ts';
import { createApi } from '../../src/api/server.ts';
import { FairwayClient } from '../../src/client/fairway-client.ts';
import { until } from '../support/until.ts';
import { workflowHarness, type Harness } from '../workflows/harness.ts';
import { documentedAnswers } from './documented.ts';

export type Request = InjectOptions & { readonly url: string };

/** An API before a real Temporal Service with workers in a scripted world; for the enclosing `describe`. */
export interface ApiUnderTest {
  readonly fairway: Harness;
  readonly api: FastifyInstance;
  readonly url: string;
  /** Adobe's library as a Deployment Manager, `dora`, and as a Customer Success Engineer, `carl`. */
  readonly deployer: CloudManager;
  readonly engineer: CloudManager;
  /** Of `dora` with the role of a Deployment Manager, unless said otherwise. */
  readonly token: (claims?: JWTPayload, signedBy?: CryptoKey) => Promise<string>;
  /** Adobe's library as somebody else. */
  readonly as: (subject: string, role: Role) => Promise<CloudManager>;
  readonly ask: (request: Request, claims?: JWTPayload) => Promise<LightMyRequestResponse>;
  /** Another API that trusts the same tokens, over another connection. */
  readonly another: (temporal: Client) => Promise<FastifyInstance>;
  /** No execution of pipeline 101 runs any more. */
  readonly ended: () => Promise<void>;
}

export function apiUnderTest(): ApiUnderTest {
  const fairway = workflowHarness('real time');
  let api: FastifyInstance;
  let url: string;
  let pair: { publicKey: CryptoKey; privateKey: CryptoKey };
  let misfits: () => readonly string[] = () => [];
  let deployer: CloudManager;
  let engineer: CloudManager;

  const token = (claims: JWTPayload = {}, key: CryptoKey = pair.privateKey) =>
    new SignJWT({
      ...{ iss: 'issuer', aud: 'fairway', sub: 'dora', roles: ['deployment-manager'] },
      ...{ exp: Math.floor(Date.now() / 1000) + 3600, client_id: 'tests', ...claims },
    })
      .setProtectedHeader({ alg: 'ES256' })
      .sign(key);
  const as = async (sub: string, role: Role) =>
    init('ORG@AdobeOrg', 'key', await token({ sub, roles: [role] }), url);
  const another = async (temporal: Client) =>
    createApi({
      client: new FairwayClient(temporal, { storage: fairway.storage, localRepositories: true }),
      tokens: { issuer: 'issuer', audience: 'fairway', keys: { set: [await exportJWK(pair.publicKey)] } },
      linkSecret: Buffer.alloc(32, 7),
      requestsPerMinute: 100_000,
    });
  const ended = () =>
    until('it has ended', async () => (await fairway.client.running('1', '101')) === undefined, 30_000);

  before(async () => {
    pair = await generateKeyPair('ES256');
    api = await another(fairway.client.temporal);
    misfits = documentedAnswers(api);
    url = await api.listen({ host: '127.0.0.1', port: 0 });
    deployer = await as('dora', 'deployment-manager');
    engineer = await as('carl', 'customer-success-engineer');
  });
  after(async () => {
    await api?.close();
  });
  afterEach(async () => {
    // What a failed test has left must not fail the others.
    const { workflow } = fairway.client.temporal;
    if (await fairway.client.running('1', '101').catch(() => undefined))
      await workflow.getHandle('pipeline-1-101').terminate('left by a test');
    assert.deepEqual(misfits(), [], 'every answer is as the OpenAPI document says');
  });

  return {
    fairway,
    get api() {
      return api;
    },
    get url() {
      return url;
    },
    get deployer() {
      return deployer;
    },
    get engineer() {
      return engineer;
    },
    ...{ token, as, another, ended },
    ask: async (options, claims) =>
      api.inject({
        ...options,
        headers: {
          ...{ authorization: `Bearer ${await token(claims)}`, host: new URL(url).host },
          ...options.headers,
        },
      }),
  };
}
