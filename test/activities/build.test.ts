import assert from 'node:assert/strict';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { buildActivities, type BuildDeps } from '../../src/activities/build.ts';
import { functionalTestActivities } from '../../src/activities/functional-test.ts';
import { startAem } from '../../src/local/aem/aem.ts';
import { installFirstRelease } from '../../src/local/first-release.ts';
import { cacheFolder } from '../../src/local/setup/prepare.ts';
import type {
  BuildInput,
  BuildOutput,
  FunctionalTestInput,
  FunctionalTestOutcome,
} from '../../src/model/activities.ts';
import { testJarOf } from '../../src/model/artifacts.ts';
import { programSchema } from '../../src/model/schema/definition.ts';
import type { Failure } from '../../src/systems/failure.ts';
import { secretVariableKey } from '../../src/model/variables.ts';
import { encryptVariable } from '../../src/systems/secret-variables.ts';
import { secrets } from '../../src/systems/secrets.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import { temporaryFolder } from '../support/folder.ts';
import { gitRepository } from '../support/git-repository.ts';
import { mavenProject } from '../support/maven-project.ts';
import { podman } from '../support/podman.ts';
import { until } from '../support/until.ts';

const SITE = resolve(import.meta.dirname, '../../examples/site');

describe('the build', function () {
  this.timeout(300_000);
  const folder = temporaryFolder();
  const storage = () => fileStorage(join(folder(), 'storage'));
  const log = async () => text(await storage().get('1/2/3/logs/build.log'));

  async function inputFor(commit: string, variables: Record<string, string> = {}): Promise<BuildInput> {
    const environment = (id: string, type: string) => ({
      ...{ id, name: type, type, publish: [], dispatchers: [] },
      author: [{ id: 'author', url: 'http://127.0.0.1:1', credentials: 'AUTHOR' }],
    });
    const { pipelines } = programSchema.parse({
      ...{ id: '1', name: 'Program', type: 'aem_managed_services' },
      environments: [environment('10', 'stage'), environment('20', 'prod')],
      pipelines: [
        {
          ...{ id: '2', name: 'Production', type: 'production', variables },
          repository: { url: `file://${join(folder(), 'origin')}`, branch: 'main' },
          ...{ stageEnvironment: '10', productionEnvironment: '20' },
        },
      ],
    });
    const [pipeline] = pipelines;
    assert.ok(pipeline);
    return {
      ...{ programId: '1', programName: 'Program', pipeline, executionId: '3', commit },
      artifactsVersion: '2026.1122.183000.0000000003',
      flavour: 'aem_managed_services',
      log: '1/2/3/logs/build.log',
    };
  }

  function build(input: BuildInput, more: Partial<BuildDeps> = {}) {
    const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    const heartbeats: unknown[] = [];
    environment.on('heartbeat', (detail: unknown) => heartbeats.push(detail));
    const activities = buildActivities({
      storage: storage(),
      secret: secrets({ env: {} }),
      workFolder: join(folder(), 'work'),
      engine: { engine: 'local' },
      mavenRepository: join(homedir(), '.m2', 'repository'),
      allowFileRepositories: true,
      ...more,
    });
    const output = environment.run<[BuildInput], BuildOutput, (given: BuildInput) => Promise<BuildOutput>>(
      (given) => activities.build(given),
      input,
    );
    output.catch(() => undefined); // looked at later
    return { output, heartbeats, cancel: () => environment.cancel() };
  }

  it('builds the example site in a container and brings its packages to storage', async () => {
    const origin = join(folder(), 'origin');
    await cp(SITE, origin, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !path.endsWith('/target'),
    });
    const commit = await (await gitRepository(origin)).commit({});

    const running = build(await inputFor(commit), { engine: await podman() });
    const { artifacts, engine, reports, code } = await running.output;

    assert.equal(engine, 'container (podman, /:O)');
    const kinds: Record<string, string> = Object.fromEntries(
      artifacts.map((artifact): [string, string] => [artifact.path.split('/')[0] ?? '', artifact.kind]),
    );
    assert.equal(kinds.all, 'aem');
    assert.equal(kinds.dispatcher, 'dispatcher');
    assert.match(testJarOf(artifacts)?.path ?? '', /^it\.tests\/target\/.*-jar-with-dependencies\.jar$/);
    const all = artifacts.find(({ path }) => path.startsWith('all/'));
    assert.ok(all?.kind === 'aem');
    assert.equal(all.package.id.version, '1.0.0.2026_1122_183000_0000000003');
    assert.match(
      all.file.key,
      /^1\/2\/3\/artifacts\/all\/site\.all-1\.0\.0\.2026_1122_183000_0000000003\.zip$/,
    );
    for (const { file } of artifacts) await storage().fetch(file, join(folder(), 'fetched.zip'));

    assert.ok(reports.tests.run > 0);
    assert.equal(reports.tests.failed, 0);
    assert.equal(code?.key, '1/2/3/code.zip');
    const written = await log();
    assert.match(written, /building [0-9a-f]{40} of branch main in: container \(podman/);
    assert.match(written, /all\/target\/.*\.zip: AEM package .*, to be deployed/);
    assert.match(written, /dispatcher\/target\/.*\.zip: dispatcher package, to be deployed/);
    assert.ok(running.heartbeats.some((detail) => String(detail).includes('BUILD SUCCESS')));
    assert.deepEqual(await readdir(join(folder(), 'work')), []);

    await testAgainstInstances(artifacts);
  });

  /** The site's own functional tests, against instances with its first release. */
  async function testAgainstInstances(artifacts: BuildOutput['artifacts']): Promise<void> {
    const started = async (runMode: 'author' | 'publish') => {
      const place = join(folder(), runMode);
      const aem = await startAem({ runMode, password: 'long', folder: place });
      await installFirstRelease(aem, folder());
      return aem;
    };
    const [author, publish] = [await started('author'), await started('publish')];
    const instance = ({ url }: { url: string }, id: string) => ({ id, url, credentials: 'ADMIN' });
    const { functionalTest } = functionalTestActivities({
      ...{ storage: storage(), workFolder: join(folder(), 'work'), engine: { engine: 'local' } },
      mavenRepository: join(homedir(), '.m2', 'repository'),
      analysers: join(cacheFolder(), 'analysers'),
      secret: async () => 'admin:long',
    });
    const input: FunctionalTestInput = {
      ...{ executionKey: '1/2/3', artifacts, log: '1/2/3/logs/functionalTest.log' },
      environment: {
        ...{ id: '10', name: 'Stage', type: 'stage', dispatchers: [], probe: { path: '/' } },
        ...{ author: [instance(author, 'author')], publish: [instance(publish, 'publish1')] },
      },
    };
    const outcome = await new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') })
      .run<
        [FunctionalTestInput],
        FunctionalTestOutcome,
        (given: FunctionalTestInput) => Promise<FunctionalTestOutcome>
      >((given) => functionalTest(given), input)
      .finally(() => Promise.all([author.stop(), publish.stop()]));
    assert.equal(outcome.result, 'passed: 4 tests');
  }

  describe('of a small project', () => {
    let commit = '';
    beforeEach(async () => {
      commit = await (await gitRepository(join(folder(), 'origin'))).commit(mavenProject);
    });

    it('fails on a failing unit test and names it; gives builds their variables and nothing else, secret values are shown nowhere', async () => {
      const secret = secrets({ env: { FAIRWAY_SECRET_VARIABLES_KEY: '07'.repeat(32) } });
      const reference = { name: 'FAIL', version: 'v1' };
      const place = { programId: '1', pipelineId: '2', ...reference };
      const content = await encryptVariable(secret, place, 'because I say so');
      await storage().put(secretVariableKey('1', '2', reference), content);
      process.env.FAIRWAY_SECRET_PROBE = 'hidden';
      const variables = { OWN: 'yes', CM_PERF_TEST_BASIC_USERNAME: 'visitor' };
      const input = { ...(await inputFor(commit, variables)), secretVariables: [reference] };
      await assert.rejects(build(input, { secret }).output, (error: Failure) => {
        assert.equal(error.type, 'BuildFailed');
        assert.equal(error.message, '1 of 1 unit tests failed: com.example.SmallTest.behaves');
        assert.match(error.details.join('\n'), /it was told to fail.*\*\*\*/);
        assert.doesNotMatch(error.details.join('\n'), /I say so/);
        return true;
      });
      delete process.env.FAIRWAY_SECRET_PROBE;
      const written = await log();
      const given = /variables: \[(.*)\]/.exec(written)?.[1]?.split(', ') ?? [];
      for (const name of ['CM_BUILD', 'BRANCH', 'CM_PIPELINE_ID', 'CM_PIPELINE_NAME', 'CM_PROGRAM_ID'])
        assert.ok(given.includes(name), name);
      for (const name of ['CM_PROGRAM_NAME', 'ARTIFACTS_VERSION', 'OWN', 'FAIL'])
        assert.ok(given.includes(name), name);
      assert.ok(!given.some((name) => /^(FAIRWAY_SECRET|CM_PERF)/.test(name)), given.join());
      assert.match(written, /1 of 1 unit tests failed: com\.example\.SmallTest\.behaves\n/);
      assert.doesNotMatch(written, /I say so/);
      assert.deepEqual(await readdir(join(folder(), 'work')), []);
    });

    it('is not begun when a secret variable cannot be had: the key is lost', async () => {
      const secret = secrets({ env: { FAIRWAY_SECRET_VARIABLES_KEY: '07'.repeat(32) } });
      const reference = { name: 'TOKEN', version: 'v1' };
      const place = { programId: '1', pipelineId: '2', ...reference };
      await storage().put(secretVariableKey('1', '2', reference), await encryptVariable(secret, place, 'x'));
      const input = { ...(await inputFor(commit)), secretVariables: [reference] };
      await assert.rejects(build(input).output, { type: 'Missing', message: /secret variables need a key/ });
      assert.doesNotMatch(await log(), /building/);
    });

    /** A Maven repository that answers so, and how builds are told of it. */
    async function repository(answer: RequestListener) {
      const server = createServer(answer);
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
      const { port } = server.address() as AddressInfo;
      const mavenSettings = join(folder(), 'settings.xml');
      const mirror = `<id>only</id><mirrorOf>*</mirrorOf><url>http://127.0.0.1:${port}</url>`;
      await writeFile(mavenSettings, `<settings><mirrors><mirror>${mirror}</mirror></mirrors></settings>`);
      const close = () => {
        server.closeAllConnections();
        server.close();
      };
      return { close, deps: { mavenSettings, mavenRepository: join(folder(), 'empty') } };
    }

    it('that waits for a repository that never answers is ended, and the log says what to do', async () => {
      const { close, deps } = await repository(() => undefined);
      const { output } = build(await inputFor(commit), { ...deps, silenceMinutes: 0.15 });
      await assert
        .rejects(output, {
          type: 'BuildFailed',
          message:
            /^Maven said nothing for 0\.15 minutes in org\.codehaus\.mojo:versions.* "build\.silenceMinutes"/,
        })
        .finally(close);
      assert.equal(await processesOf('1-2-3'), 0);
      assert.deepEqual(await readdir(join(folder(), 'work')), []);
      assert.match(await log(), /Maven said nothing for 0\.15 minutes/);
    });

    it('asks a repository again that is busy, and the next time for what it did not have; says what it lacks', async () => {
      const asked: string[] = [];
      const { close, deps } = await repository(({ url = '' }, response) => {
        response.writeHead(asked.push(url) === 1 ? 503 : 404).end();
      });
      const lacks = (error: Failure) => {
        assert.equal(error.type, 'BuildFailed');
        assert.match(error.details.join('\n'), /Could not find artifact .*versions-maven-plugin/);
        return true;
      };
      const input = await inputFor(commit);
      await assert.rejects(build(input, deps).output, lacks);
      const first = asked.splice(0);
      await assert.rejects(build(input, deps).output, lacks).finally(close);
      assert.equal(first[0], first[1]);
      assert.equal(asked[0], first[0]);
    });

    it('shows its log while it runs; cancelling ends everything it started', async () => {
      const left = join(folder(), 'work', '1-2-3.of-a-dead-attempt');
      await mkdir(left, { recursive: true });
      const { output, cancel } = build(await inputFor(commit, { SLEEP: 'yes' }));
      await until(
        'the log says that the test sleeps',
        async () => (await log().catch(() => '')).includes('sleeping now'),
        120_000,
      );
      assert.equal((await readdir(join(folder(), 'work'))).length, 1);
      assert.ok((await processesOf('1-2-3')) >= 3, 'Maven, its test process and what that started');
      const cancelled = Date.now();
      cancel();
      await assert.rejects(output, { name: 'CancelledFailure' });
      assert.ok(Date.now() - cancelled < 15_000);
      assert.equal(await processesOf('1-2-3'), 0);
      assert.deepEqual(await readdir(join(folder(), 'work')), []);
      assert.match(await log(), /cancelled\n$/);
    });
  });

  it('says that a repository is no Maven project, and that a commit is gone', async () => {
    const commit = await (await gitRepository(join(folder(), 'origin'))).commit({ 'README.md': 'nothing' });
    await assert.rejects(build(await inputFor(commit)).output, {
      type: 'BuildFailed',
      message: /no pom\.xml/,
    });
    await assert.rejects(build(await inputFor('0'.repeat(40))).output, {
      type: 'Missing',
      message: /no longer/,
    });
  });
});

/** How many processes carry the mark of a build, without those that have ended. */
async function processesOf(id: string): Promise<number> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const marks = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')),
  );
  return marks.filter((environment) => environment.includes(`\0FAIRWAY_BUILD=${id}-`)).length;
}
