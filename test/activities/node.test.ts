import assert from 'node:assert/strict';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { nodeActivities } from '../../src/activities/node.ts';
import type { NodeActivities } from '../../src/model/activities.ts';
import { temporaryFolder } from '../support/folder.ts';
import { fileSet, testHost, type TestHost } from '../systems/httpd/host.ts';

const node = { programId: '1', environmentId: '2', nodeId: 'dispatcher1' };
const deployment = '1-0000000003-2';
const log = '1/2/3/deploy.log';

describe('The agent of a dispatcher host', () => {
  const folder = temporaryFolder();
  let host: TestHost;
  let activities: NodeActivities;
  const quiet = () => new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  type Result<K extends keyof NodeActivities> = Awaited<ReturnType<NodeActivities[K]>>;
  const run = <K extends keyof NodeActivities>(
    name: K,
    input: Parameters<NodeActivities[K]>[0],
    environment = quiet(),
  ): Promise<Result<K>> => {
    const activity: unknown = activities[name];
    return environment.run(activity as (i: typeof input) => Promise<Result<K>>, input);
  };
  const logText = async () => text(await host.storage.get(log));

  beforeEach(async () => {
    host = await testHost(folder());
    await host.start();
    activities = nodeActivities({ node, host: host.settings, storage: host.storage });
  });
  afterEach(() => host.stop());

  it('refuses every task of another node', async () => {
    const other = { ...node, nodeId: 'dispatcher2' };
    const artifact = await host.store(fileSet('new'));
    const input = { node: other, deployment, artifact, log, flush: ['/'], invalidate: [] };
    for (const name of Object.keys(activities) as (keyof NodeActivities)[])
      await assert.rejects(run(name, input), {
        type: 'InvalidInput',
        message: /serves dispatcher1 of environment 2, program 1 and was asked for dispatcher2/,
      });
  });

  it('names every problem of its host', async () => {
    assert.deepEqual(await run('checkAgent', { node }), []);
    const { serverRoot } = host.settings;
    await rm(join(serverRoot, 'conf.dispatcher.d'), { recursive: true });
    await writeFile(join(serverRoot, 'conf.d', 'bad.conf'), 'NoSuchDirective\n');
    await host.stop();
    const [folderProblem, testProblem, downProblem, ...rest] = await run('checkAgent', { node });
    assert.match(folderProblem ?? '', /there is no folder .*conf\.dispatcher\.d/);
    assert.match(testProblem ?? '', /config test refuses the live configuration .*NoSuchDirective/);
    assert.match(downProblem ?? '', /httpd is not running/);
    assert.deepEqual(rest, []);
    await rename(serverRoot, `${serverRoot}.away`);
    assert.match((await run('checkAgent', { node })).join(), /there is no server root/);
  });

  it('deploys and takes back, and a person can follow it in the log', async () => {
    const input = { node, deployment, artifact: await host.store(fileSet('new')), log };
    const prepared = await run('prepareConfiguration', { node, replacement: input, log });
    assert.deepEqual(prepared, { state: 'old', done: [] });
    await run('backUpConfiguration', input);
    await run('replaceConfiguration', input);
    await run('testConfiguration', input);
    await run('reloadHttpd', input);
    assert.equal(await host.served(), 'new');
    assert.equal(await run('restoreConfiguration', input), 'old');
    assert.equal(await host.served(), 'old');
    const lines = (await logText()).trim().split('\n');
    for (const line of lines) assert.match(line, /^\d{4}-\d\d-\d\dT[\d:.]+Z dispatcher1 {2}\S/);
    const told = [
      /config test of .* good/,
      /backed up/,
      /2 written, 2 removed/,
      /config test: good/,
      /serves/,
    ];
    for (const line of told)
      assert.ok(
        lines.some((said) => line.test(said)),
        `${line} is not in the log`,
      );
  });

  it("puts Apache's message in the log and in the answer", async () => {
    const broken = { ...fileSet('new'), 'conf.d/available_vhosts/site.vhost': 'NoSuchDirective\n' };
    const input = { node, deployment, artifact: await host.store(broken), log };
    const { trouble } = await run('prepareConfiguration', { node, replacement: input, log });
    assert.equal(trouble?.type, 'Rejected');
    assert.match(trouble.message, /NoSuchDirective/);
    assert.match(await logText(), /Invalid command 'NoSuchDirective'/);
  });

  it('leaves a cancelled replacement for the restoration', async () => {
    const input = { node, deployment, artifact: await host.store(fileSet('new')), log };
    await run('backUpConfiguration', input);
    const environment = quiet();
    const replacing = run('replaceConfiguration', input, environment);
    environment.cancel();
    await assert.rejects(replacing, { name: 'CancelledFailure' });
    assert.equal(await run('restoreConfiguration', input), 'old');
    assert.equal(await host.served(), 'old');
  });

  it('gives each path its own result', async () => {
    const results = await run('flushPaths', {
      node,
      flush: ['/content/a', 'wrong'],
      invalidate: ['/content/b'],
      log,
    });
    // This httpd has no dispatcher module and so no such URL: it refuses each path.
    assert.deepEqual(
      results.map(({ path, action, ok, answer }) => [path, action, ok, answer.slice(0, 8)]),
      [
        ['/content/a', 'flush', false, '404 404 '],
        ['wrong', 'flush', false, 'not sent'],
        ['/content/b', 'invalidate', false, '404 404 '],
      ],
    );
    assert.match(await logText(), /flush \/content\/a: FAILED, 404/);
  });
});
