import assert from 'node:assert/strict';
import { Context } from '@temporalio/activity';
import type { ProductTestInput } from '../../src/model/activities.ts';
import type { DeploymentProgress } from '../../src/model/deployment.ts';
import type { ExecutionState } from '../../src/model/execution.ts';
import { executionText } from '../../src/model/texts.ts';
import { Failure } from '../../src/systems/failure.ts';
import { clusterEnvironment } from '../support/definition.ts';
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

describe('a rollout that is cancelled', () => {
  const fairway = workflowHarness('real time');

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
