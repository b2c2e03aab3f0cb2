import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { request } from 'undici';
import { productFunctionalTestActivities } from '../../src/activities/product-functional-test.ts';
import { probe, startEnvironment, type LocalEnvironment } from '../../src/local/environment.ts';
import type { FunctionalTestOutcome, ProductTestInput } from '../../src/model/activities.ts';
import { environmentSchema, type Environment } from '../../src/model/schema/definition.ts';
import { granite } from '../../src/systems/granite.ts';
import { createPage, replicate } from '../../src/systems/functional-tests/product/test-page.ts';
import { secrets } from '../../src/systems/secrets.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import { packageFile, storedArtifact } from '../support/aem-packages.ts';
import { temporaryFolder } from '../support/folder.ts';
import { testModule } from '../local/dispatcher/bench.ts';

const PAGE = '/content/site/fairway-product-test-3';

describe('product functional testing', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  const storage = () => fileStorage(join(folder(), 'storage'));
  const log = async () => text(await storage().get('1/2/3/logs/productFunctionalTest.log'));
  let place = '';
  let local: LocalEnvironment;
  let environment: Environment;

  before(async () => {
    place = await mkdtemp(join(tmpdir(), 'fairway-test-'));
    local = await startEnvironment({
      ...{ programId: '1', id: '10', name: 'Stage', type: 'stage', pairs: 1 },
      ...{ folder: place, secretsFolder: join(place, 'secrets'), modulePath: await testModule() },
    });
    environment = environmentSchema.parse(local.definition);
  });
  after(async () => {
    await local.stop();
    await rm(place, { recursive: true, force: true });
  });
  afterEach(async () => {
    for (const { faults } of [local.author, ...local.publish]) faults.replications.release();
    assert.deepEqual(await statuses(), [404, 404, 404], 'the page is on no node');
  });

  /** Of the page on author, publish and dispatcher. */
  async function statuses(): Promise<number[]> {
    const authorization = `Basic ${Buffer.from(local.author.credentials).toString('base64')}`;
    const asked = [
      request(`${local.author.url}${PAGE}.json`, { headers: { authorization } }),
      request(`${local.publish[0]!.url}${PAGE}.json`),
      request(`${local.dispatchers[0]!.url}${PAGE}.html`, { headers: { host: probe.host } }),
    ];
    return Promise.all(
      asked.map(async (answer) => {
        const { statusCode, body } = await answer;
        await body.dump();
        return statusCode;
      }),
    );
  }

  /** @param onLine called with what the activity says */
  function run(
    change: Partial<ProductTestInput> = {},
    onLine: (line: string, cancel: () => void) => void = () => undefined,
    patienceMs = 30_000,
  ): Promise<FunctionalTestOutcome> {
    const mock = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    mock.on('heartbeat', (line: unknown) => onLine(String(line), () => mock.cancel()));
    const secret = secrets({ env: {}, folder: join(place, 'secrets') });
    const { productFunctionalTest } = productFunctionalTestActivities({
      ...{ storage: storage(), secret, patienceMs },
    });
    return mock.run<[ProductTestInput], FunctionalTestOutcome, typeof productFunctionalTest>(
      productFunctionalTest,
      {
        ...{ executionKey: '1/2/3', environment, artifacts: [], log: '1/2/3/logs/productFunctionalTest.log' },
        ...change,
      },
    );
  }

  it('uses author, publish and dispatcher as people do', async () => {
    const { passed, result, tests, report } = await run();
    assert.match(result, /^passed: 18 tests, 4 skipped$/);
    assert.deepEqual([passed, tests.failed], [true, 0]);
    const xml = await text(await storage().get(report!.key));
    assert.match(xml, /<testcase classname="product\.dispatcher1" name="serves it from its cache"[^>]*\/>/);
    assert.match(xml, /name="has the packages"[^>]*>\s*<skipped message="the build has no AEM packages"\/>/);
    assert.doesNotMatch(`${xml}${await log()}`, new RegExp(local.author.credentials.slice('admin:'.length)));
  });

  it('fails where a package has not arrived, and names it', async () => {
    const artifact = await storedArtifact(storage(), await packageFile(folder(), { name: 'site.missing' }));
    const { passed, result, failures } = await run({ artifacts: [artifact] });
    assert.equal(passed, false);
    assert.match(result, /^2 of \d+ tests failed: product\.author\.has the packages, product\.publish1\.has/);
    assert.match(failures[0]!.message, /not installed: com\.example\.site:site\.missing:1\.0\.0/);
  });

  it('fails when the author cannot save, and says of the rest why it was not run', async () => {
    local.author.faults.fullDisk = true;
    const { passed, result } = await run().finally(() => (local.author.faults.fullDisk = false));
    assert.equal(passed, false);
    assert.match(result, /^1 of \d+ tests failed: product\.page\.can be created$/);
    assert.match(await log(), /failed page can be created: .* answered 500: .*No space left/);
    assert.match(await log(), /skipped page can be published: the page was not created/);
  });

  it('fails when what is published does not arrive; it comes later and stays nowhere', async () => {
    local.author.faults.replications.hold();
    const { passed, failures } = await run({}, undefined, 600);
    assert.equal(passed, false);
    assert.equal(failures[0]?.name, 'product.publish1.has the published page');
    assert.match(failures[0].message, /is not there and should be ".*first", for 0\.6 s/);
    local.author.faults.replications.release();
    await local.author.replicated();
  });

  it('fails when a dispatcher goes on serving what was changed', async () => {
    const { replications } = local.publish[0]!.faults;
    const outcome = await run(
      {},
      (line) => {
        if (line.startsWith('passed dispatcher1 serves it from its cache')) replications.hold();
        if (line.startsWith('failed dispatcher1 serves the withdrawn page')) replications.release();
      },
      600,
    );
    assert.deepEqual(
      outcome.failures.map(({ name }) => name),
      [
        'product.dispatcher1.drops from its cache what is published anew',
        'product.dispatcher1.serves the withdrawn page no more',
      ],
    );
  });

  it('fails when a dispatcher asks its publish instance each time', async () => {
    const dispatchers = environment.dispatchers.map((one) => ({ ...one, url: local.publish[0]!.url }));
    const { failures } = await run({ environment: { ...environment, dispatchers } });
    assert.deepEqual(
      failures.map(({ name }) => name),
      ['product.dispatcher1.serves it from its cache'],
    );
    assert.match(failures[0]!.message, /visitors see .* "[^"]* unpublished" and should see it "[^"]* first"/);
  });

  it('skips what an instance does not have, with the reason', async () => {
    const sling = (one: Environment['author'][number]) => ({ ...one, packageManager: 'composum' as const });
    const author = environment.author.map(sling);
    const publish = environment.publish.map(sling);
    const { passed } = await run({ environment: { ...environment, author, publish } });
    assert.equal(passed, true);
    assert.match(await log(), /skipped page can be published: Apache Sling has no replication/);
    assert.match(await log(), /passed page can be deleted/);
  });

  it('leaves nothing when it is cancelled', async () => {
    const cancelled = run(
      {},
      (line, cancel) => line.startsWith('passed dispatcher1 serves the p') && cancel(),
    );
    await assert.rejects(cancelled, { name: 'CancelledFailure' });
    assert.match(await log(), /\ncancelled\n$/);
  });

  it('removes what an attempt left that died, and begins anew', async () => {
    const author = granite(local.author);
    const { signal } = new AbortController();
    await createPage(author, { path: PAGE }, 'left', true, signal);
    await replicate(author, 'Activate', PAGE, signal);
    const { passed } = await run();
    assert.equal(passed, true);
    assert.match(await log(), /fairway-product-test-3 is there, left by an earlier attempt: it is removed/);
  });
});
