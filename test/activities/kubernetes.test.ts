import assert from 'node:assert/strict';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { clusterChecks } from '../../src/activities/cluster-checks.ts';
import { kubernetesActivities } from '../../src/activities/kubernetes.ts';
import type { ClusterPart, KubernetesActivities, KubernetesInput } from '../../src/model/activities.ts';
import { kubernetesEnvironment } from '../../src/model/kubernetes.ts';
import { programSchema } from '../../src/model/schema/definition.ts';
import { kubernetesSchema } from '../../src/model/schema/kubernetes.ts';
import { kubernetesConfiguration } from '../../src/systems/kubernetes/manifests.ts';
import { clusterFindings } from '../../src/client/doctor/environments.ts';
import { secrets } from '../../src/systems/secrets.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import { clusterEnvironment, definition } from '../support/definition.ts';
import { temporaryFolder } from '../support/folder.ts';
import { KubernetesApi } from '../support/kubernetes-api.ts';

const TOKEN = 'eyJ-a-token';
const image = (version: string) => `sha256:${version.repeat(64).slice(0, 64)}`;

describe('deployment to a cluster', function () {
  this.timeout(60_000);
  const folder = temporaryFolder();
  const storage = () => fileStorage(join(folder(), 'storage'));
  const log = async () => text(await storage().get('1/2/3/logs/deploy.log'));
  let api: KubernetesApi;
  beforeEach(async () => void (api = await KubernetesApi.start(TOKEN)));
  afterEach(() => api.close());

  /** A release of these images: author and publish of `aem`, dispatchers of their own. */
  async function release(
    aem: string,
    dispatcher: string,
    variable = 'one',
    namespace = 'site',
  ): Promise<KubernetesInput> {
    const cluster = kubernetesSchema.parse({
      ...{ server: api.url, certificateAuthority: api.certificate, token: 'CLUSTER', namespace },
      variables: { dispatcher: { LEVEL: variable } },
    });
    const stage = { id: '10', name: 'Stage', type: 'stage', probe: { path: '/' } } as const;
    const files = kubernetesConfiguration('1', kubernetesEnvironment(stage, cluster), {
      aem: { name: 'registry.example.com/aem', digest: image(aem) },
      dispatcher: { name: 'registry.example.com/dispatcher', digest: image(dispatcher) },
    });
    const key = `1/2/3/images/${aem}${dispatcher}${variable}`;
    const stored = Object.entries(files).map(([name, yaml]) => storage().put(`${key}/${name}`, yaml));
    return {
      cluster,
      configuration: { environmentId: '10', files: await Promise.all(stored) },
      keep: `${key}/before.json`,
      log: '1/2/3/logs/deploy.log',
    };
  }

  /** @param since when the activity was first scheduled: 1970 for one whose time is over */
  function run<A extends keyof KubernetesActivities>(
    name: A,
    input: KubernetesInput & { readonly part?: ClusterPart },
    since = Date.now(),
    onLine: (line: string, cancel: () => void) => void = () => undefined,
  ): ReturnType<KubernetesActivities[A]> {
    const mock = new MockActivityEnvironment(
      { scheduledTimestampMs: since },
      { logger: new DefaultLogger('ERROR') },
    );
    mock.on('heartbeat', (line: unknown) => onLine(String(line), () => mock.cancel()));
    const activities = kubernetesActivities({
      storage: storage(),
      secret: secrets({ env: { FAIRWAY_SECRET_CLUSTER: TOKEN } }),
      everyMs: 5,
    });
    const activity = activities[name] as (given: KubernetesInput) => Promise<object | void>;
    return mock.run<[KubernetesInput], object | void, typeof activity>(activity, {
      part: 'aem',
      ...input,
    }) as ReturnType<KubernetesActivities[A]>;
  }

  async function deploy(input: KubernetesInput): Promise<void> {
    for (const part of ['aem', 'dispatcher'] as const) {
      await run('applyKubernetes', { ...input, part });
      await run('waitForRollout', { ...input, part });
    }
  }
  const running = () =>
    ['author', 'publish', 'dispatcher'].map((name) => [...new Set(api.serving(name))].join());
  const of = (aem: string, dispatcher: string) => [
    ...[1, 2].map(() => `registry.example.com/aem@${image(aem)}`),
    `registry.example.com/dispatcher@${image(dispatcher)}`,
  ];

  it('applies config maps before what reads them, waits for every workload, and may run twice', async () => {
    const input = await release('a', 'd');
    await deploy(input);
    await deploy(input);
    assert.deepEqual(running(), of('a', 'd'));
    assert.match(
      api.applied.slice(0, 3).join(),
      /^(ConfigMap (author|publish|dispatcher)-[0-9a-f]{10},?){3}$/,
    );
    assert.equal(new Set(api.applied).size, 12);
    assert.match(await log(), /Deployment dispatcher: \d of 2 (ready|replaced)[^]*: rolled out\n/);
    await deploy(await release('b', 'e'));
    assert.deepEqual(running(), of('b', 'e'));
  });

  it('a changed variable makes another config map, and the one before stays for a way back', async () => {
    await deploy(await release('a', 'd'));
    await deploy(await release('a', 'd', 'two'));
    const maps = new Set(api.applied.filter((name) => name.startsWith('ConfigMap dispatcher')));
    assert.equal(maps.size, 2);
  });

  it('says what is not ready when the time is over; undone, the old version serves everywhere', async () => {
    await deploy(await release('a', 'd'));
    api.broken = image('b');
    const bad = await release('b', 'e');
    await run('applyKubernetes', bad);
    // The same again, as after the death of a worker: what ran before must not be forgotten.
    await run('applyKubernetes', bad);
    await run(
      'waitForRollout',
      bad,
      Date.now(),
      (line, cancel) => line.includes('0 of 1 ready') && cancel(),
    ).catch(() => undefined);
    await assert.rejects(
      run('waitForRollout', bad, 0),
      (error: Error & { type: string; details: string[] }) => {
        assert.equal(error.type, 'NotReady');
        assert.match(error.message, /StatefulSet author: 0 of 1 ready/);
        assert.match(error.details.join('\n'), /pod statefulset-\d+: ImagePullBackOff cannot pull it/);
        return true;
      },
    );
    assert.deepEqual(await run('undoRollout', bad), { serving: 'before' });
    assert.deepEqual(running(), of('a', 'd'));
    assert.match(await log(), /deleted pod statefulset-\d+, which was not ready/);
    assert.deepEqual(await run('undoRollout', bad), { serving: 'before' });
  });

  it('is undone after it was cancelled half-way', async () => {
    await deploy(await release('a', 'd'));
    const next = await release('b', 'e');
    const cancelled = run('applyKubernetes', next, Date.now(), (line, cancel) => {
      if (line === 'applied StatefulSet author') cancel();
    });
    await assert.rejects(cancelled, { name: 'CancelledFailure' });
    assert.deepEqual(await run('undoRollout', next), { serving: 'before' });
    assert.deepEqual(running(), of('a', 'd'));
  });

  it('has nothing to go back to when nothing ran before', async () => {
    const first = await release('a', 'd');
    assert.deepEqual(await run('undoRollout', first), { serving: 'unchanged' });
    await run('applyKubernetes', first);
    assert.deepEqual(await run('undoRollout', first), { serving: 'none' });
  });

  for (const [code, type, told] of [
    [409, 'Unavailable', /answered 409: refused for a test/],
    [429, 'Unavailable', /answered 429/],
    [500, 'Unavailable', /answered 500/],
    [403, 'Denied', /Give the service account of the secret CLUSTER that right/],
    [422, 'Rejected', /try out ConfigMap author-\w+ in site\) answered 422: refused for a test/],
  ] as const)
    it(`is ${type} when the cluster answers a change with ${code}`, async () => {
      const input = await release('a', 'd');
      api.refusals.push(code);
      await assert.rejects(run('applyKubernetes', input), (error: Error & { type: string }) => {
        assert.equal(error.type, type);
        assert.match(error.message, told);
        return true;
      });
      assert.deepEqual(api.applied, []);
      assert.deepEqual(await run('undoRollout', input), { serving: 'unchanged' });
    });

  it('goes on waiting when the cluster is away for a moment', async () => {
    const input = await release('a', 'd');
    await run('applyKubernetes', input);
    api.outages.push(503, 500, 429, 504);
    await run('waitForRollout', input);
    assert.match(await log(), /answered 503: out of order/);
  });

  it('names the secret when the token has expired, and shows it nowhere', async () => {
    const input = await release('a', 'd');
    api.token = 'another';
    await assert.rejects(run('applyKubernetes', input), /has expired: renew the secret CLUSTER/);
    assert.equal((await log()).includes(TOKEN), false);
    assert.deepEqual(api.applied, []);
  });

  it('does not send the token to a server of another certificate', async () => {
    const input = await release('a', 'd');
    const cluster = { ...input.cluster, certificateAuthority: undefined };
    await assert.rejects(
      run('applyKubernetes', { ...input, cluster }),
      /does not answer .*self-signed certificate/,
    );
  });

  it('names a namespace that is not there', async () => {
    const input = await release('a', 'd', 'one', 'other');
    await assert.rejects(run('applyKubernetes', input), {
      type: 'Missing',
      message: /namespaces "other" not found/,
    });
  });

  it('deploys nothing that was made for another namespace, or is no longer what was made', async () => {
    const input = await release('a', 'd');
    const moved = { ...input, cluster: { ...input.cluster, namespace: 'other' } };
    await assert.rejects(run('applyKubernetes', moved), {
      type: 'Conflict',
      message: /built for namespace site, and the environment is now other: start the pipeline anew/,
    });
    const [file] = input.configuration.files;
    await storage().put(file!.key, 'changed: true');
    await assert.rejects(run('applyKubernetes', input), { type: 'InvalidArtifact' });
    assert.deepEqual(api.applied, []);
  });

  describe('is asked', () => {
    const stage = (change: object = {}) => {
      const { id, name, type, kubernetes } = clusterEnvironment('11', 'Stage', 'stage');
      const there = { server: api.url, certificateAuthority: api.certificate, namespace: 'site' };
      return { id, name, type, kubernetes: { ...kubernetes, ...there, ...change } };
    };
    const program = (change: object) =>
      programSchema.parse({
        ...definition({ cse: undefined }),
        type: 'aem_cloud_service',
        environments: [stage(change), clusterEnvironment('12', 'Production', 'prod')],
      });
    const known = { FAIRWAY_SECRET_CLUSTER: TOKEN, FAIRWAY_SECRET_AEM: 'admin:admin' };
    const asked = async (change: object = {}, env: NodeJS.ProcessEnv = known) => {
      const [environment] = program(change).environments;
      const secret = secrets({ env });
      const found = clusterChecks(
        'Stage',
        environment!.kubernetes!,
        { secret },
        new AbortController().signal,
      );
      return (await Promise.all(found))
        .flat()
        .map(({ thing, problem, remedy }) => `${thing}: ${problem} (${remedy})`);
    };

    it('before a build, and nothing is changed', async () => {
      assert.deepEqual(await asked(), []);
      assert.deepEqual(api.applied, []);
    });

    const mistakes: [
      what: string,
      told: RegExp,
      change?: object,
      env?: NodeJS.ProcessEnv,
      refusals?: number[],
    ][] = [
      [
        'does not answer',
        /^Stage cluster: https:\/\/127.0.0.1:1 does not answer/,
        { server: 'https://127.0.0.1:1' },
      ],
      ['has not the namespace', /namespaces "other" not found/, { namespace: 'other' }],
      [
        'does not take the token',
        /renew the secret CLUSTER/,
        {},
        { ...known, FAIRWAY_SECRET_CLUSTER: 'old' },
      ],
      ['lets nothing be changed', /Give the service account .* CLUSTER that right/, {}, known, [403]],
      [
        'is not known the secrets of',
        /no secret CLUSTER[^]*^Stage: there is no secret AEM.* \(give this worker the secret AEM\)$/m,
        {},
        {},
      ],
    ];
    for (const [what, told, change, env, refusals = []] of mistakes)
      it(`and a cluster that ${what} is named`, async () => {
        api.refusals.push(...refusals);
        assert.match((await asked(change, env)).join('\n'), told);
      });

    it('by doctor', async () => {
      const say = async (env: NodeJS.ProcessEnv) =>
        (await clusterFindings(program({}), secrets({ env }))).map(({ what, state, found }) => [
          what,
          state,
          found,
        ]);
      const [stageFound, productionFound] = await say(known);
      assert.deepEqual(stageFound, [
        ...['Stage: cluster (CLUSTER)', 'good'],
        `${api.url} takes the token, and deployments to namespace site`,
      ]);
      assert.equal(productionFound?.[1], 'bad');
      assert.deepEqual(
        (await say({})).map(([, state]) => state),
        ['note', 'note'],
      );
    });
  });
});
