import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Connection, WorkflowClient } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { prepare } from '../../src/local/setup/prepare.ts';
import { startTemporal, type TemporalServer } from '../../src/local/temporal-server.ts';
import { searchAttributes } from '../../src/model/search-attributes.ts';
import { temporaryFolder } from '../support/folder.ts';
import { localEnvironment, timeSkippingEnvironment } from '../support/temporal.ts';

const mode = defineSearchAttributeKey('FairwayMode', 'KEYWORD');
const deadline = defineSearchAttributeKey('FairwayDeadline', 'DATETIME');

describe('the Temporal dev server', function () {
  this.timeout(60_000);
  const folder = temporaryFolder();
  const servers: TemporalServer[] = [];
  let executable = '';

  before(async () => {
    ({ temporal: executable } = await prepare(['temporal'], () => undefined));
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });

  async function start(port?: number): Promise<TemporalServer> {
    const server = await startTemporal({ folder: folder(), executable, port });
    servers.push(server);
    return server;
  }

  it('says why it did not start', async () => {
    const taken = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    try {
      await assert.rejects(
        start((taken.address() as AddressInfo).port),
        (error: Error & { details: string[] }) => {
          assert.match(error.message, /did not start .*temporal\.log/);
          assert.match(error.details.join('\n'), /in use|port/);
          return true;
        },
      );
    } finally {
      taken.close();
    }
  });

  it('keeps runs for 30 days, knows the search attributes, serves its Web UI, and remembers after a restart', async () => {
    const first = await start();
    const connection = await Connection.connect({ address: first.address });
    const namespace = await connection.workflowService.describeNamespace({ namespace: 'default' });
    assert.equal(Number(namespace.config?.workflowExecutionRetentionTtl?.seconds), 30 * 24 * 3600);
    await new WorkflowClient({ connection }).start('anything', { taskQueue: 'q', workflowId: 'kept' });
    await connection.close();
    assert.equal((await fetch(first.uiUrl)).status, 200);
    await first.stop();

    const second = await start();
    const again = await Connection.connect({ address: second.address });
    const { customAttributes } = await again.operatorService.listSearchAttributes({ namespace: 'default' });
    for (const name of Object.keys(searchAttributes)) assert.ok(customAttributes?.[name], name);
    assert.equal(
      (await new WorkflowClient({ connection: again }).getHandle('kept').describe()).status.name,
      'RUNNING',
    );
    await again.close();
  });

  it('listens on loopback only and ends when it is stopped', async () => {
    const server = await start();
    const port = Number(server.address.split(':')[1]);
    assert.deepEqual(await listeners(port), ['0100007F']);
    await server.stop();
    assert.deepEqual(await listeners(port), []);
    await readFile(join(folder(), 'temporal.db'));
  });

  it('environments for tests know the search attributes', async () => {
    for (const environment of [await timeSkippingEnvironment(), await localEnvironment()])
      try {
        const handle = await environment.client.workflow.start('anything', {
          taskQueue: 'q',
          workflowId: 'w',
          typedSearchAttributes: [
            { key: mode, value: 'EMERGENCY' },
            { key: deadline, value: new Date() },
          ],
        });
        const { typedSearchAttributes } = await handle.describe();
        assert.equal(typedSearchAttributes.get(mode), 'EMERGENCY');
      } finally {
        await environment.teardown();
      }
  });
});

/** Addresses, as the kernel writes them, on which somebody listens on a port. */
async function listeners(port: number): Promise<string[]> {
  const tables = await Promise.all(['tcp', 'tcp6'].map((table) => readFile(`/proc/net/${table}`, 'utf8')));
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return tables
    .flatMap((table) => table.split('\n').map((line) => line.trim().split(/\s+/)))
    .filter(([, local, , state]) => local?.endsWith(`:${hex}`) && state === '0A')
    .map(([, local]) => local?.split(':')[0] ?? '');
}
