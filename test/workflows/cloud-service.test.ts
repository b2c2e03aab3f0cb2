import assert from 'node:assert/strict';
import type { FunctionalTestInput } from '../../src/model/activities.ts';
import type { BuildImagesInput } from '../../src/model/images.ts';
import { Failure } from '../../src/systems/failure.ts';
import { aemArtifact, uiTests } from '../support/definition.ts';
import { ann, workflowHarness } from './harness.ts';
import type { World } from './scripted-world.ts';

const cloud = { type: 'aem_cloud_service' } as const;
const noQuestions = { approval: false, schedule: false, cse: undefined };

describe('a production pipeline of Cloud Service', () => {
  const fairway = workflowHarness('time skipping');
  const begin = (script: Partial<World>, change = {}) =>
    fairway.begin(script, { pipeline: { ...noQuestions, ...change }, program: cloud });

  it('builds images, tests functions and deploys; stage alone keeps its dispatchers in service where it may', async () => {
    let given: BuildImagesInput | undefined;
    const started = await begin(
      {
        buildImages: async (input) => {
          given = input;
          const stored = { key: '1/101/1/images/aem@sha256-a.tar', sha256: 'a', size: 1 };
          const image = { role: 'aem', name: 'site/aem', digest: `sha256:${'a'.repeat(64)}` } as const;
          return {
            builder: 'buildah 1.0',
            images: [{ ...image, archive: stored, billOfMaterials: stored }],
            pushed: false,
            kubernetes: [],
          };
        },
        functionalTest: async () => ({
          ...{ passed: true, result: 'passed: no test JAR in the build', failures: [] },
          tests: { run: 0, failed: 0, skipped: 0 },
        }),
      },
      { skipDetachingDispatchers: true },
    );
    const state = await fairway.end(started);
    assert.equal(state.status, 'FINISHED', state.failure?.message);
    assert.deepEqual(
      state.steps.map(({ id, status }) => `${id} ${status}`),
      [
        'validate',
        'build',
        'codeQuality',
        'buildImage',
        'stageDeploy',
        'productTest',
        'functionalTest',
        'uiTest',
        'prodDeploy',
      ].map((id) => `${id} FINISHED`),
    );
    const details = (id: string) => state.steps.find((step) => step.id === id)?.details;
    assert.equal(details('buildImage'), 'aem sha256:aaaaaaaaaaaa; buildah 1.0');
    assert.equal(details('functionalTest'), 'passed: no test JAR in the build');
    assert.equal(details('uiTest'), 'passed: no UI tests in the build');
    assert.deepEqual(fairway.world.done('uiTest'), []);
    assert.deepEqual(
      given?.environments.map(({ id, namespace, replicas }) => [id, namespace, replicas.publish]),
      [
        ['11', 'fairway-1-11', 1],
        ['12', 'fairway-1-12', 2],
      ],
    );
    assert.deepEqual(fairway.world.done('detach'), [
      'detachDispatcher dispatcher1',
      'detachDispatcher dispatcher2',
    ]);
  });

  it('ends in Custom Functional Testing when tests of stage fail, and names them', async () => {
    const started = await begin({
      functionalTest: async () => ({
        ...{
          passed: false,
          result: '1 of 2 tests failed: PagesIT.home',
          tests: { run: 2, failed: 1, skipped: 0 },
        },
        failures: [{ name: 'PagesIT.home', message: 'was 404' }],
        report: { key: '1/101/1/results/functionalTest.xml', sha256: 'x', size: 1 },
      }),
    });
    const { status, failure, steps } = await fairway.end(started);
    assert.deepEqual(
      [status, failure],
      ['FAILED', { step: 'functionalTest', message: '1 of 2 tests failed: PagesIT.home' }],
    );
    assert.equal(steps.find(({ id }) => id === 'functionalTest')?.findings?.length, 1);
    assert.equal(steps.at(-1)?.status, 'NOT_STARTED');
  });

  it('runs the UI tests of the build last, and ends in Custom UI Testing when they fail', async () => {
    let given: FunctionalTestInput | undefined;
    const started = await begin({
      build: async () => ({
        ...{ artifacts: [aemArtifact('site.all'), uiTests], engine: 'local process' },
        reports: { tests: { run: 0, failed: 0, skipped: 0 } },
      }),
      uiTest: async (input) => {
        given = input;
        const result = 'the tests were not done after 30 min and were ended';
        return { passed: false, result, tests: { run: 0, failed: 0, skipped: 0 }, failures: [] };
      },
    });
    const { status, failure, steps } = await fairway.end(started);
    const message = 'the tests were not done after 30 min and were ended';
    assert.deepEqual([status, failure], ['FAILED', { step: 'uiTest', message }]);
    assert.equal(given?.environment.type, 'stage');
    assert.equal(given.log, `1/101/${started.executionId}/logs/uiTest.log`);
    assert.deepEqual(
      steps.slice(-2).map(({ id, status }) => `${id} ${status}`),
      ['uiTest FAILED', 'prodDeploy NOT_STARTED'],
    );
  });

  it('deploys nothing when an image cannot be built', async () => {
    const message = 'the base image registry.invalid/aem:6.5 cannot be had';
    const started = await begin({
      buildImages: async () => {
        throw new Failure('Missing', message);
      },
    });
    const { status, failure } = await fairway.end(started);
    assert.deepEqual([status, failure], ['ERROR', { step: 'buildImage', message }]);
    assert.deepEqual(fairway.world.done('install', 'detach'), []);
  });
});

