import assert from 'node:assert/strict';
import { Client, Connection } from '@temporalio/client';
import type { FastifyInstance } from 'fastify';
import { definition } from '../support/definition.ts';
import { executionAt, keepRecord } from '../support/execution-record.ts';
import { outageProxy, type OutageProxy } from '../support/outage-proxy.ts';
import { until } from '../support/until.ts';
import type { ApiUnderTest, Request } from './setup.ts';

const program = '/api/program/1';
const pipeline = `${program}/pipeline/101`;
const step = `${pipeline}/execution/1/phase/DEPLOY_2/step/approval`;
/** Temporal knows nothing of it. */
const past = { pipeline: `${program}/pipeline/198`, executionId: '0000000700' };

/** One of each kind that asks Temporal or workers. */
const reads: readonly Request[] = [
  '/api/programs',
  '/api/tenant/1/programs',
  program,
  `${program}/definition`,
  `${program}/environments`,
  `${program}/environment/11`,
  `${program}/repositories`,
  `${program}/pipelines`,
  pipeline,
  `${pipeline}/variables`,
  `${pipeline}/execution`,
  `${pipeline}/executions`,
  `${pipeline}/execution/1`,
  step,
  `${step}/logs`,
].map((url) => ({ url }));
const changes: readonly Request[] = [
  { method: 'PUT', url: `${pipeline}/execution` },
  { method: 'PUT', url: `${step}/advance`, payload: { approved: true } },
  { method: 'PUT', url: `${step}/cancel`, payload: { approved: false } },
  { method: 'PATCH', url: pipeline, payload: { phases: [{ type: 'BUILD', branch: 'other' }] } },
  { method: 'PATCH', url: `${pipeline}/variables`, payload: [{ name: 'A', value: '1' }] },
  { method: 'DELETE', url: `${program}/environment/11` },
  { method: 'DELETE', url: program },
  { method: 'PUT', url: `${program}/emergency`, payload: { activated: true } },
];
const everybody = { roles: ['business-owner', 'deployment-manager', 'customer-success-engineer'] };

/** Temporal, or all workers, are away: each request is told so and when to come again; none waits for ever. */
export function describeOutages(on: ApiUnderTest): void {
  describe('while something is away', () => {
    let proxy: OutageProxy;
    let connection: Connection;
    let api: FastifyInstance;
    let authorization: string;

    before(async () => {
      const { connection: direct } = on.fairway.env;
      proxy = await outageProxy(direct.options.address);
      connection = await Connection.connect({ address: proxy.address });
      api = await on.another(new Client({ connection }));
      authorization = `Bearer ${await on.token(everybody)}`;
    });
    after(async () => {
      await api?.close();
      await connection?.close();
      await proxy?.close();
    });
    beforeEach(async () => {
      await on.fairway.apply();
      await keepRecord(
        on.fairway.storage,
        executionAt('its end', { executionId: past.executionId }, definition({ id: '198' })),
      );
    });

    const ask = (request: Request) => api.inject({ ...request, headers: { authorization } });
    const answers = (requests: readonly Request[]) =>
      Promise.all(
        requests.map(async (request) => {
          const { statusCode, headers } = await ask(request);
          return `${request.method ?? 'GET'} ${request.url}: ${statusCode} ${headers['retry-after']}`;
        }),
      );
    const allUnavailable = (requests: readonly Request[]) =>
      requests.map(({ method = 'GET', url }) => `${method} ${url}: 503 5`);
    const isReady = async () => (await ask({ url: '/health/ready' })).statusCode === 200;
    const isUnchanged = async () => {
      assert.deepEqual(
        (await on.fairway.client.program('1'))?.definition.pipelines[0]?.repository.branch,
        definition().pipelines[0]?.repository.branch,
      );
      assert.equal(await on.fairway.client.running('1', '101'), undefined);
    };

    it('Temporal is lost under way: it keeps silent, then cuts what is asked; and it comes back', async () => {
      assert.equal((await ask({ url: pipeline })).statusCode, 200);
      proxy.silence();
      try {
        const asked = [...reads, ...changes];
        assert.deepEqual(await answers(asked), allUnavailable(asked));
        const kept = await ask({ url: `${past.pipeline}/execution/${past.executionId}` });
        assert.equal(kept.statusCode, 200, 'what is in storage is answered');
        const underWay = answers(reads.slice(0, 3));
        await until('they have been asked', () => proxy.swallowed() > 0);
        proxy.cut();
        assert.deepEqual(await underWay, allUnavailable(reads.slice(0, 3)));
      } finally {
        proxy.open();
      }
      await until('it is there again', isReady, 60_000);
      assert.equal((await ask({ url: pipeline })).statusCode, 200);
      await isUnchanged();
    });

    it('there is no worker: nothing is begun, and what needs none is answered', async () => {
      await on.fairway.stopWorkers();
      try {
        const asked = [
          reads[0]!,
          reads[2]!,
          reads[9]!,
          ...changes.filter(({ url }) => !url.includes('/step/')),
        ];
        assert.deepEqual(await answers(asked), allUnavailable(asked));
        assert.equal((await ask({ url: `${past.pipeline}/execution/${past.executionId}` })).statusCode, 200);
        assert.equal((await ask({ url: `${past.pipeline}/executions` })).statusCode, 200);
        assert.equal(await isReady(), true);
      } finally {
        await on.fairway.startWorkers();
      }
      await isUnchanged();
    });
  });
}
