import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { CancelledFailure } from '@temporalio/activity';
import { DefaultLogger } from '@temporalio/worker';
import { loadBalancerActivities } from '../../src/activities/load-balancer.ts';
import { testActivities } from '../../src/activities/tests.ts';
import type { Metric } from '../../src/model/gates.ts';
import { environmentSchema } from '../../src/model/schema/definition.ts';
import { Failure } from '../../src/systems/failure.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import { temporaryFolder } from '../support/folder.ts';
import { until } from '../support/until.ts';
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
    const activities = loadBalancerActivities({ storage });
    const context = quiet();
    const read = (key: string) => readFile(join(folder(), 'storage', key), 'utf8');
    const input = { loadBalancer, dispatcher, probe, log };
    return { storage, activities, context, read, input, dispatchers };
  };
  const statusOf = async (name: string) =>
    (await site.loadBalancer.servers()).find((server) => server.name === name)?.status;

  it('names everything that keeps the load balancer from being used, before anything is changed', async () => {
    const { activities, context, input, dispatchers } = setup();
    const preflight = (change: object, which = dispatchers) =>
      run(context, activities.preflightLoadBalancer, {
        loadBalancer: { ...input.loadBalancer, ...change },
        dispatchers: which,
      });
    assert.deepEqual(await preflight({}), []);
    const unknown = await preflight({}, [
      { ...input.dispatcher, server: 'x1' },
      { ...input.dispatcher, id: 'other', server: 'x2' },
    ]);
    assert.equal(unknown.length, 2);
    assert.match(unknown.join('\n'), /dispatcher-d1: .*no server x1, it has d1, d2.*\n.*other: .*x2/);
    assert.match((await preflight({ backend: 'typo' })).join(), /no backend typo/);
    assert.match((await preflight({ socket: '/nowhere.sock' })).join(), /does not answer on \/nowhere\.sock/);
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

  it('detaches and attaches, twice each, with times, log and heartbeats', async () => {
    const { activities, context, input, read, dispatchers } = setup();
    const beats: unknown[] = [];
    context.on('heartbeat', (detail) => beats.push(detail));
    const started = Date.now();
    const out = await run(context, activities.detachDispatcher, input);
    await run(context, activities.detachDispatcher, input);
    const outOfService = () =>
      run(context, activities.outOfService, { loadBalancer: input.loadBalancer, dispatchers });
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

  it('measures the load that visitors would see, and keeps the results', async () => {
    const { storage, context, read } = setup();
    const goals = { durationSeconds: 1, viewsPerMinute: 1200, responseTimeMs: 2000, paths: ['/page'] };
    const { loadTest } = testActivities({ storage });
    const input = { executionKey: 'p/l/e', environment: environment(), goals, log };
    const good = await run(context, loadTest, input);
    assert.deepEqual(failing(good.metrics), []);
    assert.equal(good.results.key, 'p/l/e/results/loadTest.json');
    assert.match(await read(good.results.key), /"kpi": "response_time"/);
    assert.ok(site.backends.some(({ visits }) => visits > 0));

    for (const backend of site.backends) backend.healthy = false;
    await until(
      'both are down',
      async () => (await statusOf('d1')) === 'down' && (await statusOf('d2')) === 'down',
    );
    const bad = await run(context, loadTest, input);
    assert.deepEqual(failing(bad.metrics), ['error_rate']);
    assert.match(
      await read(log),
      /\/page status 503\n[^]*FAILED error_rate \(critical\): 100, expected LT 2/,
    );
  });

  it('ends a load test that is cancelled', async () => {
    const { storage } = setup();
    const context = quiet();
    const goals = { durationSeconds: 600, viewsPerMinute: 600, responseTimeMs: 2000, paths: ['/page'] };
    const { loadTest } = testActivities({ storage });
    const running = run(context, loadTest, { executionKey: 'e', environment: environment(), goals, log });
    await until('visits', () => site.backends.some(({ visits }) => visits > 0));
    context.cancel();
    await assert.rejects(running, CancelledFailure);
  });

  it('gives one verdict per security check, and says in the log where it fails', async () => {
    const { storage, context, read } = setup();
    const { securityTest } = testActivities({ storage });
    const input = { executionKey: 'p/l/e', environment: environment(), log };
    const { metrics, results } = await run(context, securityTest, input);
    // These servers answer everything with 200.
    assert.equal(metrics.length, 12);
    assert.ok(failing(metrics).includes('crxde_support'));
    assert.match(await read(log), /crxde_support failed on publish1: GET \/crx\/de\/index.jsp answered 200/);
    assert.match(await read(results.key), /"evidence"/);
  });

  it('judges code quality by the reports of the build', async () => {
    const { storage, context } = setup();
    const { codeQuality } = testActivities({ storage });
    const reports = { tests: { run: 9, failed: 0, skipped: 2 } };
    const { metrics } = await run(context, codeQuality, { executionKey: 'p/l/e', reports, log });
    assert.deepEqual(failing(metrics), ['coverage', 'skipped_tests']);
  });
});
