import assert from 'node:assert/strict';
import type { Flavour } from '../../src/model/schema/definition.ts';
import {
  environmentOf,
  findKind,
  isTested,
  kinds,
  stepsOf as stepsOfKind,
  type ExecutionMode,
  type StepOptions,
} from '../../src/model/steps.ts';

type Options = Extract<StepOptions, { type: 'production' }>;

const none: Options = { type: 'production', approval: false, schedule: false, cse: undefined };
const all: Options = { type: 'production', approval: true, schedule: true, cse: 'MY_CSE' };
const stepsOf = (pipeline: StepOptions, mode: ExecutionMode, flavour: Flavour = 'aem_managed_services') =>
  stepsOfKind({ flavour, pipeline, mode });
const ids = (options: Options, mode: ExecutionMode = 'NORMAL') => stepsOf(options, mode).map(({ id }) => id);

const upToTests = [
  'validate',
  'build',
  'codeQuality',
  'stageDeploy',
  'securityTest',
  'loadTest',
  'assetsTest',
  'reportPerformanceTest',
];

describe('the steps of a production pipeline', () => {
  const cases: [string, Options, string[]][] = [
    ['without any option', none, []],
    ['with approval', { ...none, approval: true }, ['approval']],
    ['with schedule', { ...none, schedule: true }, ['schedule']],
    ['with any CSE', { ...none, cse: 'ANY_CSE' }, ['managed']],
    ['with my CSE', { ...none, cse: 'MY_CSE' }, ['managed']],
    ['with all of them', all, ['approval', 'schedule', 'managed']],
  ];
  for (const [what, options, optional] of cases)
    for (const mode of ['NORMAL', 'EMERGENCY'] as const)
      it(`${what}, in mode ${mode}: optional steps come before the production deployment, in the product's order`, () =>
        assert.deepEqual(ids(options, mode), [...upToTests, ...optional, 'prodDeploy']));

  it('in emergency mode leave out exactly the security and performance tests and say why', () => {
    const steps = stepsOf(all, 'EMERGENCY');
    assert.deepEqual(
      steps.filter(({ notRun }) => notRun !== undefined).map(({ id, notRun }) => [id, notRun]),
      ['securityTest', 'loadTest', 'assetsTest', 'reportPerformanceTest'].map((id) => [id, 'emergency mode']),
    );
  });

  it('in normal mode all run', () => {
    assert.ok(stepsOf(all, 'NORMAL').every((step) => !('notRun' in step)));
  });

  it('come stage by stage, and each deployment names the type of its environment', () => {
    const steps = stepsOf(all, 'NORMAL');
    assert.deepEqual(
      [...new Set(steps.map(({ stage }) => stage))],
      ['Stage Deployment', 'Stage Testing', 'Production Deployment'],
    );
    const changes = steps.filter(({ stage }, index) => stage !== steps[index - 1]?.stage);
    assert.deepEqual(
      changes.map(({ id }) => id),
      ['validate', 'securityTest', 'approval'],
    );
    assert.deepEqual(
      steps
        .filter(({ action }) => action === 'deploy')
        .map(({ id, environmentType }) => [id, environmentType]),
      [
        ['stageDeploy', 'stage'],
        ['prodDeploy', 'prod'],
      ],
    );
    assert.equal(new Set(steps.map(({ id }) => id)).size, steps.length);
  });
});

describe('the steps of other pipelines', () => {
  const steps = (type: 'deployment' | 'codeQuality') =>
    stepsOf({ type }, 'NORMAL').map(({ id, stage }) => [stage, id]);

  it('deploy to dev, or judge the code and nothing else', () => {
    assert.deepEqual(
      steps('deployment'),
      ['validate', 'build', 'codeQuality', 'devDeploy'].map((id) => ['Dev Deployment', id]),
    );
    assert.deepEqual(
      steps('codeQuality'),
      ['validate', 'build', 'codeQuality'].map((id) => ['Code Quality', id]),
    );
  });

  it('of Cloud Service build images after code scanning, test functions, and have no CSE', () => {
    const cloud = (pipeline: StepOptions) =>
      stepsOf(pipeline, 'NORMAL', 'aem_cloud_service').map(({ id }) => id);
    const upToImages = ['validate', 'build', 'codeQuality', 'buildImage'];
    assert.deepEqual(cloud(all), [
      ...upToImages,
      ...['stageDeploy', 'productTest', 'functionalTest', 'approval', 'schedule', 'prodDeploy'],
    ]);
    assert.deepEqual(cloud({ type: 'deployment' }), [...upToImages, 'devDeploy']);
    assert.deepEqual(cloud({ type: 'codeQuality' }), upToImages.slice(0, 3));
  });

  it('of a re-execution are the same in both flavours', () => {
    for (const flavour of ['aem_managed_services', 'aem_cloud_service'] as const)
      assert.deepEqual(
        stepsOfKind({ flavour, pipeline: all, mode: 'NORMAL', reExecutes: true }).map(({ id }) => id),
        ['validate', 'build', 'prodDeploy'],
      );
  });

  it('of every kind begin with validation and build, and hold no environment before code is judged', () => {
    for (const { stages } of kinds) {
      const ids = stages.flatMap(([, of]) => [...of]);
      assert.deepEqual(ids.slice(0, 2), ['validate', 'build']);
      assert.equal(new Set(ids).size, ids.length);
      assert.deepEqual(ids.slice(0, 2).map(environmentOf), [undefined, undefined]);
    }
  });

  it('are defined once for every type of pipeline in each flavour; emergency mode for one of them', () => {
    for (const flavour of ['aem_managed_services', 'aem_cloud_service'] as const)
      for (const type of ['production', 'deployment', 'codeQuality'] as const)
        assert.equal(
          findKind({ flavour, type })?.notInEmergency !== undefined,
          `${flavour} ${type}` === 'aem_managed_services production',
        );
    const choices = kinds.flatMap(({ flavours, type, ...kind }) =>
      flavours.map((flavour) => `${flavour} ${type} ${'reExecutes' in kind}`),
    );
    assert.equal(new Set(choices).size, choices.length);
  });

  it('test stage, and neither dev nor production', () => {
    assert.deepEqual((['dev', 'stage', 'prod'] as const).map(isTested), [false, true, false]);
  });

  it('stage is held from its deployment to its last test', () => {
    const held = stepsOf(all, 'NORMAL').filter(({ id }) => environmentOf(id) === 'stage');
    assert.deepEqual(
      held.map(({ id }) => id),
      ['stageDeploy', 'securityTest', 'loadTest', 'assetsTest', 'reportPerformanceTest'],
    );
  });
});
