import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { CancelledFailure } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { assetsTestActivities } from '../../src/activities/assets-test.ts';
import { loadTestActivities } from '../../src/activities/load-test.ts';
import { startAem, type AemStandIn } from '../../src/local/aem/aem.ts';
import type { LoadTestInput, TestOutcome } from '../../src/model/activities.ts';
import { environmentSchema, programSchema } from '../../src/model/schema/definition.ts';
import { Failure } from '../../src/systems/failure.ts';
import { encryptVariable } from '../../src/systems/secret-variables.ts';
import { secrets, type Secrets } from '../../src/systems/secrets.ts';
import type { Storage } from '../../src/systems/storage/storage.ts';
import { siteSettings } from '../../src/activities/variables.ts';
import { secretVariableKey } from '../../src/model/variables.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import { definition } from '../support/definition.ts';
import { temporaryFolder } from '../support/folder.ts';
import { httpServer, type HttpServer } from '../support/http-server.ts';
import { until } from '../support/until.ts';

const log = 'p/l/0000000042/step.log';
const quiet = (attempt = 1) =>
  new MockActivityEnvironment({ attempt }, { logger: new DefaultLogger('ERROR') });
const failing = ({ metrics }: TestOutcome) =>
  metrics.filter(({ passed }) => !passed).map(({ kpi, actualValue }) => `${kpi} ${actualValue}`);

