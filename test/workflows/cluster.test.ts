import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { kubernetesActivities } from '../../src/activities/kubernetes.ts';
import type { ProductTestInput } from '../../src/model/activities.ts';
import type { DeploymentProgress } from '../../src/model/deployment.ts';
import type { ExecutionState } from '../../src/model/execution.ts';
import type { ImageRole } from '../../src/model/images.ts';
import type { Started } from '../../src/model/program.ts';
import type { ProgramInput } from '../../src/model/schema/definition.ts';
import { executionText } from '../../src/model/texts.ts';
import { Failure } from '../../src/systems/failure.ts';
import { kubernetesConfiguration } from '../../src/systems/kubernetes/manifests.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import { clusterEnvironment } from '../support/definition.ts';
import { temporaryFolder } from '../support/folder.ts';
import { KubernetesApi } from '../support/kubernetes-api.ts';
import { until } from '../support/until.ts';
import { ann, workflowHarness } from './harness.ts';
import type { World } from './scripted-world.ts';

const program = {
  type: 'aem_cloud_service',
  environments: [clusterEnvironment('11', 'Stage', 'stage'), clusterEnvironment('12', 'Production', 'prod')],
} as const;
const noQuestions = { approval: false, schedule: false, cse: undefined };
const ROLLOUT = ['apply', 'wait', 'undo'];

describe('a pipeline whose environments are on a cluster', () => {
  const fairway = workflowHarness('time skipping');
  const begin = (script: Partial<World> = {}) =>
    fairway.begin(script, {
      pipeline: noQuestions,
      program: { ...program, environments: [...program.environments] },
    });
  const legs = ({ deployments }: ExecutionState) =>
    deployments.flatMap((one: DeploymentProgress) => one.legs.map(({ name, state }) => `${name} ${state}`));
  const never: World['waitForRollout'] = async ({ cluster, part }) => {
    if (cluster.namespace === 'site-prod' && part === 'aem')
      throw new Failure('NotReady', 'the rollout is not complete: StatefulSet publish: 1 of 2 ready', {
        details: ['pod publish-1: ImagePullBackOff'],
      });
  };

  it('deploys images by digest, dispatchers after what they render from, and tests by the addresses it names', async () => {
    let tested: ProductTestInput | undefined;
    const started = await begin({
      productFunctionalTest: async (input) => {
        tested = input;
        return { passed: true, result: 'passed', tests: { run: 1, failed: 0, skipped: 0 }, failures: [] };
      },
    });
    const state = await fairway.end(started);
    assert.equal(state.status, 'FINISHED', state.failure?.message);
    assert.deepEqual(fairway.world.done(...ROLLOUT, 'install', 'check'), [
      'checkRegistry',
      ...['site-stage', 'site-prod'].flatMap((namespace) =>
        ['aem', 'dispatcher'].flatMap((part) => [
          `applyKubernetes ${namespace} ${part}`,
          `waitForRollout ${namespace} ${part}`,
        ]),
      ),
    ]);
    const details = (id: string) => state.steps.find((step) => step.id === id)?.details;
    const images = 'aem sha256:aaaaaaaaaaaa, dispatcher sha256:dddddddddddd';
    assert.equal(details('buildImage'), `${images}; buildah 1.0, pushed`);
    assert.equal(details('prodDeploy'), `${images}: namespace site-prod NEW`);
    assert.match(executionText(state), /- aem: `registry\.example\.com\/site\/aem@sha256:a{64}`/);
    assert.deepEqual(
      [tested?.balanced, tested?.environment.author[0]?.id, tested?.environment.dispatchers[0]?.url],
      [true, 'author', 'https://127.0.0.1:1'],
    );
  });

  it('undoes a rollout that never becomes ready: the old version serves, and everything says so', async () => {
    const state = await fairway.end(await begin({ waitForRollout: never }));
    assert.equal(state.status, 'ERROR');
    assert.match(
      state.failure?.message ?? '',
      /^the rollout is not complete: .* 1 of 2 ready\npod publish-1: ImagePullBackOff; undone: what ran before serves$/,
    );
    assert.deepEqual(legs(state), ['namespace site-stage NEW', 'namespace site-prod OLD']);
    assert.deepEqual(fairway.world.done(...ROLLOUT).slice(-3), [
      ...['applyKubernetes site-prod aem', 'waitForRollout site-prod aem', 'undoRollout site-prod'],
    ]);
    assert.match(
      executionText(state),
      /leg namespace site-prod: \*\*OLD\*\* \(undone: what ran before serves\)/,
    );
  });

  for (const [what, undoRollout, leg, told] of [
    ['nothing ran before', async () => ({ serving: 'none' }), 'OUT', /nothing ran there before/],
    ['nothing was changed', async () => ({ serving: 'unchanged' }), 'OLD', /; nothing was changed$/],
    [
      'the rollout cannot be undone',
      async () => Promise.reject(new Failure('Denied', 'the token has expired')),
      'MIXED',
      /; the rollout could not be undone: the token has expired$/,
    ],
  ] as const satisfies readonly [string, World['undoRollout'], string, RegExp][])
    it(`says after a failure that ${what}`, async () => {
      const state = await fairway.end(await begin({ waitForRollout: never, undoRollout }));
      assert.equal(state.status, 'ERROR');
      assert.match(state.failure?.message ?? '', told);
      assert.equal(legs(state)[1], `namespace site-prod ${leg}`);
    });

  it('refuses at once, with nothing built, where images are not pushed', async () => {
    const started = await begin({
      checkRegistry: async () => [
        { thing: 'registry of site', problem: 'no worker brings images there', remedy: 'add images.push' },
      ],
    });
    const { status, failure } = await fairway.end(started);
    const message = 'registry of site: no worker brings images there (add images.push)';
    assert.deepEqual([status, failure], ['FAILED', { step: 'validate', message }]);
    assert.deepEqual(fairway.world.done('build'), []);
  });
});

