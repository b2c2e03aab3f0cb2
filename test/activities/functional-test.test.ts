import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { functionalTestActivities, type FunctionalTestDeps } from '../../src/activities/functional-test.ts';
import { cacheFolder } from '../../src/local/setup/prepare.ts';
import type { FunctionalTestInput, FunctionalTestOutcome } from '../../src/model/activities.ts';
import type { KeptArtifact } from '../../src/model/artifacts.ts';
import { localEngine } from '../../src/systems/build-engine/local.ts';
import { testRunner } from '../../src/systems/functional-tests/custom/run-tests.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import { temporaryFolder } from '../support/folder.ts';
import { compileJava, jarOf, testJarHeaders } from '../support/test-jars.ts';
import { until } from '../support/until.ts';

const PASSWORD = 'pass "word" \\ with:all';

const sources = {
  GoodIT: `import org.junit.jupiter.api.*;
    class GoodIT {
      @Test void knowsItsInstances() {
        for (String name : new java.util.TreeSet<>(System.getProperties().stringPropertyNames()))
          if (name.startsWith("sling.it.")) System.out.println(name + "=" + System.getProperty(name));
        Assertions.assertEquals("${PASSWORD.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}", System.getProperty("sling.it.instance.adminPassword.2"));
        System.out.println("variables " + new java.util.TreeSet<>(System.getenv().keySet()));
        System.out.println("command " + ProcessHandle.current().info().commandLine().orElse(""));
        System.out.println("in " + System.getProperty("user.dir"));
      }
      @Test @Disabled("not yet") void later() {}
    }`,
  OldIT: `public class OldIT { @org.junit.Test public void worksWithJUnit4() {} }`,
  NeverFound: `class NeverFound { @org.junit.jupiter.api.Test void isNoIT() { throw new Error("found"); } }`,
  FailingIT: `import org.junit.jupiter.api.*;
    class FailingIT {
      @Test void saysWhy() { Assertions.fail("the page is empty: " + System.getProperty("sling.it.instance.adminPassword.1")); }
      @Test void isFine() {}
    }`,
  LyingIT: `class LyingIT {
      @org.junit.jupiter.api.Test void hides() {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> Runtime.getRuntime().halt(0)));
        throw new IllegalStateException("broken");
      }
    }`,
  QuittingIT: `class QuittingIT { @org.junit.jupiter.api.Test void quits() { System.exit(0); } }`,
  ForgingIT: `class ForgingIT {
      @org.junit.jupiter.api.Test void forges() {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
          try { for (java.io.File file : new java.io.File("reports").listFiles())
            java.nio.file.Files.writeString(file.toPath(), "<testsuite tests='1'><testcase name='x'");
          } catch (Exception error) { error.printStackTrace(); }
        }));
      }
    }`,
  HangingIT: `class HangingIT {
      @org.junit.jupiter.api.Test void hangs() throws Exception {
        new ProcessBuilder("setsid", "sleep", "600").start();
        System.out.println("hanging now");
        Thread.sleep(600_000);
      }
    }`,
  LoudIT: `class LoudIT {
      @org.junit.jupiter.api.Test void isLoud() {
        byte[] line = "x".repeat(999).concat("\\n").getBytes();
        for (int n = 0; n < 50_000; n++) System.out.write(line, 0, 1000);
        for (int n = 0; n < 50_000; n++) System.out.write(line, 0, 999);
        System.out.println();
        System.out.println("the end");
      }
    }`,
  GreedyIT: `class GreedyIT {
      @org.junit.jupiter.api.Test void wantsAll() {
        java.util.List<byte[]> all = new java.util.ArrayList<>();
        for (int n = 0; n < 2_000; n++) all.add(new byte[1_000_000]);
      }
    }`,
};

