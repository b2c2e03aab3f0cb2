import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FairwayClient } from '../../src/client/fairway-client.ts';
import { prepare } from '../../src/local/setup/prepare.ts';
import { startTemporal } from '../../src/local/temporal-server.ts';
import { makeStorage } from '../../src/systems/storage/file-storage.ts';
import { applied } from '../support/applied.ts';
import { definition } from '../support/definition.ts';
import { scriptedWorkers } from '../support/scripted-workers.ts';
import { until } from '../support/until.ts';

const by = { subject: 'ann', via: 'test', verified: false };

describe('a backup of the database of Temporal and of the storage', function () {
  this.timeout(180_000);
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fairway-backup-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** All of Fairway on what lies in a folder. */
  async function on<T>(place: string, use: (client: FairwayClient) => Promise<T>): Promise<T> {
    const { temporal: executable } = await prepare(['temporal'], () => undefined);
    const server = await startTemporal({ folder: join(place, 'temporal'), executable });
    try {
      const storage = join(place, 'storage');
      const { address } = server;
      const settings = { temporal: { address }, storage, workFolder: join(place, 'work') };
      const workers = await scriptedWorkers({ ...settings, build: {} });
      const client = await FairwayClient.connect({ address, storage });
      try {
        return await use(client);
      } finally {
        await client.close();
        await workers.stop();
      }
    } finally {
      await server.stop();
    }
  }

  const pipeline = (pipelineId: string, executionId?: string) => ({
    programId: '1',
    pipelineId,
    executionId,
  });
  const begin = (client: FairwayClient, pipelineId: string) =>
    client.start({ programId: '1', pipelineId, mode: 'NORMAL', by });

  it('restored elsewhere it goes on: what waited is approved and ends, ids are not given again', async () => {
    const [here, there] = [join(folder, 'here'), join(folder, 'there')];
    await makeStorage(join(here, 'storage'));
    const program = definition({ schedule: false, cse: undefined });
    const withoutHosts = program.environments.map((environment) => ({ ...environment, dispatchers: [] }));
    await on(here, async (client) => {
      await applied(client, { ...program, environments: withoutHosts });
      const { executionId } = await begin(client, '101');
      await until(
        'it waits for its approval',
        async () => (await client.execution(pipeline('101', executionId))).waitingFor?.step === 'approval',
        60_000,
      );
    });
    await mkdir(there);
    for (const part of ['temporal', 'storage'])
      await cp(join(here, part), join(there, part), { recursive: true });
    await rm(here, { recursive: true });

    await on(there, async (client) => {
      const first = '0000000001';
      await client.send(
        'approve',
        { programId: '1', pipelineId: '101', executionId: first },
        { by, approved: true },
      );
      await client.temporal.workflow.getHandle('pipeline-1-101').result();
      assert.equal((await client.execution(pipeline('101', first))).status, 'FINISHED');
      assert.equal((await begin(client, '101')).executionId, '0000000002');
      assert.equal((await client.program('1'))?.revision, 1);
    });
  });
});
