import assert from 'node:assert/strict';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { checkCodeScannerActivities } from '../../src/activities/check-code-scanner.ts';
import { codeQualityActivities } from '../../src/activities/code-quality.ts';
import type { BuildActivities, CodeQualityInput, Problem, TestOutcome } from '../../src/model/activities.ts';
import { codeScannerFindings } from '../../src/client/doctor/code-scanner.ts';
import { programSchema } from '../../src/model/schema/definition.ts';
import { keepProject } from '../../src/systems/code-scanner/project.ts';
import { Failure } from '../../src/systems/failure.ts';
import { secrets } from '../../src/systems/secrets.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import { definition } from '../support/definition.ts';
import { temporaryFolder } from '../support/folder.ts';
import { builtProject, fakeTools } from '../support/scanned-project.ts';
import { sonarqubeApi, type Answers, type SonarqubeApi } from '../support/sonarqube-api.ts';

const TOKEN = 'squ_verysecret';

describe('code scanning with SonarQube', () => {
  const folder = temporaryFolder();
  const storage = () => fileStorage(join(folder(), 'storage'));
  const kept = async (key: string) => text(await storage().get(key));
  const log = '1/101/7/logs/codeQuality.log';
  let api: SonarqubeApi;
  let path: string | undefined;
  beforeEach(async () => {
    path = process.env.PATH;
    api = await sonarqubeApi(TOKEN);
  });
  const others: SonarqubeApi[] = [];
  afterEach(async () => {
    process.env.PATH = path;
    await Promise.all([api, ...others.splice(0)].map((server) => server.close()));
  });

  /** Another server, with other answers. */
  async function server(answers: Answers): Promise<string> {
    const other = await sonarqubeApi(TOKEN, answers);
    others.push(other);
    return other.url;
  }

  async function scan(env: NodeJS.ProcessEnv, scanner?: string): Promise<TestOutcome> {
    process.env.PATH = `${await fakeTools(folder(), { scanner })}:${path}`;
    const mavenRepository = folder();
    const root = join(folder(), 'project');
    await builtProject(root);
    const code = await keepProject(root, {
      storage: storage(),
      programId: '1',
      key: '1/101/7/code.zip',
      mavenRepository,
    });
    const activities = codeQualityActivities({
      ...{ storage: storage(), secret: secrets({ env }), workFolder: join(folder(), 'work') },
      ...{ engine: { engine: 'local' }, mavenRepository },
    });
    const input: CodeQualityInput = {
      ...{ executionKey: '1/101/7', gates: {}, flavour: 'aem_managed_services', artifacts: [], log, code },
      reports: { tests: { run: 2, failed: 0, skipped: 1 } },
      scanner: { type: 'sonarqube', url: `${api.url}/`, token: 'SONAR' },
      names: { program: 'Program', pipeline: 'Pipeline' },
    };
    return new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run<
      [CodeQualityInput],
      TestOutcome,
      (given: CodeQualityInput) => Promise<TestOutcome>
    >((given) => activities.codeQuality(given), input);
  }

  it('says which secret is missing', async () => {
    await assert.rejects(scan({}), /there is no secret SONAR: set FAIRWAY_SECRET_SONAR/);
    assert.deepEqual(api.asked, []);
  });

  it('hides the token, whoever repeats it', async () => {
    const repeat = `echo "ERROR not authorized: $SONAR_TOKEN"; exit 2`;
    await assert.rejects(scan({ FAIRWAY_SECRET_SONAR: TOKEN }, repeat), (error) => {
      assert.ok(error instanceof Failure);
      assert.match(error.message, /ERROR not authorized: \*\*\*/);
      assert.ok(!JSON.stringify([error.message, error.details, String(error.cause)]).includes(TOKEN));
      return true;
    });
    const lines = await kept(log);
    assert.match(lines, /ERROR not authorized: \*\*\*/);
    assert.ok(!lines.includes(TOKEN));
  });

  it('holds what SonarQube measured against the gate, and keeps what it found', async () => {
    const { metrics, findings = [], problems, results } = await scan({ FAIRWAY_SECRET_SONAR: TOKEN });
    assert.deepEqual(
      metrics.map(({ kpi, actualValue }) => `${kpi} ${actualValue}`),
      [
        ...['security_rating B', 'security_rating B', 'reliability_rating C', 'sqale_rating A', 'coverage 5'],
        ...[
          'skipped_tests 1',
          'open_issues 2',
          'duplicated_lines_density 10',
          'cloud_service_compatibility 0',
        ],
      ],
    );
    assert.deepEqual(problems, []);
    assert.match(await kept(results.key), /"analysers": "SonarQube 9\.9\.8/);
    const [csv = '', sarif = ''] = await Promise.all(findings.map(({ key }) => kept(key)));
    assert.match(csv, /java:S2259,MAJOR,BUG,.*,src\/main\/java\/com\/example\/Planted\.java,41\r\n/);
    assert.match(sarif, /java:S4507/);
    assert.match(await kept(log), /task T-1 of SonarQube: SUCCESS/);
    assert.ok(api.asked.includes('ce/task?id=T-1'));
    assert.ok(
      api.asked.every((asked) => !asked.includes('//')),
      api.asked.join(),
    );
  });

  describe('at Validation', () => {
    type Check = BuildActivities['checkCodeScanner'];
    const check = async (env: NodeJS.ProcessEnv, url = api.url) => {
      const { checkCodeScanner } = checkCodeScannerActivities({
        storage: storage(),
        secret: secrets({ env }),
      });
      const scanner = { type: 'sonarqube', url, token: 'SONAR' } as const;
      return new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run<
        Parameters<Check>,
        readonly Problem[],
        Check
      >(checkCodeScanner, { scanner, log });
    };
    const good = { FAIRWAY_SECRET_SONAR: TOKEN };

    it('a server that can be used is no problem, and the log has its version', async () => {
      assert.deepEqual(await check(good), []);
      assert.match(await kept(log), /has version 9\.9\.8\.100196 and takes the token of the secret SONAR/);
    });

    it('names what is missing, refused, away or too old, and the remedy', async () => {
      const away = await sonarqubeApi(TOKEN);
      await away.close();
      const cases: [env: NodeJS.ProcessEnv, url: string | undefined, words: RegExp, isAway: boolean][] = [
        [{}, undefined, /there is no secret SONAR: set FAIRWAY_SECRET_SONAR/, false],
        [{ FAIRWAY_SECRET_SONAR: 'other' }, undefined, /refuses the token of the secret SONAR/, false],
        [good, away.url, /no answer from .*ECONNREFUSED/, true],
        [
          good,
          await server({ 'system/status': { status: 'UP', version: '8.9.10' } }),
          /version 8\.9\.10: 9\.9 or later/,
          false,
        ],
        [
          good,
          await server({ 'system/status': { status: 'DOWN', version: '9.9' } }),
          /not ready: its status is DOWN/,
          true,
        ],
        [good, await server({ 'authentication/validate': { valid: false } }), /it is not valid/, false],
      ];
      for (const [env, url, words, isAway] of cases) {
        const [found, ...more] = await check(env, url);
        assert.deepEqual(more, []);
        assert.match(found?.problem ?? '', words);
        assert.match(found?.remedy ?? '', /"codeScanner".*secret SONAR/);
        assert.equal(found?.unavailable, isAway, found?.problem);
        assert.ok(!JSON.stringify(found).includes(TOKEN));
      }
    });
  });

  it('doctor says the same of the server', async () => {
    const program = (url: string) =>
      programSchema.parse(definition({}, { codeScanner: { type: 'sonarqube', url, token: 'SONAR' } }));
    const finding = async (url: string, env: NodeJS.ProcessEnv) => {
      const [found] = await codeScannerFindings(program(url), secrets({ env }));
      return `${found?.state}: ${found?.found} (${found?.remedy})`;
    };
    const good = { FAIRWAY_SECRET_SONAR: TOKEN };
    const old = await server({ 'system/status': { status: 'UP', version: '7.9' } });
    assert.equal(await finding(api.url, good), 'good: SonarQube 9.9.8.100196, accepts the token (undefined)');
    assert.match(await finding(api.url, {}), /^note: there is no secret SONAR.*name their folder/);
    assert.match(
      await finding(api.url, { FAIRWAY_SECRET_SONAR: 'x' }),
      /^bad: .*refuses.*\(see to the server/,
    );
    assert.match(await finding(old, good), /^bad: .*version 7\.9/);
    assert.deepEqual(await codeScannerFindings(programSchema.parse(definition()), secrets({ env: {} })), []);
  });
});
