import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { startChild, type Child } from '../../src/local/child.ts';
import { freePorts } from '../../src/local/ports.ts';
import { prepare } from '../../src/local/setup/prepare.ts';
import { startTemporal, type TemporalServer } from '../../src/local/temporal-server.ts';
import { secrets } from '../../src/systems/secrets.ts';
import { connectWorker } from '../../src/worker/temporal-connection.ts';
import { fairway } from '../command/fairway.ts';
import { certificateAuthority, type Certificate } from '../support/certificates.ts';
import { until } from '../support/until.ts';

const KEY = 'an-api-key';

const portOf = (address: string): string => new URL(`tls://${address}`).port;

describe('connecting to Temporal', function () {
  this.timeout(60_000);
  let folder = '';
  let server: TemporalServer;
  let terminator: Child;
  /** The doors of HAProxy: mutual TLS, a server certificate that has expired, TLS with an API key. */
  const doors = { mutual: '', expired: '', apiKey: '' };
  let authority: string;
  let client: Certificate;
  let expiredClient: Certificate;
  let environment: NodeJS.ProcessEnv;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fairway-tls-'));
    const { temporal: executable, haproxy } = await prepare(['temporal', 'haproxy'], () => undefined);
    server = await startTemporal({ folder: join(folder, 'temporal'), executable });
    const ca = await certificateAuthority(folder);
    authority = ca.crt;
    const good = await ca.issue('server');
    const expired = await ca.issue('old-server', -1);
    client = await ca.issue('client');
    expiredClient = await ca.issue('old-client', -1);
    const ports = await freePorts(3);
    [doors.mutual, doors.expired, doors.apiKey] = ports.map((port) => `localhost:${port}`) as [
      string,
      string,
      string,
    ];
    for (const { crt, key } of [good, expired])
      await writeFile(`${crt}.pem`, `${await readFile(crt, 'utf8')}${await readFile(key, 'utf8')}`);
    const config = join(folder, 'haproxy.cfg');
    await writeFile(
      config,
      `defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
frontend mutual
  bind 127.0.0.1:${portOf(doors.mutual)} ssl crt ${good.crt}.pem alpn h2 verify required ca-file ${ca.crt}
  default_backend temporal
frontend expired
  bind 127.0.0.1:${portOf(doors.expired)} ssl crt ${expired.crt}.pem alpn h2
  default_backend temporal
frontend key
  bind 127.0.0.1:${portOf(doors.apiKey)} ssl crt ${good.crt}.pem alpn h2
  http-request deny deny_status 401 unless { req.hdr(authorization) "Bearer ${KEY}" }
  default_backend temporal
backend temporal
  server temporal ${server.address} proto h2
`,
    );
    terminator = startChild(haproxy, ['-db', '-f', config], { logFile: join(folder, 'haproxy.log') });
    await until('HAProxy listens', async () => {
      const refusal = await fetch(`https://${doors.expired}`).then(
        () => '',
        (error: Error) => String(error.cause),
      );
      return refusal.includes('certificate');
    });
    environment = { ...process.env };
  });
  afterEach(() => {
    for (const name of Object.keys(process.env)) if (name.startsWith('TEMPORAL_')) delete process.env[name];
    Object.assign(process.env, environment);
  });
  after(async () => {
    await terminator.stop();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** The command and a worker, which connect by different libraries, each with what it says. */
  async function connecting(profile?: string): Promise<readonly string[]> {
    const command = fairway([...(profile ? ['--profile', profile] : []), 'setup']);
    const worker = connectWorker({ profile }, secrets({ env: {} })).then(
      async ({ ask, close }) => {
        await ask();
        await close();
        return 'connected';
      },
      (error: Error) => error.message,
    );
    const { code, stderr } = await command;
    return [code === 0 ? 'connected' : stderr, await worker];
  }
  const profiles = async (
    all: Record<string, { door: string; ca?: false; pair?: Certificate; key?: string }>,
  ) => {
    const file = join(folder, 'temporal.toml');
    const text = Object.entries(all).map(([name, { door, ca, pair, key }]) => [
      `[profile.${name}]\naddress = "${door}"`,
      ...(key ? [`api_key = "${key}"`] : []),
      ...(ca === false ? [] : [`[profile.${name}.tls]`, `server_ca_cert_path = "${authority}"`]),
      ...(pair ? [`client_cert_path = "${pair.crt}"`, `client_key_path = "${pair.key}"`] : []),
    ]);
    await writeFile(file, `${text.flat().join('\n')}\n`);
    process.env['TEMPORAL_CONFIG_FILE'] = file;
  };

  it('with mutual TLS, as the variables of Temporal say', async () => {
    Object.assign(process.env, {
      TEMPORAL_ADDRESS: doors.mutual,
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: authority,
      TEMPORAL_TLS_CLIENT_CERT_PATH: client.crt,
      TEMPORAL_TLS_CLIENT_KEY_PATH: client.key,
    });
    assert.deepEqual(await connecting(), ['connected', 'connected']);
  });

  it('with mutual TLS or an API key, from profiles', async () => {
    await profiles({
      mutual: { door: doors.mutual, pair: client },
      cloud: { door: doors.apiKey, key: KEY },
    });
    for (const name of ['mutual', 'cloud'])
      assert.deepEqual(await connecting(name), ['connected', 'connected'], name);
  });

  it('says what is wrong with certificates and keys', async () => {
    await profiles({
      old: { door: doors.expired },
      oldClient: { door: doors.mutual, pair: expiredClient },
      nobody: { door: doors.mutual },
      stranger: { door: doors.apiKey, ca: false, key: KEY },
      wrongKey: { door: doors.apiKey, key: 'another' },
    });
    const expected = {
      old: /the certificate of the server has expired, on .* renew it/,
      oldClient: /the client certificate has expired, on .* renew it/,
      nobody: /no secure connection.*(client certificate|certificate required)/i,
      stranger: /no secure connection.*certificate of the server is not trusted/,
      wrongKey: /does not take these credentials.*TEMPORAL_API_KEY/,
    };
    await Promise.all(
      Object.entries(expected).map(async ([name, pattern]) => {
        for (const said of await connecting(name)) assert.match(said, pattern, name);
      }),
    );
  });

  it('fairway setup makes namespace, retention and search attributes, once', async () => {
    const env = { TEMPORAL_ADDRESS: server.address, TEMPORAL_NAMESPACE: 'acme' };
    const before = await fairway(['doctor'], { env });
    assert.match(before.stdout, /✗ namespace acme: .*\n +fairway setup/);
    const first = await fairway(['setup', '--retention-days', '7'], { env });
    assert.equal(first.code, 0, first.stderr);
    assert.match(
      first.stdout,
      /namespace acme made, closed executions are kept for 7 days\nsearch attributes made: /,
    );
    assert.match((await fairway(['setup'], { env })).stdout, /all is there, nothing was changed/);
    assert.match(
      (await fairway(['setup', '--retention-days', '90'], { env })).stdout,
      /90 days instead of 7/,
    );
    const { stdout } = await fairway(['doctor'], { env });
    assert.match(stdout, /✓ namespace acme: closed executions are kept for 90 days/);
    assert.match(stdout, /✓ search attributes: all 8/);
  });

  it('fairway setup refuses a search attribute of another type', async () => {
    const env = { TEMPORAL_ADDRESS: server.address, TEMPORAL_NAMESPACE: 'other' };
    const connection = await Connection.connect({ address: server.address });
    try {
      await connection.workflowService.registerNamespace({
        namespace: 'other',
        workflowExecutionRetentionPeriod: msToTs('1 day'),
      });
      await until('the namespace is known', () =>
        connection.operatorService
          .addSearchAttributes({ namespace: 'other', searchAttributes: { FairwayMode: 1 } })
          .then(
            () => true,
            () => false,
          ),
      );
    } finally {
      await connection.close();
    }
    const { code, stderr } = await fairway(['setup'], { env });
    assert.equal(code, 3);
    assert.match(stderr, /search attribute FairwayMode that is no Keyword/);
    assert.match(
      (await fairway(['doctor'], { env })).stdout,
      /✗ search attributes: of another type than ours: FairwayMode/,
    );
  });
});
