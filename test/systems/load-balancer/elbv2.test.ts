import assert from 'node:assert/strict';
import { join } from 'node:path';
import { environmentFindings } from '../../../src/client/doctor/environments.ts';
import { environmentSchema } from '../../../src/model/schema/definition.ts';
import { Failure } from '../../../src/systems/failure.ts';
import { attach } from '../../../src/systems/load-balancer/attach.ts';
import { detach } from '../../../src/systems/load-balancer/detach.ts';
import { elbv2 } from '../../../src/systems/load-balancer/elbv2.ts';
import { preflight } from '../../../src/systems/load-balancer/preflight.ts';
import { elbServer, TARGET_GROUP, type ElbServer } from '../../support/elb-server.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { until } from '../../support/until.ts';

const failure = (type: string, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Failure, String(error));
  assert.equal(error.type, type);
  assert.match(error.message, words);
  return true;
};
const [d1, d2] = ['i-0aaaaaaaaaaaaaaa1', '10.0.0.2:8080'] as const;
const target1 = `${d1}:80`;
const definition = { type: 'elbv2', targetGroup: TARGET_GROUP, url: 'http://www.example.com' } as const;
const change = ({ asked }: ElbServer) => asked.filter((line) => !line.startsWith('Describe'));

describe('the load balancer of AWS', () => {
  let elb: ElbServer;
  const folder = temporaryFolder();
  const before = { ...process.env };
  const balancer = (settleMs = 30_000) => elbv2(definition, [d1, d2], { pollMs: 5, settleMs });
  const statusOf = async (name: string) =>
    (await balancer().servers()).find((server) => server.name === name)?.status;

  beforeEach(async () => {
    elb = await elbServer();
    elb.targets.set(target1, { state: 'healthy' }).set(d2, { state: 'healthy' });
    process.env['AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2'] = elb.url;
    process.env['AWS_ACCESS_KEY_ID'] = process.env['AWS_SECRET_ACCESS_KEY'] = 'anything';
    process.env['AWS_EC2_METADATA_DISABLED'] = 'true';
    process.env['AWS_CONFIG_FILE'] = process.env['AWS_SHARED_CREDENTIALS_FILE'] = join(folder(), 'none');
  });
  afterEach(async () => {
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
    Object.assign(process.env, before);
    await elb.close();
  });

  it('shows the states of targets as those of servers', async () => {
    for (const [state, reason, status, sessions] of [
      ['initial', 'Elb.InitialHealthChecking', 'uncertain', 0],
      ['healthy', undefined, 'up', 0],
      ['unhealthy', 'Target.ResponseCodeMismatch', 'down', 0],
      ['unhealthy.draining', undefined, 'down', 0],
      ['draining', 'Target.DeregistrationInProgress', 'maintenance', 1],
      ['unused', 'Target.NotInUse', 'unchecked', 0],
      ['unused', 'Target.InvalidState', 'down', 0],
      ['unavailable', 'Target.HealthCheckDisabled', 'unchecked', 0],
    ] as const) {
      elb.targets.set(target1, { state, reason });
      const [first] = await balancer().servers();
      const words = [state, reason].filter(Boolean).join(' ');
      assert.deepEqual(first, { ...{ name: d1, status, sessions, words } });
    }
    elb.targets.delete(target1);
    elb.targets.set('10.0.0.9:80', { state: 'healthy' });
    assert.deepEqual(
      (await balancer().servers()).map(({ name, status }) => `${name} ${status}`),
      [`${d1} maintenance`, `${d2} up`, '10.0.0.9:80 up'],
    );
  });

  it('deregisters a dispatcher, and waits until its connections are drained', async () => {
    const lines: string[] = [];
    const detached = detach(balancer(), d1, { onProgress: (line) => lines.push(line) });
    let ended = false;
    void detached.then(() => (ended = true));
    await until('it drains', () => elb.targets.get(target1)?.state === 'draining');
    const looks = elb.asked.length;
    await until('it is looked at again and again', () => elb.asked.length > looks + 5);
    assert.equal(ended, false);
    elb.targets.delete(target1);
    await detached;
    assert.match(lines.at(-1) ?? '', /in maintenance, 1 of 2 servers take visitors/);
    assert.deepEqual(change(elb), [`DeregisterTargets ${target1}`]);
  });

  it('waits as long as the deregistration delay says, and goes on at the limit', async () => {
    elb.delaySeconds = 120;
    assert.deepEqual(await balancer().patience(), { sessionsMs: 180_000, checksMs: 80_000 });
    const lines: string[] = [];
    await detach(balancer(), d2, { sessionLimitMs: 50, onProgress: (line) => lines.push(line) });
    assert.match(lines.join('\n'), /still answers 1 requests after 0.05 s/);
    assert.deepEqual(change(elb), [`DeregisterTargets ${d2}`]);
  });

  it('does not deregister again what is out already', async () => {
    elb.onDeregister.health = undefined;
    await detach(balancer(), d1);
    await detach(balancer(), d1);
    assert.deepEqual(change(elb), [`DeregisterTargets ${target1}`]);
  });

  it('registers a dispatcher, and waits until AWS finds it healthy', async () => {
    elb.targets.delete(target1);
    let ended = false;
    const attached = attach(balancer(), d1);
    void attached.then(() => (ended = true));
    await until('its first checks are made', () => elb.targets.get(target1)?.state === 'initial');
    elb.targets.set(target1, { state: 'unhealthy', reason: 'Target.FailedHealthChecks' });
    const looks = elb.asked.length;
    await until('it is looked at again and again', () => elb.asked.length > looks + 5);
    assert.equal(ended, false);
    elb.targets.set(target1, { state: 'healthy' });
    await attached;
    assert.deepEqual(change(elb), [`RegisterTargets ${target1}`]);
    await attach(balancer(), d1);
    assert.equal(await statusOf(d1), 'up', 'attaching again leaves it in service');
  });

  it('takes one back that still drains', async () => {
    elb.targets.set(target1, { state: 'draining' });
    elb.onRegister.health = { state: 'healthy' };
    await attach(balancer(), d1);
    assert.equal(await statusOf(d1), 'up');
  });

  it('says in its words what keeps a dispatcher from being healthy, and leaves it registered', async () => {
    elb.targets.delete(target1);
    elb.onRegister.health = { state: 'unhealthy', reason: 'Target.Timeout' };
    await assert.rejects(
      attach(balancer(), d1, { limitMs: 50 }),
      failure(
        'NotReady',
        /target group dispatchers does not find i-0a+1 up within 0.05 s: unhealthy Target.Timeout/,
      ),
    );
    elb.onRegister.health = { state: 'unused', reason: 'Target.NotInUse' };
    elb.targets.delete(target1);
    await assert.rejects(attach(balancer(), d1), failure('NotReady', /does not check i-0/));
  });

  it('leaves as it is what a person has changed while it waits', async () => {
    const detached = detach(balancer(), d1);
    detached.catch(() => undefined);
    await until('it drains', () => elb.targets.get(target1)?.state === 'draining');
    const looks = elb.asked.length;
    await until('that was seen', () => elb.asked.length > looks + 3);
    elb.targets.set(target1, { state: 'initial' });
    await assert.rejects(detached, failure('Conflict', /somebody else let visitors to i-0/));

    const attached = attach(balancer(), d1);
    attached.catch(() => undefined);
    await until('it was told', () => change(elb).length === 2);
    const before = elb.asked.length;
    await until('that was seen', () => elb.asked.length > before + 3);
    elb.targets.delete(target1);
    await assert.rejects(
      attached,
      failure('Conflict', /somebody else took i-0a+1 out.*Target.NotRegistered/),
    );
  });

  it('stops waiting when it is cancelled, and attaching afterwards makes good', async () => {
    const cancel = new AbortController();
    const reason = new Error('cancelled');
    const detached = detach(balancer(), d1, { signal: cancel.signal });
    await until('it drains', () => elb.targets.get(target1)?.state === 'draining');
    cancel.abort(reason);
    await assert.rejects(detached, reason);
    elb.onRegister.health = { state: 'healthy' };
    await attach(balancer(), d1);
    assert.equal(await statusOf(d1), 'up');
  });

  it('does not believe AWS before it shows what it was told', async () => {
    elb.onDeregister.health = { state: 'healthy' };
    await assert.rejects(
      balancer(50).maintain(d1),
      failure('Unavailable', /does not show what it was told of i-0a+1: it is healthy/),
    );
    await assert.rejects(
      balancer().maintain('i-9'),
      failure('Missing', /has no server i-9, it has i-0a+1, 10/),
    );
  });

  it('tells what is missing, refused or away by what a person can do about it', async () => {
    const asking = () => balancer().servers();
    elb.refusal = [403, 'AccessDenied'];
    await assert.rejects(asking(), failure('Denied', /refuses these credentials.*register and deregister/));
    elb.refusal = [400, 'Throttling'];
    await assert.rejects(asking(), failure('Unavailable', /does not answer as it should.*Throttling/));
    assert.ok(elb.asked.length > 3, 'it was asked again before');
    elb.refusal = [400, 'InvalidTarget'];
    await assert.rejects(asking(), failure('Rejected', /refused a request .*InvalidTarget/));
    elb.refusal = undefined;
    const other = elbv2({ ...definition, targetGroup: TARGET_GROUP.replace('dispatchers', 'typo') }, []);
    await assert.rejects(
      other.servers(),
      failure('Missing', /no target group typo in eu-central-1.*"targetGroup"/),
    );
    delete process.env['AWS_ACCESS_KEY_ID'];
    await assert.rejects(
      asking(),
      failure('Missing', /needs credentials, and the AWS provider chain finds none/),
    );
    process.env['AWS_ACCESS_KEY_ID'] = 'anything';
    process.env['AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2'] = 'http://127.0.0.1:1';
    await assert.rejects(asking(), failure('Unavailable', /does not answer as it should.*ECONNREFUSED/));
  }).timeout(60_000);

  it('is looked at by preflight and doctor', async () => {
    const environment = environmentSchema.parse({
      ...{ id: '1', name: 'Production', type: 'prod', loadBalancer: definition },
      author: [{ id: 'author1', url: elb.url, credentials: 'A' }],
      publish: [{ id: 'publish1', url: elb.url, credentials: 'A' }],
      dispatchers: [d1, d2].map((server, n) => ({
        ...{ id: `dispatcher${n + 1}`, url: elb.url, publish: 'publish1', server },
      })),
    });
    const looked = async () =>
      (await environmentFindings(environment)).find(({ what }) => what === 'Production: load balancer');
    assert.deepEqual(await preflight(definition, environment.dispatchers), []);
    assert.equal((await looked())?.state, 'good');
    elb.targets.set(target1, { state: 'unused', reason: 'Target.NotInUse' });
    elb.delaySeconds = 3600;
    const problems = await preflight(definition, environment.dispatchers);
    assert.match(
      problems.join('\n'),
      /deregistration delay .* may take 3660 s: set .*\n.*dispatcher1: .*NotInUse/,
    );
    const { state, found, remedy } = (await looked()) ?? {};
    assert.equal(state, 'bad');
    assert.match(found ?? '', /i-0a+1 unused Target.NotInUse, 10\.0\.0\.2:8080 healthy/);
    assert.match(remedy ?? '', /environment repair 1/);
    elb.refusal = [403, 'AccessDenied'];
    assert.equal((await looked())?.state, 'note');
    await assert.rejects(preflight(definition, environment.dispatchers), failure('Denied', /credentials/));
  });
});
