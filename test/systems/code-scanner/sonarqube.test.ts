import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { localEngine } from '../../../src/systems/build-engine/local.ts';
import type { Analysis, BuiltProject } from '../../../src/systems/code-scanner/scanner.ts';
import { sonarqubeScanner } from '../../../src/systems/code-scanner/sonarqube/engine.ts';
import type { Limits } from '../../../src/systems/code-scanner/sonarqube/server.ts';
import { Failure } from '../../../src/systems/failure.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { httpServer } from '../../support/http-server.ts';
import { builtProject, fakeTools } from '../../support/scanned-project.ts';
import {
  measured,
  measures,
  sonarqubeApi,
  type Answer,
  type Answers,
  type SonarqubeApi,
} from '../../support/sonarqube-api.ts';

const TOKEN = 'squ_verysecret';

describe('the SonarQube engine', () => {
  const folder = temporaryFolder();
  let api: SonarqubeApi | undefined;
  let path: string | undefined;
  let said: string[] = [];
  beforeEach(() => {
    path = process.env.PATH;
    said = [];
  });
  afterEach(async () => {
    process.env.PATH = path;
    await api?.close();
    api = undefined;
  });

  interface World {
    readonly answers?: Answers;
    readonly scripts?: Parameters<typeof fakeTools>[1];
    readonly url?: string;
    readonly limits?: Partial<Limits>;
    readonly project?: Partial<BuiltProject>;
    readonly name?: string;
    readonly signal?: AbortSignal;
  }

  async function analyse(world: World = {}): Promise<Analysis> {
    const work = join(folder(), 'work');
    const root = join(work, 'project');
    await mkdir(root, { recursive: true });
    await builtProject(root);
    process.env.PATH = `${await fakeTools(folder(), world.scripts)}:${path}`;
    api ??= await sonarqubeApi(TOKEN, world.answers);
    const scanner = sonarqubeScanner(
      { url: world.url ?? api.url, secret: 'SONAR', token: TOKEN },
      { key: 'fairway-1-101', name: world.name ?? 'Program, Pipeline', version: '7' },
      { answerMs: 10_000, pollMs: 5, patienceMs: 0, taskMs: 60_000, ...world.limits },
    );
    const module = {
      ...{
        path: '.',
        sources: ['src/main/java/com/example/Planted.java'],
        executions: ['target/jacoco.exec'],
      },
      tests: ['src/test/java/com/example/PlantedTest.java'],
    };
    return scanner(
      {
        ...{ work, root, modules: [module], libraries: ['/repository/a.jar'] },
        ...{ tests: { run: 2, failed: 0, skipped: 1 }, ...world.project },
      },
      {
        ...{ id: `1-${process.pid}-7`, engine: localEngine(), toolsFolder: join(folder(), 'tools') },
        mavenRepository: join(folder(), 'repository'),
        say: (line) => said.push(line),
        signal: world.signal ?? new AbortController().signal,
      },
    );
  }
  const kept = (name: string) => readFile(join(folder(), 'bin', name), 'utf8');

  async function fails(world: World, type: Failure['type'], words: RegExp): Promise<void> {
    await assert.rejects(analyse(world), (error) => {
      assert.ok(error instanceof Failure, String(error));
      const all = [error.message, ...error.details].join('\n');
      assert.match(all, words);
      assert.equal(error.type, type, all);
      assert.ok(!all.includes(TOKEN), all);
      return true;
    });
  }
  const status =
    (code: number, headers = {}): Answer =>
    (_, response) =>
      response.writeHead(code, headers).end('<html>');

  describe('with a server', () => {
    const bad: [what: string, answers: Answers, type: Failure['type'], words: RegExp][] = [
      [
        'that is starting',
        { 'system/status': { status: 'STARTING', version: '9.9' } },
        'Unavailable',
        /is not ready: .*STARTING/,
      ],
      ['behind a proxy that says 503', { 'system/status': status(503) }, 'Unavailable', /status 503/],
      ['that fails', { 'ce/task': status(500) }, 'Unavailable', /status 500/],
      [
        'that is not SonarQube',
        { 'system/status': status(200) },
        'Missing',
        /check the URL of the SonarQube server/,
      ],
      ['of other answers', { 'system/status': [] }, 'Missing', /does not answer as SonarQube does/],
      [
        'that sends elsewhere',
        { 'system/status': status(302, { location: 'https://login/' }) },
        'Missing',
        /sends elsewhere, to https:\/\/login\//,
      ],
      [
        'that says that the token is not valid',
        { 'authentication/validate': { valid: false } },
        'Denied',
        /token of the secret SONAR \(it is not valid\).*user token/,
      ],
      [
        'that refuses the token',
        { 'authentication/validate': status(401) },
        'Denied',
        /secret SONAR .*status 401.*analyse and browse/,
      ],
      [
        'that lets the token analyse and not read',
        { 'measures/component': status(403) },
        'Denied',
        /status 403.*browse/,
      ],
      ['that does not know the project', { 'measures/component': status(404) }, 'Missing', /status 404/],
      [
        'that reports an unknown state',
        { 'ce/task': { task: { status: 'LOST' } } },
        'Missing',
        /ce\/task does not answer as SonarQube does/,
      ],
      [
        'that knows other severities',
        { 'issues/search': { paging: { total: 1 }, issues: [{ rule: 'x', severity: 'HIGH' }] } },
        'Missing',
        /issues\/search does not/,
      ],
    ];
    for (const [what, answers, type, words] of bad)
      it(`${what}: ${type}`, () => fails({ answers }, type, words));

    it('that is down: Unavailable', async () => {
      const gone = await httpServer(() => undefined);
      await gone.close();
      await fails({ url: gone.url }, 'Unavailable', /no answer from .*ECONNREFUSED/);
    });

    it('that is slow: Unavailable', async () => {
      const never: RequestListener = () => undefined;
      await fails(
        { answers: { 'system/status': never }, limits: { answerMs: 50 } },
        'Unavailable',
        /nothing within/,
      );
    });

    it('that answers without end: no more than a part is read', async () => {
      let sent = 0;
      const endless: Answer = (_, response) => {
        const chunk = `"${'x'.repeat(1_000_000)}",`;
        const more = () => {
          while (!response.destroyed && response.write(chunk)) sent += 1;
        };
        response.on('drain', more).on('error', () => undefined);
        response.write('[');
        more();
      };
      await fails({ answers: { 'measures/component': endless } }, 'Missing', /more than 16 MiB/);
      assert.ok(sent < 100, `${sent} MB were sent`);
    });

    it('whose list of issues has no end: ten thousand are read, and what follows from all of them is unknown', async () => {
      const issue = { rule: 'java:S1', severity: 'INFO', type: 'CODE_SMELL', component: 'x', message: 'm' };
      const page = { paging: { total: 1e9 }, issues: Array.from({ length: 500 }, () => issue) };
      const { findings, problems, measures } = await analyse({ answers: { 'issues/search': page } });
      assert.equal(findings.length, 10_001);
      assert.deepEqual(problems, ['SonarQube lists 10000 of its issues and no more']);
      assert.equal(measures.cloudServiceIssues, undefined);
      assert.equal(measures.openIssues, 2);
    });

    it('that lists fewer issues than it counted: what there is counts as a part', async () => {
      const { problems, measures: found } = await analyse({
        answers: { 'issues/search': { paging: { total: 0 }, issues: [] } },
      });
      assert.deepEqual(problems, ['SonarQube lists 0 of its issues and no more']);
      assert.equal(found.cloudServiceIssues, undefined);
    });

    it('that stops listing: what there is counts as a part', async () => {
      const issue = { rule: 'java:S1', severity: 'INFO', type: 'CODE_SMELL', component: 'x', message: 'm' };
      const part: Answer = (_, response, query) =>
        response.end(JSON.stringify({ paging: { total: 3 }, issues: query.get('p') === '1' ? [issue] : [] }));
      const { problems } = await analyse({ answers: { 'issues/search': part } });
      assert.deepEqual(problems, ['SonarQube lists 1 of its issues and no more']);
    });
  });

  describe('with a task of the server', () => {
    const task = (status: string, errorMessage?: string) => ({
      'ce/task': { task: { status, errorMessage } },
    });

    it('that failed: it is said why', () =>
      fails({ answers: task('FAILED', 'no space left') }, 'NotReady', /task T-1: no space left/));

    it('that was cancelled', () =>
      fails({ answers: task('CANCELED') }, 'NotReady', /somebody cancelled task T-1/));

    it('that never comes to an end', () =>
      fails(
        { answers: task('PENDING'), limits: { taskMs: 30 } },
        'NotReady',
        /not processed .*T-1 is PENDING.*background tasks/,
      ));

    it('while the server is away for a while: it is waited for', async () => {
      let times = 0;
      const restarted: Answer = (_, response) => {
        times += 1;
        if (times === 1) response.destroy();
        else if (times < 4) response.writeHead(503).end();
        else response.end(JSON.stringify({ task: { status: times < 6 ? 'IN_PROGRESS' : 'SUCCESS' } }));
      };
      const { problems } = await analyse({
        answers: { 'ce/task': restarted },
        limits: { patienceMs: 60_000 },
      });
      assert.deepEqual(problems, []);
      assert.deepEqual(
        said.filter((line) => line.startsWith('task')),
        ['task T-1 of SonarQube: IN_PROGRESS', 'task T-1 of SonarQube: SUCCESS'],
      );
    });

    it('can be cancelled while it waits', async () => {
      const cancelled = new AbortController();
      const pending: Answer = (_, response) => {
        response.end(JSON.stringify({ task: { status: 'PENDING' } }), () =>
          cancelled.abort(new Error('cancelled')),
        );
      };
      await assert.rejects(
        analyse({ answers: { 'ce/task': pending }, signal: cancelled.signal }),
        /^Error: cancelled$/,
      );
    });
  });

  describe('with programs that misbehave', () => {
    it('a scanner that may not analyse: Denied', () =>
      fails(
        { scripts: { scanner: `echo "ERROR You're not authorized to analyze this project"; exit 2` } },
        'Denied',
        /secret SONAR \(ERROR You're not authorized/,
      ));

    it('a scanner that loses the server: Unavailable', () =>
      fails(
        { scripts: { scanner: 'echo "ERROR Failed to upload report: HTTP code 502"; exit 1' } },
        'Unavailable',
        /exit code 1\nERROR Failed to upload/,
      ));

    it('a scanner that crashes: NotReady, with its last words', () =>
      fails(
        { scripts: { scanner: 'echo OutOfMemoryError; exit 134' } },
        'NotReady',
        /exit code 134\nOutOfMemoryError/,
      ));

    it('a scanner that names no task', () =>
      fails({ scripts: { scanner: 'exit 0' } }, 'NotReady', /which task/));

    it('a scanner that names a path instead of a task', () =>
      fails({ scripts: { scanner: 'echo ceTaskId=../../x > "$task"' } }, 'NotReady', /which task/));

    for (const [what, jacoco, problem] of [
      ['is missing', 'exit 0', /the report of JaCoCo is missing/],
      ['is broken', 'echo "<report" > "$report"', /the report of JaCoCo cannot be read/],
      ['was not made', 'exit 1', /^JaCoCo ended with exit code 1/],
      [
        'knows no source of the project',
        `sed s/Planted.java/Generated.java/ "$bin/jacoco.xml" > "$report"`,
        /no class has a Java source/,
      ],
    ] as const)
      it(`a report of the coverage that ${what}: coverage is unknown, whatever SonarQube makes of it`, async () => {
        const answers = { 'measures/component': measured({ ...measures, coverage: '0.0' }) };
        const { measures: found, problems } = await analyse({ answers, scripts: { jacoco } });
        assert.equal(found.coverage, undefined);
        assert.equal(found.reliability, 'C');
        assert.equal(problems.length, 1);
        assert.match(problems[0] ?? '', problem);
        assert.doesNotMatch(await kept('settings'), /xmlReportPaths/);
      });
  });

  it('gives measures, issues and hotspots', async () => {
    const { analysers, measures: found, findings, problems } = await analyse();
    assert.match(analysers, /^SonarQube 9\.9\.8\.100196 \(http:\S+, project fairway-1-101\), SonarScanner 7/);
    assert.deepEqual(found, {
      ...{ security: 'B', reliability: 'C', debt: 35, development: 2730, openIssues: 2 },
      coverage: { lines: 55, coveredLines: 2, branches: 4, coveredBranches: 1 },
      ...{ skippedTests: 1, lines: 110, duplicatedLines: 11, cloudServiceIssues: 0 },
    });
    const file = 'src/main/java/com/example/Planted.java';
    assert.deepEqual(findings, [
      {
        ...{ rule: 'java:S2259', type: 'BUG', severity: 'MAJOR', file, line: 41 },
        message: 'A "NullPointerException" could be thrown',
      },
      {
        rule: 'java:S1',
        type: 'VULNERABILITY',
        severity: 'MINOR',
        file: '.',
        message: 'Of the whole project',
      },
      {
        rule: 'java:S4507',
        type: 'SECURITY_HOTSPOT',
        severity: 'MINOR',
        file,
        line: 52,
        message: 'Look at this',
      },
    ]);
    assert.deepEqual(problems, []);
  });

  it('counts issues of rules of Cloud Service compatibility', async () => {
    const issue = {
      rule: 'CQRules:AMSCORE-554',
      severity: 'MINOR',
      type: 'CODE_SMELL',
      component: 'x',
      message: 'm',
    };
    const { measures: found } = await analyse({
      answers: {
        'issues/search': { paging: { total: 1 }, issues: [issue] },
        'measures/component': measured({ ...measures, open_issues: '1' }),
      },
    });
    assert.equal(found.cloudServiceIssues, 1);
  });

  it('keeps the token out of the command line, the settings and what is said', async () => {
    await analyse();
    assert.match(await kept('environment'), new RegExp(`^SONAR_TOKEN=${TOKEN}$`, 'm'));
    for (const text of [await kept('arguments'), await kept('settings'), ...said])
      assert.ok(!text.includes(TOKEN), text);
  });

  it('tells the scanner what to look at; names are names, whatever they hold', async () => {
    await analyse({ name: ' a\\b=c\nsonar.host.url=http://evil/\u00e4\u{1f600}' });
    const settings = await kept('settings');
    const lines = settings.trimEnd().split('\n');
    assert.ok(
      lines.includes('sonar.projectName=\\ a\\\\b=c\\u000asonar.host.url=http://evil/\\u00e4\\ud83d\\ude00'),
      settings,
    );
    assert.equal(lines.filter((line) => line.startsWith('sonar.host.url=')).length, 1);
    assert.ok(lines.includes('sonar.sources=src/main/java'));
    assert.ok(lines.includes('sonar.tests=src/test/java'));
    assert.ok(lines.includes('sonar.java.libraries=/repository/a.jar'));
    assert.ok(lines.includes('sonar.coverage.exclusions='));
  });

  it('refuses a path that would be two', () =>
    fails(
      { project: { libraries: ['/a.jar,/etc/b.jar'] } },
      'InvalidInput',
      /a comma, a quote or a line break/,
    ));

  it('has nothing to analyse where there is no Java source', async () => {
    const { measures: found, problems } = await analyse({
      project: { modules: [{ path: '.', sources: [], tests: [], executions: [] }] },
    });
    assert.deepEqual(found, {});
    assert.deepEqual(problems, ['there is no Java source below src/main/java']);
  });
});
