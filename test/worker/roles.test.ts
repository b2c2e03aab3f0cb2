import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NativeConnection, Worker } from '@temporalio/worker';
import { prepare } from '../../src/local/setup/prepare.ts';
import { startTemporal, type TemporalServer } from '../../src/local/temporal-server.ts';
import { nodeQueue } from '../../src/model/activities.ts';
import { makeStorage } from '../../src/systems/storage/file-storage.ts';
import type { WorkerSettingsInput } from '../../src/worker/settings.ts';
import { endAll, fairway, startFairway, type Running } from '../command/fairway.ts';
import { until } from '../support/until.ts';

describe('fairway worker and fairway agent, each a process of its own', function () {
  this.timeout(120_000);
  let home = '';
  let server: TemporalServer;
  let env: Record<string, string>;

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'fairway-roles-'));
    const { temporal: executable } = await prepare(['temporal'], () => undefined);
    server = await startTemporal({ folder: join(home, 'temporal'), executable });
    const storage = join(home, 'storage');
    await makeStorage(storage);
    env = {
      TEMPORAL_ADDRESS: server.address,
      FAIRWAY_STORAGE: storage,
      FAIRWAY_WORKER_LISTEN: '127.0.0.1:0',
    };
  });
  after(async () => {
    endAll();
    await server.stop();
    await rm(home, { recursive: true, force: true });
  });

  const lines = (process: Running) =>
    process
      .output()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, string>);
  /** Where its health is, once it is ready. */
  async function ready(process: Running): Promise<string> {
    let ended: number | undefined;
    void process.ended.then(({ code }) => (ended = code));
    let health: string | undefined;
    await until(
      'it is ready',
      () => {
        assert.equal(ended, undefined, process.errors());
        health = lines(process).find(({ message }) => message === 'ready')?.health;
        return health !== undefined;
      },
      60_000,
    );
    return health!;
  }
  const ask = async (url: string) => {
    const response = await fetch(url);
    return { status: response.status, text: await response.text() };
  };
  const agentSettings = async (node: string, stateFolder = join(home, node)): Promise<string> => {
    const file = join(home, `${node}.json`);
    const nothing = { program: 'true', args: [] };
    const settings: Partial<WorkerSettingsInput> = {
      agents: [
        {
          node: { programId: '1', environmentId: '12', nodeId: node },
          host: {
            ...{ serverRoot: join(home, 'httpd'), stateFolder, environment: {} },
            ...{ configTest: nothing, graceful: nothing },
            baseline: { url: 'http://127.0.0.1:9', path: '/' },
            flush: { url: 'http://127.0.0.1:9', host: 'flush' },
          },
        },
      ],
    };
    await writeFile(file, JSON.stringify(settings));
    return file;
  };

  it('take the tasks of their roles, say how they are, and end in good order', async () => {
    const workers = ['orchestrator', 'build'].map((role) =>
      startFairway(['worker', '--role', role], { env }),
    );
    const [orchestrator = '', build = ''] = await Promise.all(workers.map(ready));
    const { stdout } = await fairway(['doctor', '-o', 'json'], { env });
    const findings = JSON.parse(stdout) as { area: string; what: string; state: string }[];
    assert.deepEqual(
      findings.filter(({ area }) => area === 'Workers').map(({ what, state }) => [what, state]),
      [
        ['orchestrator', 'good'],
        ['builds', 'good'],
      ],
    );
    for (const path of ['/livez', '/readyz'])
      assert.deepEqual(await ask(build + path), { status: 200, text: 'ok\n' });
    const { text } = await ask(`${orchestrator}/metrics`);
    assert.match(text, /^fairway_worker_running\{task_queue="fairway"\} 1$/m);
    assert.match(text, /^fairway_worker_activities\{task_queue="fairway-waits"\} 0$/m);
    assert.match(text, /^temporal_worker_task_slots_available\{.*task_queue="fairway".*\} \d+$/m);
    assert.match(
      (await ask(`${build}/metrics`)).text,
      /slots_available\{.*task_queue="fairway-build".*\} 1$/m,
    );

    for (const { process } of workers) process.kill('SIGTERM');
    for (const { ended } of workers) assert.equal((await ended).code, 0);
    for (const worker of workers) assert.ok(lines(worker).every(({ time, level }) => time && level));
  });

  it('an agent serves the nodes it is told to, and is the only one of its node on its host', async () => {
    const settings = await agentSettings('dispatcher1');
    const start = (node: string) => startFairway(['agent', '--node', node, '--settings', settings], { env });
    const first = start('12/dispatcher1');
    const wrong = start('12/dispatcher7');
    await ready(first);
    const second = await start('12/dispatcher1').ended;
    assert.equal(second.code, 1);
    assert.match(
      second.stderr,
      new RegExp(
        `another agent of dispatcher1 of environment 12, program 1 runs on this host, process ${first.process.pid}`,
      ),
    );
    const { code, stderr } = await wrong.ended;
    assert.equal(code, 2);
    assert.match(stderr, /no node 12\/dispatcher7\n +they have 1\/12\/dispatcher1/);

    // A dead one does not keep its node.
    first.process.kill('SIGKILL');
    await first.ended;
    const third = start('1/12/dispatcher1');
    await ready(third);
    third.process.kill('SIGTERM');
    assert.equal((await third.ended).code, 0);
  });

  /** An agent of a node on another host, as the server sees it. */
  async function elsewhere<T>(host: string, nodeId: string, body: () => Promise<T>): Promise<T> {
    const connection = await NativeConnection.connect({ address: server.address });
    const other = await Worker.create({
      ...{ connection, identity: `4711@${host}` },
      taskQueue: nodeQueue({ programId: '1', environmentId: '12', nodeId }),
      activities: { checkAgent: async () => [] },
    });
    try {
      return await other.runUntil(body);
    } finally {
      await connection.close();
    }
  }

  it('an agent of the same node on another host is named, by the second agent and by doctor', async () => {
    const settings = await agentSettings('dispatcher2');
    const start = () => startFairway(['agent', '--node', '12/dispatcher2', '--settings', settings], { env });
    const { code, stderr } = await elsewhere('other-host', 'dispatcher2', () => start().ended);
    assert.equal(code, 1);
    assert.match(stderr, /another agent of dispatcher2 of environment 12, program 1 runs on host other-host/);
  });

  it('of two agents of a node that start at the same moment on different hosts one ends', async () => {
    const settings = await agentSettings('dispatcher3');
    const agent = startFairway(['agent', '--node', '12/dispatcher3', '--settings', settings], { env });
    await ready(agent);
    // As this one did not see it when it started, the other one had not yet asked for tasks.
    await elsewhere('~late', 'dispatcher3', () =>
      until(
        'it says that the other one is to end',
        () =>
          lines(agent).some(({ message }) => /at the same moment on host ~late: it is to end/.test(message!)),
        30_000,
      ),
    );
    const { code, stderr } = await elsewhere('-early', 'dispatcher3', () => agent.ended);
    assert.equal(code, 1);
    assert.match(stderr, /another agent of dispatcher3 of .* runs on host -early/);
  });

  it('a worker without Temporal, or with settings that say nonsense, ends and says why', async () => {
    const bad = join(home, 'bad.json');
    await writeFile(bad, '{"orchestrator": "yes", "extra": 1}');
    const [lonely, nonsense] = await Promise.all([
      startFairway(['worker'], { env: { ...env, TEMPORAL_ADDRESS: '127.0.0.1:9' } }).ended,
      startFairway(['worker', '--settings', bad], { env }).ended,
    ]);
    assert.equal(lonely.code, 1);
    assert.match(lonely.stderr, /no Temporal Service answers at 127\.0\.0\.1:9/);
    assert.equal(nonsense.code, 1);
    assert.match(nonsense.stderr, /bad\.json are not valid\n.*orchestrator: .*\n.*extra/s);
  });
});