describe('the production deployment of an execution', () => {
  const fairway = workflowHarness('time skipping');

  it('is done again with what was built, as long as no other execution has followed', async () => {
    const again = (reExecutes: string) =>
      fairway.client.start({ programId: '1', pipelineId: '101', mode: 'NORMAL', reExecutes, by: ann });
    const broken: Partial<World> = {
      installPackage: async ({ instance }) => {
        if (instance.id === 'publish2') throw new Failure('Rejected', 'publish2 refused it');
        return { how: 'installed', seconds: 1 };
      },
    };
    const first = await fairway.begin(broken, { pipeline: noQuestions });
    const failed = await fairway.end(first);
    assert.equal(failed.failure?.step, 'prodDeploy', failed.failure?.message);

    const { commit, artifactsVersion, artifacts } = failed;
    fairway.world.begin({
      validate: async ({ reExecutes, environments }) => {
        assert.equal(reExecutes, `1/101/${first.executionId}`);
        assert.deepEqual(
          environments.map(({ type }) => type),
          ['prod'],
        );
        return { problems: [], warnings: [], reExecuted: { commit, artifactsVersion, artifacts } };
      },
    });
    const second = await again(first.executionId);
    const state = await fairway.end(second);
    assert.equal(state.status, 'FINISHED', state.failure?.message);
    assert.deepEqual(
      [state.trigger, state.reExecutes, state.commit, state.artifactsVersion],
      ['RE_EXECUTE', first.executionId, commit, artifactsVersion],
    );
    assert.deepEqual(
      state.steps.map(({ id }) => id),
      ['validate', 'build', 'prodDeploy'],
    );
    assert.deepEqual(fairway.world.done('build', 'copy', 'codeQuality'), ['copyArtifacts']);
    assert.deepEqual(state.artifacts, artifacts);

    await assert.rejects(again(first.executionId), {
      kind: 'refused',
      message: new RegExp(`only the last execution .* is ${second.executionId}, not ${first.executionId}`),
    });
  });

  it('that never began is not done again', async () => {
    const started = await fairway.begin(
      { build: async () => Promise.reject(new Failure('BuildFailed', 'no compiler')) },
      { pipeline: noQuestions },
    );
    await fairway.end(started);
    const start = { programId: '1', pipelineId: '101', mode: 'NORMAL', by: ann } as const;
    await assert.rejects(fairway.client.start({ ...start, reExecutes: started.executionId }), {
      kind: 'refused',
      message: /the production deployment of execution \d+ never began: start the pipeline instead/,
    });
  });
});
