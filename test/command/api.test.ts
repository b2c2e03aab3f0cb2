import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { init } from '@adobe/aio-lib-cloudmanager';
import proto from '@temporalio/proto';
import { decodeJwt } from 'jose';
import { encryptingCodec } from '../../src/encryption/codec.ts';
import { parseKeys } from '../../src/encryption/keys.ts';
import { fairway, startFairway } from './fairway.ts';
import { temporaryFolder } from '../support/folder.ts';
import { until } from '../support/until.ts';
import { workflowHarness } from '../workflows/harness.ts';

describe('fairway api and fairway token', function () {
  this.timeout(120_000);
  const harness = workflowHarness('real time');
  const folder = temporaryFolder();
  const given = () => ({ cwd: folder(), env: { TEMPORAL_ADDRESS: harness.env.address } });
  const keys = () => join(folder(), '.fairway', 'api-keys.json');
  const token = async (...args: string[]) => {
    const { code, stdout, stderr } = await fairway(['token', 'create', ...args], given());
    assert.equal(code, 0, stderr);
    return stdout.trim();
  };

  beforeEach(async () => {
    await mkdir(join(folder(), '.fairway'));
    await writeFile(
      join(folder(), '.fairway', 'config.json'),
      JSON.stringify({ api: { url: 'http://127.0.0.1:1234' } }),
    );
  });

  it('is not listened beyond this machine while nobody could prove who they are', async () => {
    const { code, stderr } = await fairway(['api', '--listen', '0.0.0.0:0'], given());
    assert.equal(code, 3);
    assert.match(stderr, /nobody could prove who they are.*\n.*fairway token create/);
    await assert.rejects(stat(keys()), /ENOENT/);
  });

  it('a token is made with a key set that stays, and that only its owner reads', async () => {
    const created = await token('--role', 'developer', '--role', 'business-owner', '--subject', 'dora');
    assert.equal((await stat(keys())).mode & 0o777, 0o600);
    const before = await readFile(keys(), 'utf8');
    const { sub, roles, client_id, exp = 0, iat = 0 } = decodeJwt(created);
    assert.deepEqual([sub, roles, client_id], ['dora', ['developer', 'business-owner'], 'fairway']);
    assert.equal(exp - iat, 12 * 3600);
    const lines = await token('--role', 'developer', '--aio', '--expires', '1d');
    assert.match(lines, /^export AIO_CLOUDMANAGER_BASE__URL='http:\/\/127.0.0.1:1234'$/m);
    assert.match(lines, /^export AIO_IMS_CONTEXTS_CLI_ACCESS__TOKEN_TOKEN=ey[\w.-]+$/m);
    assert.equal(await readFile(keys(), 'utf8'), before);
  });

  it('what is encrypted is shown to the Web UI, and to everybody on this machine only', async () => {
    const ui = ['codec-server', '--ui', 'http://127.0.0.1:8233'];
    const bare = await fairway(ui, given());
    assert.deepEqual([bare.code, /there is no secret PAYLOAD_KEYS/.test(bare.stderr)], [3, true]);
    const secret = { FAIRWAY_SECRET_PAYLOAD_KEYS: `first:${randomBytes(32).toString('base64')}` };
    const open = await fairway([...ui, '--listen', '0.0.0.0:0'], { ...given(), env: secret });
    assert.equal(open.code, 3);
    assert.match(open.stderr, /everybody could read .*\n.*--jwks/);
    const unknown = await fairway([...ui, '--keys', 'none.json'], { ...given(), env: secret });
    assert.deepEqual([unknown.code, /there is no key set .*none\.json/.test(unknown.stderr)], [2, true]);

    const [payload] = await encryptingCodec(parseKeys(secret.FAIRWAY_SECRET_PAYLOAD_KEYS)).encode([
      { metadata: {}, data: Buffer.from('plain') },
    ]);
    const text = JSON.stringify({
      payloads: [proto.temporal.api.common.v1.Payload.create(payload)],
    });
    for (const args of [[], ['--keys', keys()]]) {
      const created = await token('--role', 'deployment-manager');
      const server = startFairway([...ui, '--listen', '127.0.0.1:0', ...args], { ...given(), env: secret });
      const url = () => /codec server at (\S+),/.exec(server.errors())?.[1];
      await until('it listens', () => url() !== undefined, 60_000);
      const ask = async (headers: Record<string, string>) => {
        const all = { 'content-type': 'application/json', ...headers };
        const answer = await fetch(`${url()}/decode`, { method: 'POST', headers: all, body: text });
        return [answer.status, (await answer.text()).includes(Buffer.from('plain').toString('base64'))];
      };
      assert.deepEqual(await ask({ authorization: `Bearer ${created}` }), [200, true]);
      assert.deepEqual(await ask({}), args.length === 0 ? [200, true] : [401, false]);
      assert.deepEqual(await ask({ origin: 'http://evil.example.com' }), [403, false]);
      server.process.kill('SIGTERM');
      assert.equal((await server.ended).code, 0);
    }
  });

  it('what is not understood is refused, with what would be', async () => {
    for (const [args, words] of [
      [['token', 'create'], /--role/],
      [['token', 'create', '--role', 'king'], /one of business-owner, /],
      [['token', 'create', '--role', 'developer', '--expires', '91d'], /90d at most/],
      [['token', 'create', '--role', 'developer', '--subject', ' '], /1 to 200 characters/],
      [['token', 'create', '--role', 'developer', '--aio', '--base-url', 'nonsense'], /http or https URL/],
      [['api', '--listen', 'nowhere'], /host:port/],
      [['api', '--jwks', 'http://127.0.0.1:1/'], /--issuer and --audience/],
      [['api', '--jwks', 'http://id.example.com/jwks', '--issuer', 'x', '--audience', 'y'], /an https URL/],
      [['api', '--jwks', 'https://id.example.com/jwks', '--issuer', 'x', '--audience', ''], /1 to 200/],
      [['api', '--api-key', ''], /1 to 200 characters/],
      [['api', '--issuer', 'x'], /--jwks/],
      [['api', '--base-url', 'ftp://x'], /http or https/],
      [['codec-server'], /--ui/],
      [['codec-server', '--ui', 'http://127.0.0.1:8233/namespaces'], /without a path/],
      [['codec-server', '--ui', 'http://127.0.0.1:8233', '--jwks', 'https://id.example.com/'], /--issuer/],
    ] as const) {
      const { code, stderr } = await fairway(args, given());
      assert.equal(code, 2, stderr);
      assert.match(stderr, words);
    }
    const elsewhere = { ...given(), cwd: '/' };
    const nowhere = await fairway(['token', 'create', '--role', 'developer'], elsewhere);
    assert.deepEqual([nowhere.code, /--keys/.test(nowhere.stderr)], [2, true]);
    await token('--role', 'developer');
    const good = await readFile(keys(), 'utf8');
    const refused = async (words: RegExp, ...args: string[]) => {
      const { code, stderr } = await fairway(['token', 'create', '--role', 'developer', ...args], given());
      assert.equal(code, 1);
      assert.match(stderr, words);
    };
    await chmod(keys(), 0o644);
    await refused(/chmod 600/);
    await chmod(keys(), 0o600);
    for (const bad of [
      '',
      '{}',
      good.replace('P-256', 'P-384'),
      good.replace(/(?<="linkSecret": ").{12}/, ''),
    ]) {
      await writeFile(keys(), bad);
      await refused(/api-keys\.json is not a key set of Fairway/);
    }
    await refused(/is no file/, '--keys', folder());
    await refused(/no\/keys\.json cannot be written: there is no folder .*\/no$/m, '--keys', 'no/keys.json');
  });

  it('a token that was revoked, or whose key is gone, is refused at once', async () => {
    const made = async (subject: string) => {
      const { stdout } = await fairway(
        ['token', 'create', '--role', 'developer', '--subject', subject, '-o', 'json'],
        given(),
      );
      return JSON.parse(stdout) as { token: string; id: string };
    };
    const [dora, rolf] = [await made('dora'), await made('rolf')];
    const api = startFairway(['api', '--listen', '127.0.0.1:0'], given());
    const url = () => /API at (\S+);/.exec(api.errors())?.[1];
    await until('it listens', () => url() !== undefined, 60_000);
    const asked = async ({ token }: { token: string }) => {
      const answer = await fetch(`${url()}/api/tenants`, { headers: { authorization: `Bearer ${token}` } });
      return [answer.status, /"message":"([^"]*)"/.exec(await answer.text())?.[1]];
    };
    const good = [200, undefined];
    assert.deepEqual([await asked(dora), await asked(rolf)], [good, good]);

    const revoke = (...args: string[]) => fairway(['token', 'revoke', ...args], given());
    assert.equal((await revoke(dora.id)).code, 0);
    assert.equal((await stat(keys())).mode & 0o777, 0o600);
    assert.deepEqual(await asked(dora), [401, 'the token was revoked: get a new one']);
    assert.deepEqual([await asked(rolf), await asked(await made('dora'))], [good, good]);

    assert.equal((await revoke('--all')).code, 0);
    for (const old of [dora, rolf]) {
      const [status, told] = await asked(old);
      assert.equal(status, 401);
      assert.match(String(told), /signed by none of the keys that this API takes, or takes still/);
    }
    assert.deepEqual(await asked(await made('rolf')), good);

    for (const [args, code, words] of [
      [[], 2, /say --all/],
      [['--all', dora.id], 2, /or say --all/],
      [[dora.token], 2, /no id of a token\n.*"jti"/],
      [[dora.id, '--keys', 'none.json'], 1, /there is no key set .*none\.json/],
    ] as const) {
      const ended = await revoke(...args);
      assert.deepEqual([ended.code, words.test(ended.stderr)], [code, true], ended.stderr);
    }
    await writeFile(`${keys()}.new`, '');
    assert.match((await revoke(rolf.id)).stderr, /somebody else changes it now; remove .*\.new/);
    await rm(keys());
    assert.equal((await asked(rolf))[0], 503);
    api.process.kill('SIGTERM');
    assert.equal((await api.ended).code, 0);
  });

  it("serves Adobe's library, logs who changed what, and ends when told", async () => {
    harness.world.begin();
    await harness.apply();
    const api = startFairway(
      ['api', '--listen', '127.0.0.1:0', '--org', 'ORG@AdobeOrg', '--api-key', 'ci'],
      given(),
    );
    const url = () => /API at (\S+);/.exec(api.errors())?.[1];
    await until('it listens', () => url() !== undefined, 60_000);
    const created = await token('--role', 'deployment-manager', '--subject', 'dora', '--client-id', 'ci');
    const cloudManager = await init('ORG@AdobeOrg', 'ci', created, url() ?? '');
    assert.equal((await cloudManager.listPrograms()).length, 1);
    const { id } = await cloudManager.createExecution('1', '101');
    assert.match(id, /^\d{10}$/);
    const stranger = await init('ORG@AdobeOrg', 'other', created, url() ?? '');
    await assert.rejects(stranger.listPrograms(), /403.*x-api-key/);
    const elsewhere = await init('OTHER@AdobeOrg', 'ci', created, url() ?? '');
    await assert.rejects(elsewhere.listPrograms(), /403.*x-gw-ims-org-id/);
    assert.equal((await fetch(`${url()}/health/ready`)).status, 200);
    assert.equal((await fetch(`${url()}/metrics`)).status, 401);
    const headers = {
      authorization: `Bearer ${created}`,
      'x-api-key': 'ci',
      'x-gw-ims-org-id': 'ORG@AdobeOrg',
    };
    assert.match(
      await (await fetch(`${url()}/metrics`, { headers })).text(),
      /fairway_api_request_seconds_count\{/,
    );
    assert.match(await (await fetch(`${url()}/api/docs/`)).text(), /swagger-ui/);
    api.process.kill('SIGTERM');
    const { code, stdout } = await api.ended;
    assert.equal(code, 0);
    assert.match(
      stdout,
      /"who":"dora","method":"PUT","url":"[^"]*\/execution[^"]*","from":"127.0.0.1","status":201/,
    );
  });
});