describe('the performance tests of a stage', () => {
  const servers: HttpServer[] = [];
  /** Of a host that is half busy. */
  let exporter: HttpServer;
  before(async () => {
    let asked = 0;
    exporter = await httpServer((_, response) => {
      asked++;
      response.end(
        [
          ...['idle', 'user'].map((mode) => `node_cpu_seconds_total{cpu="0",mode="${mode}"} ${asked}`),
          'node_cpu_seconds_total{cpu="0",mode="iowait"} 0',
          'node_disk_io_time_seconds_total{device="sda"} 0',
          'node_network_receive_bytes_total{device="eth0"} 0',
          'node_network_transmit_bytes_total{device="eth0"} 0',
        ].join('\n'),
      );
    });
  });
  after(() => exporter.close());
  afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));
  const folder = temporaryFolder();

  const page: RequestListener = ({ url }, response) =>
    response
      .writeHead(url === '/gone' ? 404 : 200, { 'content-type': 'text/html' })
      .end('<a href="/news"></a><a href="https://elsewhere.example/">e</a>');
  const setup = async (
    change: { performance?: object; site?: RequestListener; author?: string; metrics?: object } = {},
  ) => {
    const site = await httpServer(change.site ?? page);
    servers.push(site);
    const node = {
      url: site.url,
      metrics: { exporter: `${exporter.url}/metrics`, networkMbits: 1_000, ...change.metrics },
    };
    const environment = environmentSchema.parse({
      ...{ id: '11', name: 'Stage', type: 'stage', probe: { path: '/home' } },
      author: [{ id: 'author', ...node, url: change.author ?? site.url, credentials: 'A' }],
      publish: [{ id: 'publish1', ...node, credentials: 'A' }],
      dispatchers: [],
    });
    const { performance: goals } = programSchema.parse(
      definition({}, { performance: { durationSeconds: 1, viewsPerMinute: 1200, ...change.performance } }),
    );
    const storage = fileStorage(join(folder(), 'storage'));
    const input: LoadTestInput = {
      ...{ executionKey: 'p/l/0000000042', gates: {}, environment, goals, log },
      variables: { plain: {}, secret: [] },
    };
    const read = (key: string) => readFile(join(folder(), 'storage', key), 'utf8');
    return { input, storage, read, site };
  };
  type Activity = (input: LoadTestInput) => Promise<TestOutcome>;
  const run = (context: MockActivityEnvironment, activity: Activity, input: LoadTestInput) =>
    context.run<[LoadTestInput], TestOutcome, Activity>(activity, input);

  describe('load test', () => {
    const secret = async () => 'visitor:password';
    const test = async (change: Parameters<typeof setup>[0] = {}, context = quiet()) => {
      const world = await setup(change);
      const { loadTest } = loadTestActivities({ storage: world.storage, secret });
      return { ...world, outcome: await run(context, loadTest, world.input) };
    };

    it('of a site that answers badly fails, and lists the pages', async () => {
      const { outcome, read } = await test({
        performance: { pages: { popular: ['/home'], new: ['/gone'] } },
      });
      assert.deepEqual(failing(outcome), ['error_rate 50']);
      const pages = await read('p/l/0000000042/results/loadTest-error-pages.csv');
      assert.match(pages, /\/gone,10,10,\d+,\d+,status 404/);
      assert.match(
        await read(log),
        /failing: \/gone, 10 of 10 times: status 404\n[^]*FAILED error_rate \(critical\): 50, expected < 2/,
      );
    });

    it('of a slow site fails against the KPI of the program, and lists the slow pages', async () => {
      const site: RequestListener = (request, response) =>
        void setTimeout(() => page(request, response), request.url === '/slow' ? 300 : 0);
      const pages = { popular: ['/slow'], other: ['/home'] };
      const { outcome, read } = await test({ site, performance: { pages, responseTimeMs: 250 } });
      assert.match(failing(outcome).join(), /^response_time \d{3,}$/);
      const slow = await read('p/l/0000000042/results/loadTest-slow-pages.csv');
      assert.match(slow, /\r\n\/slow,10,0,\d{3,},\d{3,},\r\n/);
    });

    it('of a site that is not there fails, and what could not be measured is unknown', async () => {
      const world = await setup({ metrics: { exporter: 'http://127.0.0.1:1/metrics' } });
      await servers.pop()?.close();
      const { loadTest } = loadTestActivities({ storage: world.storage, secret });
      const outcome = await run(quiet(), loadTest, world.input);
      assert.deepEqual(failing(outcome), [
        ...['error_rate 100', 'response_time unknown', 'peak_resp_time unknown', 'views_per_minute 0'],
        ...['cpu_utilization_rate unknown', 'disk_io_wait_time unknown'],
        ...['disk_bandwidth_util unknown', 'network_bandwidth_util unknown'],
      ]);
      assert.match(outcome.problems?.join('\n') ?? '', /author: no answer from [^]*publish1: no answer from/);
    });

    it('finds the pages, measures visitors and nodes, and keeps results, series and picture', async () => {
      const context = quiet();
      const beats: unknown[] = [];
      context.on('heartbeat', (detail) => beats.push(detail));
      const { outcome, read, storage } = await test({ performance: { credentials: 'SITE' } }, context);
      assert.deepEqual(failing(outcome), []);
      assert.deepEqual(await storage.list('p/l/0000000042/results/'), [
        'p/l/0000000042/results/loadTest.csv',
        'p/l/0000000042/results/loadTest.json',
        'p/l/0000000042/results/loadTest.svg',
      ]);
      const results = JSON.parse(await read(outcome.results.key)) as { nodes: object[]; pageSets: object[] };
      assert.deepEqual(results.pageSets, [{ name: 'other', pages: 2 }]);
      assert.deepEqual(
        results.nodes.map((node) => Object.keys(node)[0]),
        ['node', 'node'],
      );
      assert.ok(
        outcome.metrics.every(({ actualValue }) => actualValue !== 'unknown'),
        JSON.stringify(outcome.metrics),
      );
      assert.match(
        await read(log),
        /2 pages found, 2 links to other sites not followed\n[^]*other pages: 2, 100 %/,
      );
      assert.ok(beats.includes('20 of 20 page views') && beats.includes('2 pages found'));
    });

    describe('of a site behind HTTP Basic', () => {
      const owner = { programId: 'p', pipelineId: 'l' };
      const password = { name: 'CM_PERF_TEST_BASIC_PASSWORD', version: 'v1' };
      const secretValue: Secrets = async (name) => (name === 'VARIABLES_KEY' ? '07'.repeat(32) : 'other:one');
      const entered: (string | undefined)[] = [];
      const site: RequestListener = (request, response) => {
        entered.push(request.headers.authorization);
        page(request, response);
      };
      const keepPassword = async (storage: Storage) =>
        storage.put(
          secretVariableKey('p', 'l', password),
          await encryptVariable(secretValue, { ...owner, ...password }, 'a:b'),
        );

      it('enters with the variables of the pipeline, before what the program has', async () => {
        const { input, storage, read } = await setup({ site, performance: { credentials: 'SITE' } });
        await keepPassword(storage);
        const { loadTest } = loadTestActivities({ storage, secret: secretValue });
        const plain = { CM_PERF_TEST_BASIC_USERNAME: 'visitor', CM_PERF_TEST_CRAWLER_MAX_PAGES: '2000' };
        await run(quiet(), loadTest, { ...input, variables: { plain, secret: [password] } });
        assert.deepEqual([...new Set(entered)], [`Basic ${btoa('visitor:a:b')}`]);
        const said = await read(log);
        assert.match(said, /looking for pages from \/home, 2000 at most/);
        assert.ok(!said.includes('a:b'));
      });

      it('says what is wrong with the variables', async () => {
        const { storage, input } = await setup();
        const settings = (
          plain: Record<string, string>,
          secret: Secrets = secretValue,
          withPassword = true,
        ) =>
          siteSettings(
            { storage, secret },
            owner,
            { plain, secret: withPassword ? [password] : [] },
            input.goals,
          );
        const user = { CM_PERF_TEST_BASIC_USERNAME: 'visitor' };
        await assert.rejects(settings(user), { type: 'Missing', message: /not in storage/ });
        await keepPassword(storage);
        assert.equal((await settings(user)).credentials, 'visitor:a:b');
        await assert.rejects(
          settings({}),
          /BASIC_PASSWORD is set and .*USERNAME is not: set both or neither/,
        );
        await assert.rejects(settings(user, secretValue, false), /USERNAME is set and .*PASSWORD is not/);
        await assert.rejects(settings({ CM_PERF_TEST_BASIC_USERNAME: 'a:b' }), /not contain a colon/);
        await assert.rejects(settings(user, secrets({ env: {} })), /secret variables need a key/);
        for (const pages of ['1999', '7001', '2000.5', 'many', ''])
          await assert.rejects(
            settings({ CM_PERF_TEST_CRAWLER_MAX_PAGES: pages }, secretValue, false),
            /from 2000 to 7000/,
          );
      });
    });

    it('begins anew after an attempt that died, and says so', async () => {
      const { outcome, read } = await test({}, quiet(2));
      assert.deepEqual(failing(outcome), []);
      assert.match(await read(log), /attempt 2: the one before did not come to its end; begins anew/);
    });

    it('that is cancelled sends nothing more, though the site owes answers', async () => {
      let [asked, answered] = [0, 0];
      const context = quiet();
      const { input, storage } = await setup({
        performance: { durationSeconds: 600, pages: { popular: ['/x'] } },
        site: (_, response) => {
          asked++;
          response.on('close', () => answered++);
        },
      });
      const running = run(context, loadTestActivities({ storage, secret }).loadTest, input);
      await until('requests', () => asked > 5);
      context.cancel();
      await assert.rejects(running, CancelledFailure);
      const before = asked;
      await until('all are cut off', () => answered === asked);
      assert.equal(asked, before);
    });
  });

  describe('assets test', () => {
    let aem: AemStandIn;
    let secret: () => Promise<string>;
    afterEach(() => aem.stop());
    beforeEach(async () => {
      aem = await startAem({ runMode: 'author', password: 'long', folder: join(folder(), 'aem') });
      secret = async () => aem.credentials;
    });
    const DAM = 'repository/content/dam';
    const inDam = () => readdir(join(folder(), 'aem', DAM)).catch(() => []);
    const assets = (uploadsPerMinute: number, durationSeconds = 1) => ({
      ...{ durationSeconds, assets: { uploadsPerMinute } },
    });

    it('uploads images and documents, keeps results, and leaves nothing', async () => {
      const { input, storage, read } = await setup({ author: aem.url, performance: assets(600) });
      const outcome = await run(quiet(), assetsTestActivities({ storage, secret }).assetsTest, input);
      assert.deepEqual(failing(outcome), []);
      assert.equal(outcome.metrics[0]?.kpi, 'assets_error_rate');
      assert.deepEqual(await inDam(), []);
      assert.match(
        await read(log),
        /600 uploads per minute, 70 % of them images, for 1 s to \/content\/dam\/fairway-0000000042 of author\n[^]*removed \/content\/dam\/fairway-0000000042\n/,
      );
      assert.deepEqual(
        outcome.findings?.map(({ key }) => key.replace(/.*\//, '')),
        ['assetsTest.csv', 'assetsTest.svg'],
      );
    });

    it('fails when the author has no space, and still leaves nothing', async () => {
      const { input, storage } = await setup({ author: aem.url, performance: assets(600) });
      const context = quiet();
      context.on('heartbeat', () => (aem.faults.fullDisk = true));
      const outcome = await run(context, assetsTestActivities({ storage, secret }).assetsTest, input);
      assert.match(failing(outcome).join(), /^assets_error_rate [1-9]/);
      assert.deepEqual(await inDam(), []);
    });

    it('with an account that may not write ends with an error that says so', async () => {
      const { input, storage } = await setup({ author: aem.url, performance: assets(600) });
      const { assetsTest } = assetsTestActivities({ storage, secret: async () => 'admin:wrong' });
      await assert.rejects(
        run(quiet(), assetsTest, input),
        (error) => error instanceof Failure && error.type === 'Denied',
      );
    });

    it('that is cancelled leaves nothing', async () => {
      const { input, storage } = await setup({ author: aem.url, performance: assets(1200, 600) });
      const context = quiet();
      const running = run(context, assetsTestActivities({ storage, secret }).assetsTest, input);
      await until('uploads', async () => (await inDam()).length > 0);
      context.cancel();
      await assert.rejects(running, CancelledFailure);
      assert.deepEqual(await inDam(), []);
    });

    it('that cannot remove its folder says what is left and where', async () => {
      const { input, storage } = await setup({ author: aem.url, performance: assets(600) });
      const context = quiet();
      const refusing = await httpServer((request, response) => {
        const isEnd = request.method === 'DELETE' && beats > 0;
        request
          .resume()
          .on('end', () => response.writeHead(isEnd ? 403 : request.method === 'POST' ? 201 : 404).end());
      });
      servers.push(refusing);
      let beats = 0;
      context.on('heartbeat', () => beats++);
      input.environment.author[0]!.url = refusing.url;
      const outcome = await run(context, assetsTestActivities({ storage, secret }).assetsTest, input);
      assert.match(
        outcome.problems?.[0] ?? '',
        /fairway-0000000042 could not be removed, do it by hand: .*status 403/,
      );
    });

    it('after an attempt that died removes what that left', async () => {
      const { input, storage, read } = await setup({ author: aem.url, performance: assets(60) });
      const { assetsTest } = assetsTestActivities({ storage, secret });
      const headers = {
        ...{ authorization: `Basic ${btoa(aem.credentials)}`, 'user-agent': 'curl/8' },
        'content-type': 'application/json',
      };
      const left = await fetch(`${aem.url}/api/assets/fairway-0000000042`, {
        ...{ method: 'POST', headers, body: '{"class":"assetFolder"}' },
      });
      assert.equal(left.status, 201);
      await run(quiet(2), assetsTest, input);
      assert.match(
        await read(log),
        /attempt 2: .*\n.*removed \/content\/dam\/fairway-0000000042, left by an earlier attempt/,
      );
      assert.deepEqual(await inDam(), []);
    });
  });
});
