import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { FairwayClient } from '../../src/client/fairway-client.ts';
import { secrets } from '../../src/systems/secrets.ts';
import { makeStorage } from '../../src/systems/storage/file-storage.ts';
import { createWorkers, type Workers } from '../../src/worker/create-workers.ts';
import { readSettings } from '../../src/worker/settings.ts';
import { definition } from '../support/definition.ts';
import { temporaryFolder } from '../support/folder.ts';
import { localEnvironment } from '../support/temporal.ts';
import { until } from '../support/until.ts';
import '../workflows/harness.ts'; // keeps workers from logging

const SECRET = 'FAIRWAY_SECRET_PAYLOAD_KEYS';

describe('a history that is encrypted', function () {
  this.timeout(180_000);
  const folder = temporaryFolder();
  let env: TestWorkflowEnvironment;
  let workers: Workers;
  let running: Promise<void>;
  const clients: FairwayClient[] = [];
  const keys = `first:${randomBytes(32).toString('base64')}`;
  const connect = async (text?: string) => {
    const secret = secrets({ env: text === undefined ? {} : { [SECRET]: text } });
    const client = await FairwayClient.connect({ address: env.address, secrets: secret });
    clients.push(client);
    return client;
  };
  before(async () => {
    env = await localEnvironment();
  });
  beforeEach(async () => {
    process.env[SECRET] = keys;
    await makeStorage(join(folder(), 'storage'));
    const settings = {
      temporal: { address: env.address },
      ...{ storage: join(folder(), 'storage'), workFolder: join(folder(), 'work') },
    };
    await writeFile(join(folder(), 'worker.json'), JSON.stringify(settings));
    workers = await createWorkers(await readSettings(join(folder(), 'worker.json')), () => undefined);
    running = workers.run();
  });
  afterEach(async () => {
    delete process.env[SECRET];
    workers.shutdown();
    await running;
    await workers.close();
    await Promise.all(clients.splice(0).map((client) => client.close()));
  });
  after(() => env.teardown());

  it('tells nothing of the definition, the execution and why it failed to whoever has no key', async () => {
    const client = await connect(keys);
    const by = { subject: 'ann', via: 'cli', verified: false } as const;
    const repository = { url: 'file:///nowhere-at-all', branch: 'a-branch-of-ours' };
    const judged = { id: '101', name: 'Quality', type: 'codeQuality' as const, repository };
    await client.apply(definition({}, { pipelines: [judged] }), 0, by);
    const started = await client.start({ programId: '1', pipelineId: '101', mode: 'NORMAL', by });
    const address = { programId: '1', pipelineId: '101', executionId: started.executionId };
    await until(
      'it has failed at Validation',
      async () => (await client.execution(address)).failure !== undefined,
      60_000,
    );
    const { failure } = await client.execution(address);
    assert.match(failure?.message ?? '', /a-branch-of-ours|nowhere-at-all|local folders/);
    const [listed] = (await client.executions({ programId: '1' })).executions;
    assert.equal(listed?.startedBy.subject, 'ann', 'the memo is read as well');

    for (const workflowId of ['program-1', started.workflowId]) {
      const handle = env.client.workflow.getHandle(workflowId);
      const { events } = await handle.fetchHistory();
      // Bytes are base64 in it.
      const kept = JSON.stringify(events).replaceAll(
        /"([A-Za-z0-9+/]+={0,2})"/g,
        (quoted, bytes: string) => `${quoted} ${Buffer.from(bytes, 'base64').toString('latin1')}`,
      );
      for (const word of ['a-branch-of-ours', 'nowhere-at-all', 'Example', 'ann"', 'Validate'])
        assert.ok(!kept.includes(word), `${workflowId}: ${word}`);
      assert.match(kept, /binary\/encrypted/);
    }

    await assert.rejects(
      (await connect()).program('1'),
      /encrypted with the key "first", which this process does not have/,
    );
    const other = `first:${randomBytes(32).toString('base64')}`;
    await assert.rejects((await connect(other)).program('1'), /is not the one that this was encrypted with/);
    await assert.rejects(connect('nonsense'), /line 1 of the secret is not a key/);
  });
});
