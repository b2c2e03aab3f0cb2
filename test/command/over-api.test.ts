import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { FastifyInstance } from 'fastify';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { createApi } from '../../src/api/server.ts';
import type { Role } from '../../src/api/roles.ts';
import { FairwayClient } from '../../src/client/fairway-client.ts';
import type { StepResults } from '../../src/client/read-files.ts';
import type { ExecutionState } from '../../src/model/execution.ts';
import { decryptVariable } from '../../src/systems/secret-variables.ts';
import { secrets } from '../../src/systems/secrets.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import { aemArtifact, definition, dispatcherArtifact } from '../support/definition.ts';
import { until } from '../support/until.ts';
import { httpServer } from '../support/http-server.ts';
import { workflowHarness } from '../workflows/harness.ts';
import { metric } from '../workflows/scripted-world.ts';
import { fairway as typed } from './fairway.ts';

const VARIABLES_KEY = '07'.repeat(32);

const poor = {
  metrics: [metric('coverage', 'important', false)],
  results: { key: 'results.json', sha256: '0', size: 2 },
};

describe('the fairway command over the API', function () {
  this.timeout(120_000);
  const fairway = workflowHarness('real time');
  let api: FastifyInstance;
  let url: string;
  let key: CryptoKey;
  let folder: string;
  const storage = () => fileStorage(join(folder, 'storage'));

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fairway-over-api-'));
    const pair = await generateKeyPair('ES256');
    key = pair.privateKey;
    api = await createApi({
      client: new FairwayClient(fairway.client.temporal, {
        storage: storage(),
        secrets: secrets({ env: { FAIRWAY_SECRET_VARIABLES_KEY: VARIABLES_KEY } }),
      }),
      tokens: { issuer: 'issuer', audience: 'fairway', keys: { set: [await exportJWK(pair.publicKey)] } },
      linkSecret: Buffer.alloc(32, 7),
    });
    url = await api.listen({ host: '127.0.0.1', port: 0 });
  });
  after(async () => {
    await api?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  const token = (subject: string, role: Role) =>
    new SignJWT({ roles: [role] })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer('issuer')
      .setAudience('fairway')
      .setSubject(subject)
      .setExpirationTime('10 minutes')
      .sign(key);
  const run = async (args: readonly string[], role: Role = 'deployment-manager', input?: string) =>
    typed(args, { env: { FAIRWAY_API: url, FAIRWAY_TOKEN: await token('dora', role) }, input });
  const good = async (args: readonly string[], role?: Role) => {
    const { code, stdout, stderr } = await run(args, role);
    assert.equal(code, 0, `${args.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  };
  const define = async (script: Parameters<typeof fairway.world.begin>[0] = {}) => {
    fairway.world.begin(script);
    await fairway.apply();
  };

  it('starts, lists, shows and decides everything, as the subject of the token', async () => {
    await define({ codeQuality: async () => poor });
    await fairway.client.setEmergency('1', true, { subject: 'carl', via: 'test', verified: true });
    const started = await good(['start', 'Production pipeline', '--emergency']);
    assert.match(started, /EMERGENCY · Example · Production pipeline, execution 0000000001: started/);

    await fairway.waitsAt('codeQuality');
    assert.match(await good(['list', '--waiting']), /0000000001 .*EMERGENCY.*WAITING.*Code Scanning.*dora/);
    assert.match(await good(['list', '--mode', 'normal']), /no executions/);
    const shown = await good(['show']);
    assert.match(shown, /\? Code Scanning +WAITING/);
    assert.match(shown, /until .*in (6 days 23 hours|7 days)/);
    assert.match(shown, /Code Scanning: coverage is 40, expected >= 50 \(important\)/);
    assert.match(await good(['override', 'codeQuality', '--accept', '--comment', 'legacy']), /accepted/);

    await fairway.waitsAt('approval');
    assert.match(await good(['approve']), /execution 0000000001: approved/);
    await fairway.waitsAt('schedule');
    const far = new Date(Date.now() + 3_600_000).toISOString();
    assert.match(await good(['schedule', '--at', `${far.slice(0, 16)}Z`, '--yes']), /scheduled for/);
    assert.match(await good(['schedule', '1', '--now', '--yes']), /scheduled for now/);
    await fairway.waitsAt('managed');
    assert.match(await good(['cse', 'start'], 'customer-success-engineer'), /started/);
    await until('it ends', async () => (await fairway.state('0000000001')).status === 'FINISHED', 60_000);

    const state = JSON.parse(await good(['show', '1', '-o', 'json'])) as ExecutionState;
    assert.deepEqual(
      [state.status, state.mode, state.branch, state.programName],
      ['FINISHED', 'EMERGENCY', 'main', 'Example'],
    );
    const known = await fairway.state('0000000001');
    assert.deepEqual(state, known, 'over the API as past it');
    assert.match(
      await good(['show', '1'], 'developer'),
      /Security Testing +.*emergency mode[^]*approved[^]*dispatcher1 +in service, configuration new/,
    );
    const { decisions, startedBy } = known;
    assert.ok(
      [startedBy, ...decisions.map(({ by }) => by)].every(
        ({ subject, verified }) => subject === 'dora' && verified,
      ),
    );
  });

  it('rejects, cancels, and says why something is not done', async () => {
    await define();
    await good(['start', '101']);
    await fairway.waitsAt('approval');
    const refusals: [args: string[], role: Role, code: number, told: RegExp][] = [
      [['start', '101'], 'deployment-manager', 3, /pipeline 101 has a running execution/],
      [['approve'], 'developer', 3, /may not do this/],
      [['schedule', '--now', '--yes'], 'deployment-manager', 3, /not waiting for this now/],
      [['show', '999'], 'developer', 4, /there is no execution 0000000999/],
      [
        ['start', 'Productoin pipeline'],
        'deployment-manager',
        4,
        /no pipeline "Productoin pipeline"; similar/,
      ],
      [['approve', '--signal'], 'deployment-manager', 3, /leave out --signal/],
      [['approve', '--as', 'paula'], 'deployment-manager', 2, /the token says who acts/],
      [
        ['environment', 'repair', 'Stage'],
        'deployment-manager',
        2,
        /needs Temporal itself.*TEMPORAL_ADDRESS/s,
      ],
      [['doctor'], 'deployment-manager', 2, /needs Temporal itself/],
      [['logs', 'nightly', 'build'], 'developer', 4, /there is no pipeline "nightly"/],
      [['results', 'devDeploy'], 'developer', 4, /has no step devDeploy; it has validate, build/],
      [['get', 'programs'], 'developer', 3, /may not do this \(readDefinition\)/],
      [['emergency', 'enable', '1'], 'deployment-manager', 3, /may not do this \(setEmergency\)/],
      [['variables', 'set', '101', '9=x'], 'deployment-manager', 3, /variable 9: /],
    ];
    for (const [args, role, code, told] of refusals) {
      const refused = await run(args, role);
      assert.match(refused.stderr, told, args.join(' '));
      assert.equal(refused.code, code, args.join(' '));
    }
    assert.match(await good(['reject', '--comment', 'no']), /rejected/);
    await until('it ends', async () => (await fairway.client.running('1', '101')) === undefined, 30_000);
    const { status, executionId } = await fairway.state();
    assert.equal(status, 'FAILED');
    const again = await run(['start', '101', '--re-execute', executionId]);
    assert.match(again.stderr, /the production deployment .* never began: start the pipeline instead/);
    assert.equal(again.code, 3);

    await good(['start', '101']);
    await fairway.waitsAt('approval');
    assert.match(await good(['cancel', '--yes', '--reason', 'wrong']), /cancelling/);
    await until('it ends', async () => (await fairway.client.running('1', '101')) === undefined, 30_000);
    assert.match(await good(['list', '--status', 'cancelled', '--limit', '1']), /CANCELLED/);
  });

  it('shows logs, results and artifacts, copies them, and says what waits', async () => {
    const put = (name: string, text: string) => storage().put(`1/101/7/${name}`, text);
    const zip = { ...aemArtifact('site.all'), file: await put('artifacts/site.all-1.0.0.zip', 'zip') };
    const damaged = { ...dispatcherArtifact, file: await put('artifacts/dispatcher-1.0.0.zip', 'conf') };
    const findings = [await put('results/codeQuality.csv', 'a,b\r\n')];
    const results = await put('results/codeQuality.json', '{"scanned":3}');
    await define({
      build: async () => ({
        artifacts: [zip, damaged],
        reports: { tests: { run: 1, failed: 0, skipped: 0 } },
        engine: 'test',
      }),
      codeQuality: async () => ({ ...poor, results, findings }),
    });
    await good(['start', '101', '--branch', 'hotfix/login']);
    await fairway.waitsAt('codeQuality');
    const { executionId, branch } = await fairway.state();
    assert.equal(branch, 'hotfix/login');
    assert.match(
      await good(['waiting', '--pipeline', '101'], 'developer'),
      new RegExp(
        `Code Scanning waits for .*coverage 40[^]*fairway override ${executionId} codeQuality --accept`,
      ),
    );

    const logged = (step: string, text: string) =>
      storage().append(`1/101/${executionId}/logs/${step}.log`, text);
    assert.equal(await good(['logs', 'build']), '', 'a log that is not there yet');
    await logged('build', 'fünf\nsix\n');
    assert.equal(await good(['logs', executionId, 'build', '--follow'], 'developer'), 'fünf\nsix\n');

    const shown = await good(['results', 'codeQuality'], 'developer');
    assert.match(shown, /coverage +important +40 +>= 50 +failed[^]*findings: codeQuality\.csv, 5 bytes/);
    const { content, file } = JSON.parse(await good(['results', 'codeQuality', '-o', 'json'])) as StepResults;
    assert.deepEqual([content, file], [{ scanned: 3 }, results]);
    const copies = join(folder, 'copies');
    await good(['results', 'codeQuality', '--download', copies]);
    assert.equal(await readFile(join(copies, 'codeQuality.csv'), 'utf8'), 'a,b\r\n');

    const listed = await good(['artifacts'], 'developer');
    assert.match(listed, /site\.all-1\.0\.0\.zip +aem +example:site\.all:1\.0\.0 +3/);
    assert.match(listed, /results\/codeQuality\.csv +results/);
    await good(['artifacts', '--download', copies]);
    assert.equal(await readFile(join(copies, 'site.all-1.0.0.zip'), 'utf8'), 'zip');
    await put('artifacts/dispatcher-1.0.0.zip', 'gone');
    const refused = await run(['artifacts', '--download', copies]);
    assert.match(refused.stderr, /is not the file that was stored/);
    assert.equal(refused.code, 5);

    const following = good(['logs', 'codeQuality', '--follow']);
    await logged('codeQuality', 'one\ntw');
    await good(['override', 'codeQuality', '--reject']);
    await logged('codeQuality', 'o\n');
    assert.match(await following, /^one\ntw/);
    await until('it ends', async () => (await fairway.client.running('1', '101')) === undefined, 30_000);
  });

  it('defines programs, sets variables and emergency mode, shows and replays webhooks', async () => {
    await define();
    const owner = 'business-owner';
    const url = 'https://ci.example.com/hook';
    const webhooks = [{ id: 'ci', form: 'adobe' as const, url, secret: 'HOOK' }];
    const other = { ...definition({}, { webhooks }), id: '2', name: 'Other' };
    const file = join(folder, 'other.yaml');
    const write = (name: string) => writeFile(file, JSON.stringify({ programs: [{ ...other, name }] }));
    await write('Other');
    assert.match(
      await good(['apply', '-f', file, '--yes'], owner),
      /program 2 \(Other\) created, revision 1/,
    );
    await write('Renamed');
    assert.match(await good(['apply', '-f', file, '--yes'], owner), /\(Renamed\) changed, revision 2/);
    assert.match(await good(['apply', '-f', file, '--dry-run'], owner), /no change/);
    assert.match(
      await good(['get', 'pipelines', '101', '--program', '2'], owner),
      /101 +Production pipeline +Renamed/,
    );
    assert.match(await good(['get', 'environments', 'Renamed/Stage'], owner), /11 +Stage +Renamed/);
    assert.match(await good(['get', 'programs'], owner), /2 +Renamed +aem_managed_services +2/);

    assert.match(await good(['webhooks', 'list', '2']), /ci +adobe +https:\/\/ci\.example\.com\/hook/);
    assert.match(await good(['webhooks', 'replay', 'Renamed', '--webhook', 'ci']), /nothing was missed/);

    await good(['variables', 'set', 'Renamed/101', 'LOG_LEVEL=a=b']);
    assert.match(await good(['variables', 'list', '2/101']), /LOG_LEVEL +string +a=b/);
    await keepsSecret(['2/101', '--secret', 'NPM_TOKEN'], 'do-not-tell');
    for (const [value, told] of [
      ['', /the value is empty/],
      ['two\nlines', /must be one line/],
      ['x'.repeat(500), /has 500 characters; 499 at most/],
    ] as const) {
      const refused = await run(
        ['variables', 'set', '2/101', '--secret', 'NPM_TOKEN'],
        'deployment-manager',
        value,
      );
      assert.match(refused.stderr, told);
      assert.equal(refused.code, 3);
    }
    await good(['variables', 'delete', '2/101', 'LOG_LEVEL', 'NPM_TOKEN']);
    assert.match(await good(['variables', 'list', '2/101']), /has no variables/);

    const engineer = 'customer-success-engineer';
    assert.match(await good(['emergency', 'enable', 'Renamed'], engineer), /is activated for program 2/);
    assert.match(await good(['get', 'programs', '2'], owner), /activated/);
    assert.match(await good(['emergency', 'disable', '2'], engineer), /not activated any more/);

    const pipeline = ['delete', 'pipeline', '101', '--program', '2', '--yes'];
    assert.match(await good(pipeline), /pipeline 101 .* deleted/);
    assert.match(
      await good(['delete', 'environment', 'Renamed/Stage', '--yes']),
      /environment 11 .* deleted/,
    );
    assert.match(await good(['delete', 'program', '2', '--yes'], owner), /program 2 \(Renamed\) deleted/);
    assert.equal((await run(['get', 'programs', '2'], owner)).code, 4);
  });

  /** Sets a secret variable of program 2, and finds it where it belongs and nowhere else. */
  async function keepsSecret(args: readonly string[], value: string): Promise<void> {
    const { code, stdout, stderr } = await run(
      ['variables', 'set', ...args],
      'deployment-manager',
      `${value}\n`,
    );
    assert.equal(code, 0, stderr);
    const answers = [stdout, await good(['variables', 'list', '2/101', '-o', 'json'])];
    assert.match(await good(['variables', 'list', '2/101']), /NPM_TOKEN +secretString +\*\*\*/);
    const history = await fairway.client.temporal.workflow.getHandle('program-2').fetchHistory();
    const [key = ''] = await storage().list('2/101/variables/NPM_TOKEN/');
    const content = await text(await storage().get(key));
    for (const told of [...answers, JSON.stringify(history), content])
      assert.ok(!told.includes(value) && !told.includes(Buffer.from(value).toString('base64')), told);
    const version = /([^/]+)\.json$/.exec(key)?.[1] ?? '';
    const place = { programId: '2', pipelineId: '101', name: 'NPM_TOKEN', version };
    const secret = secrets({ env: { FAIRWAY_SECRET_VARIABLES_KEY: VARIABLES_KEY } });
    assert.equal(await decryptVariable(secret, place, content), value);
  }

  it('sends a token nowhere but to an API, and says what is wrong with it', async () => {
    const env = { FAIRWAY_TOKEN: 'a.b.c' };
    const wrong = async (
      address: string,
      told: RegExp,
      code: number,
      given: Record<string, string> = env,
    ) => {
      const ended = await typed(['show', '--api', address], { env: given });
      assert.match(ended.stderr, told);
      assert.equal(ended.code, code);
    };
    await wrong('http://api.example.com', /unencrypted: use https/, 3);
    await wrong('https://u:p@api.example.com', /without credentials/, 3);
    await wrong('nonsense', /is no address of an API/, 3);
    await wrong(url, /there is no token/, 2, {});
    await wrong(url, /token/i, 3);
    const other = await httpServer((_request, response) => response.end('<html>hello</html>'));
    await wrong(other.url, /is not Fairway's API/, 5);
    await other.close();
    await wrong(other.url, /no answer from the API/, 5);
  });
});