describe('custom functional testing', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  const storage = () => fileStorage(join(folder(), 'storage'));
  const log = async () => text(await storage().get('1/2/3/logs/functionalTest.log'));
  const mavenRepository = join(homedir(), '.m2', 'repository');
  const analysers = join(cacheFolder(), 'analysers');

  let made = '';
  let classes: Readonly<Record<string, Buffer>> = {};
  before(async () => {
    made = await mkdtemp(join(tmpdir(), 'fairway-test-'));
    const { signal } = new AbortController();
    const tools = { id: 'runner', engine: localEngine(), say: () => undefined, signal };
    const runner = await testRunner({ ...tools, toolsFolder: analysers, mavenRepository }, made);
    classes = await compileJava(made, runner, sources);
  });
  after(() => rm(made, { recursive: true, force: true }));

  async function testJar(...names: (keyof typeof sources)[]): Promise<KeptArtifact> {
    const files = Object.fromEntries(
      Object.entries(classes).filter(([file]) => names.some((name) => file === `${name}.class`)),
    );
    const file = await storage().put('1/2/3/artifacts/tests.jar', await jarOf(testJarHeaders, files));
    return { kind: 'kept', path: 'it.tests/target/tests.jar', file, reason: 'tests', test: 'functional' };
  }

  function start(artifacts: FunctionalTestInput['artifacts'], more: Partial<FunctionalTestDeps> = {}) {
    const { functionalTest } = functionalTestActivities({
      ...{ storage: storage(), workFolder: join(folder(), 'work'), engine: { engine: 'local' } },
      ...{ mavenRepository, analysers, secret: async () => `admin:${PASSWORD}`, ...more },
    });
    const instance = (id: string, port: number) => ({
      id,
      url: `http://127.0.0.1:${port}`,
      credentials: 'ADMIN',
    });
    const input: FunctionalTestInput = {
      ...{ executionKey: '1/2/3', artifacts, log: '1/2/3/logs/functionalTest.log' },
      environment: {
        ...{ id: '11', name: 'Stage', type: 'stage', dispatchers: [], probe: { path: '/' } },
        ...{ author: [instance('author', 1)], publish: [instance('publish1', 2), instance('publish2', 3)] },
      },
    };
    const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    const outcome = environment.run<
      [FunctionalTestInput],
      FunctionalTestOutcome,
      (given: FunctionalTestInput) => Promise<FunctionalTestOutcome>
    >((given) => functionalTest(given), input);
    outcome.catch(() => undefined); // looked at later
    return { outcome, cancel: () => environment.cancel() };
  }
  const run = async (...names: (keyof typeof sources)[]) => start([await testJar(...names)]).outcome;

  it('has passed when the build produced no test JAR, and says so', async () => {
    assert.deepEqual(await start([]).outcome, {
      ...{ passed: true, result: 'passed: no test JAR in the build', failures: [] },
      tests: { run: 0, failed: 0, skipped: 0 },
    });
    assert.equal(await log(), 'passed: no test JAR in the build\n');
  });

  it('runs the classes named *IT of JUnit 4 and 5, tells them their instances, and shows no password', async () => {
    process.env.FAIRWAY_SECRET_PROBE = 'hidden';
    const outcome = await run('GoodIT', 'OldIT', 'NeverFound');
    delete process.env.FAIRWAY_SECRET_PROBE;
    const written = await log();
    assert.equal(outcome.result, 'passed: 2 tests, 1 skipped', written);
    assert.ok(outcome.passed && outcome.report);
    for (const property of ['instances=2', 'instance.url.1=http://127.0.0.1:1', 'instance.runmode.1=author'])
      assert.ok(written.includes(`sling.it.${property}\n`), property);
    for (const property of ['url.2=http://127.0.0.1:2', 'runmode.2=publish', 'adminUser.2=admin'])
      assert.ok(written.includes(`sling.it.instance.${property}\n`), property);
    assert.match(written, /sling\.it\.instance\.adminPassword\.1=\*\*\*/);
    assert.match(written, /command \S*java @\S+java-options\n/);
    assert.match(written, /in \S+\/work\/1-2-3\.\S+\/run\n/);
    assert.doesNotMatch(written, /FAIRWAY_SECRET/);
    const report = await text(await storage().get(outcome.report.key));
    assert.match(report, /<testcase classname="GoodIT" name="knowsItsInstances\(\)"/);
    assert.match(report, /<skipped message="not yet"\/>/);
    assert.doesNotMatch(report + written, /pass "word"|pass &#34;word/);
    assert.deepEqual(await readdir(join(folder(), 'work')), []);
  });

  it('names the tests that failed, and why', async () => {
    const { passed, result, failures } = await run('FailingIT', 'OldIT');
    assert.equal(passed, false);
    assert.equal(result, '1 of 3 tests failed: FailingIT.saysWhy');
    assert.deepEqual(failures, [{ name: 'FailingIT.saysWhy', message: 'the page is empty: ***' }]);
  });

  it('believes the report of a JAR that exits with 0, and none that is missing, broken or empty', async () => {
    assert.equal((await run('LyingIT')).result, '1 of 1 tests failed: LyingIT.hides');
    const quitting = await run('QuittingIT');
    assert.match(quitting.result, /^the test run ended with exit code 0 before junit-jupiter.* had reported/);
    const forging = await run('ForgingIT');
    assert.match(
      forging.result,
      /^the test run ended with exit code 0 and cannot be judged: the report TEST-/,
    );
    const empty = await run('NeverFound');
    assert.match(empty.result, /^no test ran: the test JAR has no tests in classes whose name ends in IT$/);
    assert.ok(![quitting, forging, empty].some(({ passed }) => passed));
  });

  it('fails tests that want more memory than they may have', async () => {
    const { passed, result } = await run('GreedyIT');
    assert.equal(result, 'the tests needed more memory than the 384 MiB they have');
    assert.equal(passed, false);
  });

  it('ends a JAR that hangs, with all that it started', async () => {
    const { outcome } = start([await testJar('HangingIT')], { testLimitMs: 5_000 });
    assert.equal((await outcome).result, 'the tests were not done after 5 s and were ended');
    assert.equal((await outcome).passed, false);
    assert.deepEqual(await processes(), []);
    assert.deepEqual(await readdir(join(folder(), 'work')), []);
  });

  it('leaves no process when it is cancelled, and ends what a dead attempt left', async () => {
    const { outcome, cancel } = start([await testJar('HangingIT')]);
    await until('it hangs', async () => (await log().catch(() => '')).includes('hanging now'), 60_000);
    const marks = await processes();
    assert.equal(marks.length, 2, 'the JVM and what it started');
    cancel();
    await assert.rejects(outcome, { name: 'CancelledFailure' });
    assert.deepEqual(await processes(), []);
    assert.match(await log(), /cancelled\n$/);

    const left = spawn('sleep', ['600'], {
      detached: true,
      env: { ...process.env, FAIRWAY_BUILD: marks[0] },
    });
    const ended = new Promise((resolve) => left.once('exit', (_code, signal) => resolve(signal)));
    assert.equal((await run('OldIT')).passed, true);
    assert.equal(await ended, 'SIGKILL');
  });

  it('keeps the beginning and the end of 100 MB of output, and little of it in memory', async () => {
    const jar = await testJar('LoudIT');
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const inUse = () => {
      collectGarbage();
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    const before = inUse();
    let most = 0;
    let sampling: NodeJS.Timeout;
    // In a process with many tests a collection takes long: they are to take a small part of the time.
    const sample = () => {
      const began = performance.now();
      most = Math.max(most, inUse());
      sampling = setTimeout(sample, 10 * (performance.now() - began));
    };
    sample();
    try {
      assert.equal((await start([jar]).outcome).result, 'passed: 1 tests');
    } finally {
      clearTimeout(sampling!);
    }
    assert.ok((await storage().size('1/2/3/logs/functionalTest.log'))! < 6_000_000);
    assert.match(await log(), /lines left out[^]*the end\n/);
    assert.ok(most - before < 60e6, `${most - before} bytes more`);
  });
});

/** The marks of test processes on this machine, without those that have ended. */
async function processes(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const all = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')));
  return all.flatMap(
    (environment) => /\0FAIRWAY_BUILD=(1-2-3-test-[^\0]*)/.exec(`\0${environment}`)?.slice(1) ?? [],
  );
}