describe('a deployment to a cluster', () => {
  const fairway = workflowHarness('real time');

  describe('that is cancelled in its rollout', () => {
    for (const [how, undoRollout, status, leg] of [
      ['is undone', async () => ({ serving: 'before' }), 'CANCELLED', 'OLD'],
      [
        'and cannot be undone is an error',
        async () => Promise.reject(new Failure('Denied', 'the token has expired')),
        'ERROR',
        'MIXED',
      ],
    ] as const satisfies readonly [string, World['undoRollout'], string, string][])
      it(how, async () => {
        let waits = false;
        const started = await fairway.begin(
          {
            undoRollout,
            waitForRollout: async () => {
              waits = true;
              const { cancelled, heartbeat } = Context.current();
              const beat = setInterval(() => heartbeat(), 100);
              await cancelled.finally(() => clearInterval(beat));
            },
          },
          { pipeline: noQuestions, program: { ...program, environments: [...program.environments] } },
        );
        await until('the rollout is waited for', async () => waits, 30_000);
        await fairway.client.send('cancel', fairway.address(started), { by: ann });
        const state = await fairway.end(started);
        assert.equal(state.status, status, state.failure?.message);
        const [deployment] = state.deployments;
        assert.equal(deployment?.legs[0]?.state, leg);
        assert.deepEqual(fairway.world.done('undo'), ['undoRollout site-stage']);
        assert.deepEqual(fairway.world.done('apply'), ['applyKubernetes site-stage aem']);
      });
  });

  describe('that answers', function () {
    this.timeout(120_000);
    const TOKEN = 'eyJ-a-token';
    const folder = temporaryFolder();
    let api: KubernetesApi;
    before(async () => void (api = await KubernetesApi.start(TOKEN)));
    after(() => api.close());

    /** Starts the pipeline with a build that comes to these images. */
    async function start(aem: string, dispatcher: string): Promise<Started> {
      const storage = fileStorage(join(folder(), 'storage'));
      const real = kubernetesActivities({ storage, secret: async () => TOKEN, everyMs: 20 });
      const image = (role: ImageRole, version: string) => ({
        ...{ role, name: `registry.example.com/${role}`, digest: digestOf(version) },
        ...{ archive: nothing, billOfMaterials: nothing },
      });
      const buildImages: World['buildImages'] = async ({ environments, executionId }) => {
        const images = [image('aem', aem), image('dispatcher', dispatcher)];
        const named = Object.fromEntries(images.map((one) => [one.role, one]));
        const kubernetes = environments.map(async (one) => {
          const files = Object.entries(kubernetesConfiguration('1', one, named));
          const put = files.map(([name, yaml]) => storage.put(`1/101/${executionId}/${name}`, yaml));
          return { environmentId: one.id, files: await Promise.all(put) };
        });
        return { builder: 'buildah 1.0', images, pushed: true, kubernetes: await Promise.all(kubernetes) };
      };
      return fairway.begin({ ...real, buildImages }, { program: devProgram(api) });
    }
    const running = () =>
      ['author', 'publish', 'dispatcher'].map((name) => [...new Set(api.serving(name))].join());
    const of = (aem: string, dispatcher: string) => [
      ...[1, 2].map(() => `registry.example.com/aem@${digestOf(aem)}`),
      `registry.example.com/dispatcher@${digestOf(dispatcher)}`,
    ];

    it('replaces what runs there, and leaves what ran before when it is cancelled or fails', async () => {
      const first = await fairway.end(await start('a', 'd'));
      assert.equal(first.status, 'FINISHED', first.failure?.message);
      assert.deepEqual(running(), of('a', 'd'));
      const order = api.applied.filter((name) => /^(StatefulSet|Deployment)/.test(name));
      assert.deepEqual(order, ['StatefulSet author', 'StatefulSet publish', 'Deployment dispatcher']);

      api.broken = digestOf('b');
      const second = await start('b', 'd');
      await until(
        'the author of the new version is begun',
        async () => api.serving('author').length === 0,
        60_000,
      );
      await fairway.client.send('cancel', fairway.address(second), { by: ann });
      const cancelled = await fairway.end(second);
      assert.equal(cancelled.status, 'CANCELLED', cancelled.failure?.message);
      assert.deepEqual(running(), of('a', 'd'));

      api.broken = digestOf('f');
      const failed = await fairway.end(await start('c', 'f'));
      assert.equal(failed.status, 'ERROR');
      assert.match(
        failed.failure?.message ?? '',
        /^Deployment dispatcher makes no progress: the cluster has given up; undone: what ran before serves$/,
      );
      assert.deepEqual(running(), of('a', 'd'));

      const history = await fairway.client.temporal.workflow
        .getHandle('environment-1-10-deployment')
        .fetchHistory();
      assert.equal(JSON.stringify(history).includes(Buffer.from(TOKEN).toString('base64')), false);
    });
  });
});

const nothing = { key: 'nothing', sha256: '0', size: 0 };
const digestOf = (version: string) => `sha256:${version.repeat(64)}`;

const devProgram = ({ url, certificate }: KubernetesApi): Partial<ProgramInput> => ({
  type: 'aem_cloud_service',
  environments: [
    {
      ...{ id: '10', name: 'Dev', type: 'dev' },
      kubernetes: { server: url, certificateAuthority: certificate, token: 'CLUSTER', namespace: 'site' },
    },
  ],
  pipelines: [
    {
      ...{ id: '101', name: 'Dev pipeline', type: 'deployment', devEnvironment: '10' },
      repository: { url: 'file:///nowhere', branch: 'main' },
    },
  ],
});
