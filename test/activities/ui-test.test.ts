import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { copyFile, mkdtemp, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { uiTestActivities, type UiTestDeps } from '../../src/activities/ui-test.ts';
import { markOf } from '../../src/activities/work-folder.ts';
import { prepare } from '../../src/local/setup/prepare.ts';
import type { FunctionalTestInput, FunctionalTestOutcome } from '../../src/model/activities.ts';
import type { KeptArtifact } from '../../src/model/artifacts.ts';
import { buildah } from '../../src/systems/images/buildah.ts';
import { run } from '../../src/systems/process.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import { environment } from '../support/definition.ts';
import { temporaryFolder } from '../support/folder.ts';
import { podmanCommand, type Podman } from '../support/podman.ts';
import { until } from '../support/until.ts';

const PASSWORD = 'pass "word" \\ with:all';
const OPT_IN = { 'testing.properties': '# UI tests\nui-tests.version=1\n' };

const report = (cases: string, tests = 1) =>
  `<testsuites><testsuite name="pages" tests="${tests}">${cases}</testsuite></testsuites>`;
const good = report('<testcase classname="pages" name="home opens"/>');
const bad = report(
  '<testcase classname="pages" name="home opens"><failure><![CDATA[no title for $AEM_AUTHOR_PASSWORD]]></failure></testcase>' +
    '<testcase classname="pages" name="menu opens"/>',
  2,
);
const write = (xml: string, file = 'result.xml') =>
  `/bin/busybox cat > $REPORTS_PATH/${file} <<END\n${xml}\nEND\n`;

/** An image of one static program; what it does is a shell script. */
const dockerfile =
  'FROM scratch\nCOPY busybox /bin/busybox\nRUN_BEFORE\nCOPY tests.sh /tests.sh\nUSER 1000\n' +
  'ENTRYPOINT ["/bin/busybox", "sh", "/tests.sh"]\n';

describe('custom UI testing', function () {
  this.timeout(180_000);
  const folder = temporaryFolder();
  const storage = () => fileStorage(join(folder(), 'storage'));
  const log = async () => text(await storage().get('1/2/3/logs/uiTest.log'));
  const workFolder = () => join(folder(), 'work');
  const mark = () => markOf(workFolder(), '1-2-3-ui');

  let podman: Podman;
  let programs: { busybox: string; buildah: string };
  before(async () => {
    podman = await podmanCommand();
    programs = await prepare(['busybox', 'buildah'], () => undefined);
  });
  const buildahArgs = () => {
    const store = join(folder(), 'buildah');
    return ['--root', join(store, 'root'), '--runroot', join(store, 'run'), '--storage-driver', 'vfs'];
  };

  /** The Docker context of a build. */
  async function context(
    files: Readonly<Record<string, string>>,
    links: Readonly<Record<string, string>> = {},
  ): Promise<KeptArtifact> {
    const place = await mkdtemp(join(folder(), 'context-'));
    await copyFile(programs.busybox, join(place, 'busybox'));
    for (const [name, content] of Object.entries(files)) await writeFile(join(place, name), content);
    for (const [name, target] of Object.entries(links)) await symlink(target, join(place, name));
    const archive = `${place}.tar.gz`;
    const { code, stderr } = await run('tar', ['-czf', archive, '-C', place, '.']);
    assert.equal(code, 0, stderr);
    const file = await storage().put('1/2/3/artifacts/ui.tar.gz', createReadStream(archive));
    return { kind: 'kept', path: 'ui.tests/target/ui.tar.gz', file, reason: 'tests', test: 'ui' };
  }
  const tests = (script: string, before = '') =>
    context({ ...OPT_IN, Dockerfile: dockerfile.replace('RUN_BEFORE\n', before), 'tests.sh': script });

  function start(artifacts: FunctionalTestInput['artifacts'], more: Partial<UiTestDeps> = {}) {
    const { uiTest } = uiTestActivities({
      ...{ storage: storage(), workFolder: workFolder(), secret: async () => `admin:${PASSWORD}` },
      images: {
        builder: buildah({ program: programs.buildah, globalArgs: buildahArgs() }),
        uiTests: {
          ...podman,
          buildArgs: ['--isolation', 'chroot'],
          selenium: { url: 'http://127.0.0.1:4444', browser: 'chrome' },
        },
      },
      ...more,
    });
    const input: FunctionalTestInput = {
      ...{ executionKey: '1/2/3', artifacts, log: '1/2/3/logs/uiTest.log' },
      environment: { ...environment('11', 'Stage', 'stage', 1), probe: { path: '/' } },
    };
    const activity = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    const outcome = activity.run<
      [FunctionalTestInput],
      FunctionalTestOutcome,
      (given: FunctionalTestInput) => Promise<FunctionalTestOutcome>
    >((given) => uiTest(given), input);
    outcome.catch(() => undefined); // looked at later
    return { outcome, cancel: () => activity.cancel() };
  }
  /** What builder and engine still have of the tests, and the work folder. */
  async function left(): Promise<string[]> {
    const listings = [
      [programs.buildah, ...buildahArgs(), 'containers', '--quiet'],
      [programs.buildah, ...buildahArgs(), 'images', '--quiet', '--all'],
      [podman.program, ...podman.globalArgs, 'ps', '--all', '--format', '{{.Names}}'],
      [podman.program, ...podman.globalArgs, 'images', '--format', '{{.Repository}}'],
    ];
    const answers = await Promise.all(listings.map(([program = '', ...args]) => run(program, args)));
    // Other tests have containers of their own.
    const [ofBuilder, ofEngine] = [answers.slice(0, 2), answers.slice(2)].map((some) =>
      some.flatMap(({ stdout }) => stdout.split('\n').filter(Boolean)),
    );
    return [
      ...ofBuilder!,
      ...ofEngine!.filter((name) => name.includes(mark())),
      ...(await readdir(workFolder()).catch(() => [])),
    ];
  }

  it('has passed when the build brought no UI tests, or nobody has opted in, and says so', async () => {
    const without = await start([], { images: undefined }).outcome;
    assert.deepEqual([without.passed, without.result], [true, 'passed: no UI tests in the build']);
    const found = await start([await context({ Dockerfile: dockerfile })], { images: undefined }).outcome;
    assert.deepEqual(
      [found.passed, found.result, found.report],
      [
        true,
        'passed: the UI tests of ui.tests/target/ui.tar.gz are not run: its archive has no testing.properties with ui-tests.version=1',
        undefined,
      ],
    );
    assert.match(await log(), /are not run/);
  });

  it('runs the image with the variables of Cloud Manager, shows no password, and leaves nothing', async () => {
    const artifact = await tests(
      `/bin/busybox env | /bin/busybox sort\n/bin/busybox id -u\n/bin/busybox mkdir $REPORTS_PATH/deep\n` +
        `[ "$AEM_PUBLISH_PASSWORD" = '${PASSWORD}' ] && ${write(good, 'deep/result.xml')}` +
        write('<other/>', 'other.xml'),
    );
    // What a dead attempt left.
    const name = `fairway-ui-tests-${mark()}`;
    const rootfs = ['--rootfs', '/:O', 'sleep', '600'];
    const dead = ['run', '--detach', '--name', name, ...podman.runArgs, ...rootfs];
    assert.equal((await run(podman.program, [...podman.globalArgs, ...dead])).code, 0);

    const outcome = await start([artifact]).outcome;
    const written = await log();
    assert.equal(outcome.result, 'passed: 1 tests', written);
    for (const variable of [
      ...['AEM_AUTHOR_URL=http://127.0.0.1:1', 'AEM_AUTHOR_USERNAME=admin', 'AEM_AUTHOR_PASSWORD=***'],
      ...['AEM_PUBLISH_URL=http://127.0.0.1:1', 'REPORTS_PATH=/reports'],
      ...['SELENIUM_BASE_URL=http://127.0.0.1:4444', 'SELENIUM_BROWSER=chrome', '1000'],
    ])
      assert.ok(written.split('\n').includes(variable), `${variable}\n${written}`);
    assert.doesNotMatch(written, /FAIRWAY_|pass "word"/);
    assert.match(await text(await storage().get('1/2/3/results/uiTest.xml')), /name="home opens"/);
    assert.deepEqual(await left(), []);
  });

  it('names the tests that failed, and why, although the image exits with 0', async () => {
    const { passed, result, failures } = await start([await tests(`${write(bad)}exit 0`)]).outcome;
    assert.deepEqual(
      [passed, result, failures],
      [
        false,
        '1 of 2 tests failed: pages.home opens',
        [{ name: 'pages.home opens', message: 'no title for ***' }],
      ],
    );
  });

  it('fails tests that want more memory than they may have', async () => {
    const greedy = 'exec /bin/busybox dd if=/dev/zero of=/dev/null bs=1100M count=1';
    const { passed, result } = await start([await tests(greedy)]).outcome;
    assert.match(
      result,
      /^the test run ended with exit code 137: it was killed, as .* needs more memory than the 1024 MiB/,
    );
    assert.equal(passed, false);
  });

  it('ends an image that hangs, and one that is not done being built', async () => {
    const hanging = [await tests('echo hanging now\n/bin/busybox sleep 600')];
    const { passed, result } = await start(hanging, { uiTestLimitMs: 3_000 }).outcome;
    assert.deepEqual([passed, result], [false, 'the tests were not done after 3 s and were ended']);
    const building = [await tests('exit 0', 'RUN ["/bin/busybox", "sleep", "600"]\n')];
    await assert.rejects(start(building, { imageLimitMs: 3_000 }).outcome, {
      type: 'Rejected',
      message: 'the image of ui.tests/target/ui.tar.gz was not built after 3 s',
    });
    assert.deepEqual(await left(), []);
  });

  it('leaves nothing when it is cancelled', async () => {
    const { outcome, cancel } = start([await tests('echo hanging now\n/bin/busybox sleep 600')]);
    await until('it hangs', async () => (await log().catch(() => '')).includes('hanging now'), 60_000);
    assert.notDeepEqual(await left(), []);
    cancel();
    await assert.rejects(outcome, { name: 'CancelledFailure' });
    assert.deepEqual(await left(), []);
    assert.match(await log(), /cancelled\n$/);
  });

  it('tells a base image that cannot be pulled from a context that is no good', async () => {
    const from = (base: string) => context({ ...OPT_IN, Dockerfile: `FROM ${base}\n` });
    await assert.rejects(start([await from('registry.invalid/ui:1')]).outcome, {
      type: 'Unavailable',
      message:
        /^the base image registry\.invalid\/ui:1 cannot be had: its registry cannot be reached from this worker/,
    });
    const missing = context({ ...OPT_IN, Dockerfile: 'FROM scratch\nCOPY nothing /\n' });
    await assert.rejects(start([await missing]).outcome, {
      type: 'Rejected',
      message: /^buildah build failed: .*nothing/,
    });
    await assert.rejects(start([await context(OPT_IN, { Dockerfile: '/etc/hostname' })]).outcome, {
      type: 'InvalidArtifact',
      message: 'ui.tests/target/ui.tar.gz has no Dockerfile in its root folder',
    });
    const file = await storage().put('1/2/3/artifacts/ui.tar.gz', 'no archive');
    await assert.rejects(start([{ ...(await missing), file }]).outcome, {
      type: 'InvalidArtifact',
      message: /^ui\.tests\/target\/ui\.tar\.gz is no good tar\.gz/,
    });
    await assert.rejects(start([await from('scratch')], { images: undefined }).outcome, {
      type: 'Missing',
      message: /add "images" to its settings/,
    });
    assert.deepEqual(await left(), []);
  });
});
