import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import Fastify from 'fastify';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createApi } from '../../src/api/server.ts';
import { FairwayClient } from '../../src/client/fairway-client.ts';
import { executionKey, recordKey, type ExecutionState } from '../../src/model/execution.ts';
import { executionIdOf } from '../../src/model/program.ts';
import { indexKey, summaryOf } from '../../src/model/summary.ts';
import { run } from '../../src/systems/process.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import { until } from '../../test/support/until.ts';
import { all, type Figure, type Measured } from '../figure.ts';
import { bencher, nodesOf, productionProgram } from '../programs.ts';
import type { Answered, Asked } from '../requests.ts';
import { onStage } from '../stage.ts';

const FINISHED = 10_000;
const CONNECTIONS = 10;
const SECONDS = 10;
const HOUR = 3_600_000;
/** Records that are written at the same time. */
const AT_ONCE = 50;
const ADDRESS = { programId: '1', pipelineId: '101' };

/**
 * Reading through the API, in turn with a handler of the same framework that only answers the same JSON. Both are in
 * this process; who asks is another one.
 */
export const api: Figure = {
  name: 'api',
  title: 'requests per second and latency of the API against a bare handler',
  runs: 3,
  async run({ smoke, folder, say }) {
    const program = productionProgram(ADDRESS.programId, 1);
    const script = { activityMs: 0, gate: 'codeQuality', nodes: nodesOf(program) } as const;
    return onStage(folder, script, async ({ client: { temporal } }) => {
      const storage = fileStorage(join(folder, 'storage'));
      const client = new FairwayClient(temporal, { storage });
      await client.apply(program, 0, bencher);
      const { executionId } = await client.start({ ...ADDRESS, mode: 'NORMAL', by: bencher });
      const state = () => client.execution({ ...ADDRESS, executionId });
      await until('it waits', async () => (await state()).waitingFor !== undefined, 30_000);

      const finished = smoke ? 100 : FINISHED;
      const begun = performance.now();
      const last = await record(storage, await state(), finished);
      say(`${finished} records written in ${Math.round((performance.now() - begun) / 1000)} s`);

      const { token, tokens } = await proof();
      const served = await createApi({
        ...{ client, tokens, linkSecret: randomBytes(32), requestsPerMinute: Number.MAX_SAFE_INTEGER },
      });
      const bare = Fastify();
      try {
        const base = await served.listen({ host: '127.0.0.1', port: 0 });
        const path = `/api/program/${ADDRESS.programId}/pipeline/${ADDRESS.pipelineId}`;
        const reads: readonly (readonly [string, string])[] = [
          ['get a running execution', `${path}/execution/${executionId}`],
          ['get a finished execution', `${path}/execution/${last}`],
          [`list 20 of ${finished} executions`, `${path}/executions?limit=20`],
        ];
        for (const [, where] of reads) {
          const answer = await fetch(base + where, { headers: { authorization: `Bearer ${token}` } });
          const body = await answer.json();
          bare.get(where.replace(/\?.*/, ''), async () => body);
        }
        const bareBase = await bare.listen({ host: '127.0.0.1', port: 0 });
        const measured: Measured[] = [];
        for (const [what, where] of reads) {
          const asked = { token, connections: CONNECTIONS, seconds: smoke ? 1 : SECONDS };
          const peer = await ask({ ...asked, url: bareBase + where });
          const own = await ask({ ...asked, url: base + where });
          say(`${what}: ${JSON.stringify({ own, peer })}`);
          measured.push(...rows(what, own, peer));
        }
        return measured;
      } finally {
        await served.close();
        await bare.close();
      }
    });
  },
};

const rows = (what: string, own: Answered, peer: Answered): Measured[] => [
  { what: `${what}: requests per second`, value: own.perSecond, unit: '/s' },
  { what: `${what}: / bare handler's`, value: own.perSecond / peer.perSecond, unit: '' },
  { what: `${what}: p99`, value: own.p99, unit: 'ms' },
  { what: `${what}: p99 of the bare handler`, value: peer.p99, unit: 'ms' },
];

/** Records as executions leave them, one an hour. @returns the id of the newest one */
async function record(
  storage: ReturnType<typeof fileStorage>,
  like: ExecutionState,
  count: number,
): Promise<string> {
  const first = Date.now() - (count + 1) * HOUR;
  const one = async (number: number): Promise<string> => {
    const createdAt = new Date(first + number * HOUR).toISOString();
    const executionId = executionIdOf(1_000_000 + number);
    const state: ExecutionState = {
      ...{ ...like, executionId, createdAt, finishedAt: createdAt, status: 'FINISHED' },
      waitingFor: undefined,
    };
    await storage.put(recordKey(executionKey(state)), JSON.stringify(state));
    await storage.put(indexKey(state), JSON.stringify(summaryOf(state)));
    return executionId;
  };
  let newest = '';
  for (let done = 0; done < count; done += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, count - done) }, (_, n) => done + n);
    newest = (await all(numbers.map(one))).at(-1) ?? newest;
  }
  return newest;
}

/** A token, and the keys that prove it. */
async function proof() {
  const [issuer, audience, alg] = ['https://bench.example.com', 'fairway', 'ES256'];
  const { publicKey, privateKey } = await generateKeyPair(alg);
  const token = await new SignJWT({ roles: ['developer'] })
    .setProtectedHeader({ alg, kid: 'bench' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject('bench')
    .setIssuedAt()
    .setExpirationTime('2 hours')
    .sign(privateKey);
  const set = [{ ...(await exportJWK(publicKey)), alg, kid: 'bench' }];
  return { token, tokens: { issuer, audience, keys: { set } } };
}

async function ask(asked: Asked): Promise<Answered> {
  const program = join(import.meta.dirname, '..', 'requests.ts');
  const { code, stdout, stderr } = await run(process.execPath, [
    ...['--import', 'tsx', program],
    JSON.stringify(asked),
  ]);
  if (code !== 0) throw new Error(`the requests failed: ${stderr}`);
  return JSON.parse(stdout) as Answered;
}
