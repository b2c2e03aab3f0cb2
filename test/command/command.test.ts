import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { recordActivities } from '../../src/activities/record.ts';
import type { ExecutionState } from '../../src/model/execution.ts';
import type { Started } from '../../src/model/program.ts';
import { fileStorage, makeStorage } from '../../src/systems/storage/file-storage.ts';
import { definition } from '../support/definition.ts';
import { temporaryFolder } from '../support/folder.ts';
import { until } from '../support/until.ts';
import { ann, workflowHarness } from '../workflows/harness.ts';
import { metric } from '../workflows/scripted-world.ts';
import { endAll, fairway, startFairway, type Ended } from './fairway.ts';

describe('the fairway command', function () {
  this.timeout(240_000);
  const harness = workflowHarness('real time');
  const folder = temporaryFolder();
  const env = (more: Record<string, string> = {}) => ({
    TEMPORAL_ADDRESS: harness.env.address,
    FAIRWAY_STORAGE: join(folder(), 'storage'),
    ...more,
  });
  const run = (...args: string[]) => fairway(args, { env: env() });
  const json = <T>({ stdout }: Ended) => JSON.parse(stdout) as T;

  const expect = (ended: Ended, code: number, ...words: RegExp[]) => {
    assert.equal(ended.code, code, `${ended.stdout}${ended.stderr}`);
    const said = code === 0 ? ended.stdout : ended.stderr;
    for (const word of words) assert.match(said, word);
    if (code !== 0) assert.match(ended.stderr, /^fairway: /m);
    if (code === 2 || code === 3 || code === 4 || code === 5) assert.equal(ended.stdout, '');
  };

  // A new namespace may take long to answer; applying the same again changes nothing.
  before(() =>
    until(
      'program 1 is applied',
      () =>
        harness.client.apply(definition(), 0, ann).then(
          () => true,
          () => false,
        ),
      60_000,
    ),
  );

  after(endAll);

  /** Ends what a test has left waiting. */
  const reject = async (started: Started) => {
    await harness.client.send('cancel', harness.address(started), { by: ann }).catch(() => undefined);
    await harness.end(started);
  };

  describe('an execution, from start to end', () => {
    let started: Started;
    before(async () => {
      const record = (...args: Parameters<ReturnType<typeof recordActivities>['recordExecution']>) =>
        recordActivities({ storage: fileStorage(join(folder(), 'storage')) }).recordExecution(...args);
      started = await harness.begin({ recordExecution: record });
      await harness.waitsAt('approval');
    });
    const id = () => started.executionId;

    it('is listed, shown and waited for, and says how to decide', async () => {
      const [list, shown, waiting] = await Promise.all([
        run('list', '--waiting', 'approval', '--pipeline', 'production pipeline'),
        run('show'),
        run('waiting'),
      ]);
      expect(
        list,
        0,
        new RegExp(`${id()} .*Example .*Production pipeline .*NORMAL .*WAITING .*Application for Approval`),
      );
      expect(
        shown,
        0,
        /✓ Deploy to Stage +FINISHED/,
        /\? Application for Approval +WAITING/,
        /started .* by ann/,
      );
      expect(
        waiting,
        0,
        /Application for Approval waits for an approver/,
        /until \d{4}-\d\d-\d\d \d\d:\d\d \S+ \(.*left\)/,
      );
      for (const answer of [shown, waiting]) expect(answer, 0, new RegExp(`fairway approve ${id()}`));
    });

    it('is the same in JSON and YAML, whole, and without a word beside it', async () => {
      const [asJson, asYaml] = await Promise.all([
        run('show', id(), '-o', 'json'),
        run('-o', 'yaml', 'show', id()),
      ]);
      const state = json<ExecutionState>(asJson);
      assert.deepEqual(parse(asYaml.stdout), state);
      assert.deepEqual(state, JSON.parse(JSON.stringify(await harness.state(id()))));
      assert.equal(asJson.stderr, '');
    });

    it('may be named by its number, its program and number, or its pipeline', async () => {
      for (const reference of [String(Number(id())), `1/${id()}`, `Example/${id()}`, 'Production pipeline'])
        assert.equal(json<ExecutionState>(await run('show', reference, '-o', 'json')).executionId, id());
    });

    it('is decided by whoever --as names; a second decision is refused', async () => {
      expect(
        await run('approve', id(), '--as', 'paula', '--comment', 'release 24'),
        0,
        /execution 0*\d+: approved/,
      );
      await harness.waitsAt('schedule');
      expect(await run('approve', id()), 3, /already decided by paula: approved/);
      const [decision] = (await harness.state(id())).decisions;
      assert.deepEqual(decision?.by, { subject: 'paula', via: 'cli', verified: false });
      assert.equal(decision?.comment, 'release 24');
    });

    it('is not decided where it does not wait', async () => {
      expect(await run('cse', 'start', id()), 3, /not waiting for this now.*Schedule Production Deployment/);
      expect(
        await run('override', id(), 'codeQuality', '--accept', '--kpi', 'coverage'),
        3,
        /not waiting for this/,
      );
      expect(
        await run('override', id(), 'codeQuality', '--accept'),
        3,
        /no important metric of codeQuality has failed/,
      );
      expect(await run('reject'), 4, /no execution waits for Application for Approval/);
    });

    it('is scheduled in a zone, with the instant said in it, in UTC, and how far away it is', async () => {
      const day = new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10);
      const ask = await run('schedule', id(), '--at', `${day} 22:00`, '--zone', 'Asia/Tokyo');
      expect(ask, 2, /22:00 Asia\/Tokyo \(UTC\+09:00\)\n.*13:00 UTC\n.*in (19|20) days/, /add --yes/);
      assert.equal((await harness.state(id())).scheduledFor, undefined);
      expect(
        await run('schedule', id(), '--at', `${day} 22:00`, '--zone', 'asia/tokyo', '--yes'),
        0,
        /scheduled for .*\+09:00 \(Asia\/Tokyo\)/,
      );
      assert.equal((await harness.state(id())).scheduledFor?.at, `${day}T13:00:00.000Z`);
      expect(await run('show', id()), 0, /Production deployment at .* 22:00 GMT\+9 \(in .* days/);
    });

    it('is watched to its end; plain lines where there is no terminal', async () => {
      const watching = startFairway(['watch'], { env: env() });
      await until(
        'the schedule is shown',
        () => watching.output().includes('production deployment in'),
        30_000,
      );
      expect(await run('schedule', '--now', '--yes'), 0, /scheduled for now/);
      await until(
        'CSE support is shown',
        () => watching.output().includes(`fairway cse start ${id()}`),
        30_000,
      );
      expect(await run('cse', 'start'), 0, /CSE started the deployment/);
      const ended = await watching.ended;
      expect(ended, 0, /Deploy to Production +FINISHED/, new RegExp(`execution ${id()}: FINISHED after`));
      assert.ok(!ended.stdout.includes('\x1b'), 'no colours and no cursor movements');
    });

    it('is the last one afterwards, and in lists by its outcome', async () => {
      expect(await run('list', '--status', 'finished'), 0, new RegExp(`${id()} .*FINISHED`));
      expect(await run('show'), 0, /execution .*: FINISHED after/, /paula \(cli, not verified\): approved/);
      expect(await run('watch'), 0, /FINISHED/);
    });
  });

  it('the outcome of an execution is the exit code; -o json gives it whole', async () => {
    harness.world.begin();
    const watching = startFairway(['start', '101', '--watch', '-o', 'json'], { env: env() });
    await until('it has started', () => watching.errors().includes('started'), 60_000);
    const { executionId } = await harness.waitsAt('approval');
    expect(await run('start', 'Production pipeline'), 3, /has a running execution/, new RegExp(executionId));
    expect(await run('reject', '--comment', 'not before the holidays'), 0);
    const ended = await watching.ended;
    assert.equal(ended.code, 1);
    assert.equal(json<ExecutionState>(ended).status, 'FAILED');
    assert.match(ended.stderr, /approval: rejected by .*: not before the holidays/);
  });

  it('Ctrl-C ends the watching, not the execution', async () => {
    const started = await harness.begin();
    const watching = startFairway(['watch', started.executionId], { env: env() });
    await until('it is shown', () => watching.output().includes('Application for Approval'), 60_000);
    watching.process.kill('SIGINT');
    const { code, stderr } = await watching.ended;
    assert.equal(code, 130);
    assert.match(stderr, new RegExp(`execution ${started.executionId} goes on`));
    assert.equal((await harness.state()).status, 'RUNNING');
    expect(await run('cancel', '--yes', '--reason', 'second thoughts'), 0, /cancelling/);
    assert.equal((await harness.end(started)).status, 'CANCELLED');
    expect(await run('cancel', started.executionId), 3, /has ended: it is CANCELLED/);
  });

  it('emergency mode must be activated, and is shown everywhere', async () => {
    await harness.client.setEmergency('1', false, ann);
    harness.world.begin();
    expect(await run('start', '101', '--emergency'), 3, /emergency mode is not activated for program 1/);
    expect(
      await run('emergency', 'enable', 'Example', '--as', 'carla'),
      0,
      /activated for program 1.*by carla/,
    );
    const begun = await run('start', '101', '--emergency');
    expect(begun, 0, /EMERGENCY/);
    await harness.waitsAt('approval');
    const shown = await Promise.all([
      run('list', '--mode', 'emergency'),
      run('show'),
      run('waiting'),
      run('get', 'programs'),
    ]);
    for (const answer of shown.slice(0, 3)) expect(answer, 0, /EMERGENCY/);
    expect(shown[1], 0, /Security Testing +not run: emergency mode/);
    expect(shown[3], 0, /activated by carla/);
    expect(await run('reject'), 0, /EMERGENCY/);
    const { executionId } = await harness.state();
    assert.match((await run('watch', executionId)).stdout, /EMERGENCY/);
    expect(await run('emergency', 'disable', '1'), 0, /not activated any more/);
  });

  it('a gate is overridden by naming every failing important metric, which is the default', async () => {
    const storage = fileStorage(join(folder(), 'storage'));
    const results = await storage.put('1/101/7/results/codeQuality.json', '{}');
    const metrics = [
      metric('coverage', 'important', false),
      metric('reliability_rating', 'important', false),
    ];
    const put = (name: string) => storage.put(`1/101/7/results/${name}`, 'a,b\r\n');
    const findings = [await put('codeQuality.csv'), await put('loadTest.csv'), await put('loadTest.svg')];
    const started = await harness.begin({ codeQuality: async () => ({ metrics, results, findings }) });
    await harness.waitsAt('codeQuality');
    expect(
      await run('results', 'codequality'),
      0,
      /coverage +important +40 +>= 50 +failed[^]*findings: codeQuality\.csv, 5 bytes\ntime series: loadTest\.csv, 5 bytes\npicture: loadTest\.svg/,
    );
    const copies = join(folder(), 'results');
    expect(await run('results', 'codequality', '--download', copies), 0);
    assert.equal(await readFile(join(copies, 'codeQuality.csv'), 'utf8'), 'a,b\r\n');
    expect(await run('override', 'codeQuality'), 2, /--accept or --reject/);
    expect(
      await run('override', 'codeQuality', '--accept', '--kpi', 'coverage'),
      3,
      /missing: reliability_rating/,
    );
    expect(
      await run('override', 'codeQuality', '--accept'),
      0,
      /accepted coverage, reliability_rating of codeQuality/,
    );
    await harness.waitsAt('approval');
    await reject(started);
  });

  it('logs and artifacts come from storage', async () => {
    const started = await harness.begin();
    await harness.waitsAt('approval');
    const place = join(folder(), 'storage', '1', '101', started.executionId);
    await mkdir(join(place, 'logs'), { recursive: true });
    await writeFile(join(place, 'logs', 'build.log'), 'first line\nlast line\n');
    const log = await run('logs', 'build');
    assert.equal(log.stdout, 'first line\nlast line\n');
    assert.equal((await run('logs', started.executionId, 'build', '--follow')).stdout, log.stdout);
    expect(await run('artifacts'), 0, /site\.all-1\.0\.0\.zip +aem +example:site\.all:1\.0\.0|site\.all/);
    expect(await run('artifacts', '--download', join(folder(), 'zips')), 4, /not in storage/);
    expect(await run('logs', 'biuld'), 2, /did you mean build/);
    const none = await fairway(['logs', 'build'], { env: { TEMPORAL_ADDRESS: harness.env.address } });
    expect(none, 5, /FAIRWAY_STORAGE/);
    await reject(started);
  });

  describe('what it does not find', () => {
    before(async () => {
      const other = { ...definition(), id: '2', name: 'Other' };
      await harness.client.apply(other, (await harness.client.program('2'))?.revision ?? 0, ann);
    });
    after(() => harness.client.deleteProgram('2', ann));

    const cases: [string[], number, RegExp][] = [
      [
        ['start', 'Productoin pipeline'],
        4,
        /no pipeline "Productoin pipeline"; similar: 101 \(Production pipeline\)/,
      ],
      [
        ['start', 'Production pipeline'],
        2,
        /fits several pipelines: .*program 1 \(Example\); .*program 2 \(Other\)/,
      ],
      [['show', '9999999999'], 4, /there is no execution 9999999999/],
      [['approve', '9999999999'], 4, /there is no execution 9999999999/],
      [['show', 'Other/101'], 4, /there is no/],
      [['show', 'Other/Production pipeline'], 4, /has no execution yet/],
      [['get', 'environment', 'Stge', '--program', '1'], 4, /similar: 11 \(Stage\)/],
      [['emergency', 'enable', 'Exampel'], 4, /similar: 1 \(Example\)/],
      [['get', 'things'], 2, /programs, environments, pipelines/],
      [['delete', 'pipeline', '101', '--program', '2'], 2, /Delete pipeline 101 .*add --yes/s],
    ];
    for (const [args, code, words] of cases)
      it(`${args.join(' ')}: exit code ${code}`, async () => expect(await run(...args), code, words));
  });

  it('get shows what is defined, and gives it as a definition', async () => {
    const programs = [(await harness.client.program('1'))?.definition];
    expect(await run('get', 'pipelines'), 0, /101 +Production pipeline +Example +production +main +11, 12/);
    expect(await run('get', 'environments'), 0, /12 +Production +Example +prod +1 +2 +2/);
    assert.deepEqual(
      json(await run('get', 'programs', '1', '-o', 'json')),
      JSON.parse(JSON.stringify({ programs })),
    );
  });

  it('plain variables are set, listed and deleted', async () => {
    expect(
      await run('variables', 'set', '101', 'LOG_LEVEL=info', 'EMPTY'),
      2,
      /"EMPTY" is not of the form NAME=VALUE/,
    );
    expect(await run('variables', 'set', '101', 'LOG_LEVEL=a=b'), 0, /set LOG_LEVEL/);
    expect(await run('variables', 'list', '101'), 0, /LOG_LEVEL +string +a=b +set/);
    expect(await run('variables', 'delete', '101', 'LOG_LEVEL'), 0, /deleted LOG_LEVEL/);
    expect(await run('variables', 'delete', '101', 'LOG_LEVEL'), 3, /has no variable LOG_LEVEL/);
  });

  it('a secret comes from standard input and goes nowhere but into storage, encrypted', async () => {
    const secrets = join(folder(), 'secrets');
    await mkdir(secrets);
    await makeStorage(join(folder(), 'storage'));
    const set = () =>
      fairway(['variables', 'set', '101', '--secret', 'NPM_TOKEN'], {
        env: env({ FAIRWAY_SECRETS: secrets }),
        input: 'hush\n',
      });
    expect(await set(), 5, /VARIABLES_KEY/);
    await writeFile(join(secrets, 'VARIABLES_KEY'), Buffer.alloc(32, 7).toString('base64'));
    expect(await set(), 0, /set NPM_TOKEN/);
    expect(await run('variables', 'list', '101'), 0, /NPM_TOKEN +secretString +\*\*\*/);
    expect(await run('variables', 'delete', '101', 'NPM_TOKEN'), 0);
  });

  describe('apply', () => {
    const write = async (change: object) => {
      const path = join(folder(), 'fairway.yaml');
      await writeFile(
        path,
        JSON.stringify({ programs: [{ ...definition(), id: '3', name: 'Third', ...change }] }),
      );
      return path;
    };
    after(() => harness.client.deleteProgram('3', ann).catch(() => undefined));

    it('shows the difference, asks, and says what has become of it', async () => {
      const path = await write({});
      expect(
        await run('apply', '-f', path, '--dry-run'),
        0,
        /\+ program 3 \(Third\)\n +\+ environment 11 \(Stage\), stage/,
      );
      const asked = await run('apply', '-f', path);
      assert.equal(asked.code, 2);
      assert.match(asked.stderr, /add --yes/);
      assert.equal(await harness.client.program('3'), undefined);
      expect(await run('apply', '-f', path, '--yes'), 0, /program 3 \(Third\) created, revision 1/);
      expect(await run('apply', '-f', path), 0, /program 3 \(Third\): no change/);
      const changed = await write({ name: 'Third one', timeouts: { approval: 2 } });
      expect(
        await run('apply', '-f', changed, '--yes'),
        0,
        /~ name: "Third" -> "Third one"/,
        /approval: 2/,
        /changed, revision 2/,
      );
    });

    it('takes what get gives', async () => {
      const backup = join(folder(), 'backup.yaml');
      await writeFile(backup, (await run('get', 'programs', '3', '-o', 'yaml')).stdout);
      expect(await run('delete', 'program', '3', '--yes'), 0, /program 3 \(Third one\) deleted/);
      expect(await run('get', 'programs', '3'), 4, /no program "3"/);
      expect(await run('apply', '-f', backup, '--yes'), 0, /program 3 \(Third one\) created/);
    });
  });

  describe('without a worker', () => {
    let started: Started;
    before(async () => {
      started = await harness.begin();
      await harness.waitsAt('approval');
      await harness.stopWorkers();
    });

    it('who asks is told at once; a signal waits for the next worker', async () => {
      const [asked, sick] = await Promise.all([run('emergency', 'enable', '1'), run('doctor')]);
      expect(asked, 5, /is a worker running/);
      assert.equal(sick.code, 1);
      assert.match(sick.stdout, /Workers\n.*orchestrator/);
      expect(await run('cancel', started.executionId, '--signal'), 0, /sent as a signal/);
      await harness.startWorkers();
      assert.equal((await harness.end(started)).status, 'CANCELLED');
    });
  });
});
