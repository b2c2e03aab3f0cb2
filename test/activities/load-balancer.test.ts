import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { CancelledFailure } from '@temporalio/activity';
import { DefaultLogger } from '@temporalio/worker';
import { loadBalancerActivities } from '../../src/activities/load-balancer.ts';
import { preflightActivities } from '../../src/activities/preflight.ts';
import { securityTestActivities } from '../../src/activities/security-test.ts';
import type { Metric } from '../../src/model/gates.ts';
import { environmentSchema } from '../../src/model/schema/definition.ts';
import { Failure } from '../../src/systems/failure.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import { elbServer, TARGET_GROUP } from '../support/elb-server.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startSite, type Site } from '../systems/load-balancer/site.ts';

const quiet = () => new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
const run = <Input, Output>(
  environment: MockActivityEnvironment,
  activity: (input: Input) => Promise<Output>,
  input: Input,
) => environment.run<[Input], Output, typeof activity>(activity, input);

describe('activities of the load balancer and the tests', () => {
  let site: Site;
  afterEach(() => site.stop());
  const folder = temporaryFolder();
  beforeEach(async () => {
    site = await startSite(join(folder(), 'haproxy'));
  });

  const probe = { path: '/health', host: 'www.example.com' };
  const log = 'p/l/e/step.log';
  const environment = () => {
    const { socket, backend, url } = site.balancer;
    return environmentSchema.parse({
      id: '1',
      name: 'stage',
      type: 'stage',
      author: [{ id: 'author1', url: site.backends[0].url, credentials: 'A' }],
      publish: [{ id: 'publish1', url: site.backends[0].url, credentials: 'A' }],
      dispatchers: site.backends.map((backend) => ({
        id: `dispatcher-${backend.name}`,
        url: backend.url,
        publish: 'publish1',
        server: backend.name,
      })),
      loadBalancer: { type: 'haproxy', socket, backend, url },
      probe,
    });
  };
  const setup = () => {
    const { dispatchers, loadBalancer } = environment();
    const [dispatcher] = dispatchers;
    assert.ok(dispatcher && loadBalancer);
    const storage = fileStorage(join(folder(), 'storage'));
    const activities = {
      ...loadBalancerActivities({ storage }),
      ...preflightActivities({ storage, secret: async () => '' }),
    };
    const context = quiet();
    const read = (key: string) => readFile(join(folder(), 'storage', key), 'utf8');
    const input = { loadBalancer, dispatcher, probe, log };
    return { storage, activities, context, read, input, dispatchers };
  };
  const statusOf = async (name: string) =>
    (await site.loadBalancer.servers()).find((server) => server.name === name)?.status;

  it('names everything that keeps the load balancer from being used, before anything is changed', async () => {
    const { activities, context, input, dispatchers } = setup();
    const preflight = async (change: object, which = dispatchers) => {
      const { troubles, out } = await run(context, activities.preflightEnvironment, {
        ...{ instances: [], artifacts: [], log },
        loadBalancer: { ...input.loadBalancer, ...change },
        dispatchers: which,
      });
      assert.ok(troubles.every(({ thing }) => thing === 'load balancer'));
      return { messages: [...new Set(troubles.map(({ message }) => message))], troubles, out };
    };
    assert.deepEqual((await preflight({})).messages, []);
    const { messages: unknown } = await preflight({}, [
      { ...input.dispatcher, server: 'x1' },
      { ...input.dispatcher, id: 'other', server: 'x2' },
    ]);
    assert.equal(unknown.length, 2);
    assert.match(unknown.join('\n'), /dispatcher-d1: .*no server x1, it has d1, d2.*\n.*other: .*x2/);
    const fails = async (change: object, type: string, message: RegExp) => {
      const { messages, troubles, out } = await preflight(change);
      assert.ok(troubles.every((trouble) => trouble.type === type));
      assert.match(messages.join('\n'), message);
      assert.equal(out, undefined, 'nothing is known of what is in service');
    };
    await fails({ backend: 'typo' }, 'Missing', /no backend typo/);
    await fails({ socket: '/nowhere.sock' }, 'Unavailable', /does not answer on \/nowhere\.sock/);
  });

  it('does not put a dispatcher back that does not answer itself, and says what it answered', async () => {
    const { activities, context, input } = setup();
    await run(context, activities.detachDispatcher, input);
    const mock = quiet();
    site.backends[0].healthy = false;
    const attaching = run(mock, activities.attachDispatcher, input);
    const probed = await run(context, activities.probeDispatcher, { dispatcher: input.dispatcher, probe });
    assert.deepEqual(probed.good, false);
    assert.match(probed.answer, /\/health\?fairway-probe=\d+ answered 503/);
    assert.equal(await statusOf('d1'), 'maintenance');
    mock.cancel();
    await assert.rejects(attaching, CancelledFailure);
    assert.equal(await statusOf('d1'), 'maintenance');
  });

  it('does the same with a load balancer of AWS, and finds what was left out of service there', async () => {
    const { activities, context, input, dispatchers, read } = setup();
    const elb = await elbServer();
    const before = { ...process.env };
    try {
      process.env['AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2'] = elb.url;
      process.env['AWS_ACCESS_KEY_ID'] = process.env['AWS_SECRET_ACCESS_KEY'] = 'anything';
      [elb.onRegister.health, elb.onDeregister.health] = [{ state: 'healthy' }, undefined];
      const targets = dispatchers.map((one, n) => ({ ...one, server: `10.0.0.${n + 1}:80` }));
      for (const { server } of targets) elb.targets.set(server, { state: 'healthy' });
      const loadBalancer = { type: 'elbv2', targetGroup: TARGET_GROUP, url: site.balancer.url } as const;
      const outOfService = async () => {
        const asked = { instances: [], artifacts: [], loadBalancer, dispatchers: targets, log };
        return run(context, activities.preflightEnvironment, asked);
      };
      const first = { ...input, loadBalancer, dispatcher: targets[0] ?? input.dispatcher };
      await run(context, activities.detachDispatcher, first);
      assert.deepEqual(await outOfService(), { troubles: [], out: ['dispatcher-d1'] });
      await run(context, activities.attachDispatcher, first);
      assert.deepEqual(await outOfService(), { troubles: [], out: [] });
      await run(context, activities.detachDispatcher, first);
      await run(context, activities.attachDispatcher, { ...first, whateverItAnswers: true });
      assert.deepEqual(await outOfService(), { troubles: [], out: [] });
      assert.match(
        await read(log),
        /10\.0\.0\.1:80 is in maintenance, 1 of 2 servers take visitors\n[^]*is up: healthy/,
      );
    } finally {
      for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
      Object.assign(process.env, before);
      await elb.close();
    }
  });

  it('detaches and attaches, twice each, with times, log and heartbeats', async () => {
    const { activities, context, input, read, dispatchers } = setup();
    const beats: unknown[] = [];
    context.on('heartbeat', (detail) => beats.push(detail));
    const started = Date.now();
    const out = await run(context, activities.detachDispatcher, input);
    await run(context, activities.detachDispatcher, input);
    const outOfService = async () => {
      const asked = { instances: [], artifacts: [], loadBalancer: input.loadBalancer, dispatchers, log };
      return (await run(context, activities.preflightEnvironment, asked)).out;
    };
    assert.deepEqual(await outOfService(), ['dispatcher-d1']);
    const back = await run(context, activities.attachDispatcher, input);
    await run(context, activities.attachDispatcher, input);
    assert.deepEqual(await outOfService(), []);
    assert.ok(started <= Date.parse(out.at) && Date.parse(out.at) < Date.parse(back.at));
    assert.match(
      await read(log),
      /Z dispatcher-d1 {2}d1 drains\n.*d1 is in maintenance, 1 of 2 servers take visitors\n[^]*d1 is enabled\n.*d1 is up/,
    );
    assert.ok(beats.includes('d1 drains'));
    const probed = await run(context, activities.probeDispatcher, { dispatcher: input.dispatcher, probe });
    assert.equal(probed.good, true);
  });

  it('refuses to detach a server that is not there', async () => {
    const { activities, context, input } = setup();
    const wrong = { ...input, dispatcher: { ...input.dispatcher, server: 'x1' } };
    await assert.rejects(
      run(context, activities.detachDispatcher, wrong),
      (error: Failure) => error instanceof Failure && error.type === 'Missing',
    );
  });

  const failing = (metrics: readonly Metric[]) =>
    metrics.filter(({ passed }) => !passed).map(({ kpi }) => kpi);

  it('gives one verdict per security check, and says in the log where it fails', async () => {
    const { storage, context, read } = setup();
    const { securityTest } = securityTestActivities({ storage, secret: async () => 'admin:long' });
    const input = {
      ...{ executionKey: 'p/l/e', environment: environment(), log },
      gates: { crxde_support: { severity: 'informational' as const } },
    };
    const { metrics, results } = await run(context, securityTest, input);
    // These servers answer everything with 200.
    assert.equal(metrics.length, 20);
    assert.ok(failing(metrics).includes('crxde_support'));
    assert.equal(metrics.find(({ kpi }) => kpi === 'crxde_support')?.severity, 'informational');
    assert.match(await read(log), /crxde_support failed on publish1: GET \/crx\/de\/index.jsp answered 200/);
    assert.match(await read(results.key), /"evidence"/);
  });
});
