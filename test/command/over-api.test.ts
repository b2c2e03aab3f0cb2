import assert from 'node:assert/strict';
import type { FastifyInstance } from 'fastify';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { createApi } from '../../src/api/server.ts';
import type { Role } from '../../src/api/roles.ts';
import type { ExecutionState } from '../../src/model/execution.ts';
import { until } from '../support/until.ts';
import { httpServer } from '../support/http-server.ts';
import { workflowHarness } from '../workflows/harness.ts';
import { metric } from '../workflows/scripted-world.ts';
import { fairway as typed } from './fairway.ts';

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

  before(async () => {
    const pair = await generateKeyPair('ES256');
    key = pair.privateKey;
    api = await createApi({
      client: fairway.client,
      tokens: { issuer: 'issuer', audience: 'fairway', keys: { set: [await exportJWK(pair.publicKey)] } },
      linkSecret: Buffer.alloc(32, 7),
    });
    url = await api.listen({ host: '127.0.0.1', port: 0 });
  });
  after(() => api?.close());

  const token = (subject: string, role: Role) =>
    new SignJWT({ roles: [role] })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer('issuer')
      .setAudience('fairway')
      .setSubject(subject)
      .setExpirationTime('10 minutes')
      .sign(key);
  const run = async (args: readonly string[], role: Role = 'deployment-manager') =>
    typed(args, { env: { FAIRWAY_API: url, FAIRWAY_TOKEN: await token('dora', role) } });
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
    const { decisions, startedBy } = await fairway.state('0000000001');
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
      [['start', '101', '--branch', 'x'], 'deployment-manager', 3, /its own branch or tag only/],
      [['approve', '--signal'], 'deployment-manager', 3, /no signals/],
      [['approve', '--as', 'paula'], 'deployment-manager', 2, /the token says who acts/],
      [['waiting'], 'deployment-manager', 2, /needs Temporal itself/],
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
