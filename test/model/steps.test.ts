import assert from 'node:assert/strict';
import type { Flavour } from '../../src/model/schema/definition.ts';
import {
  environmentOf,
  findKind,
  isTested,
  kinds,
  phaseOf,
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

describe('the table of kinds', () => {
  const bySteps = (of: Parameters<typeof stepsOfKind>[0]) =>
    stepsOfKind(of)
      .map((step) => ({ ...step, phase: phaseOf(step) }))
      .map(({ phase, title, notRun }) => `${phase} ${title}${notRun ? ` (${notRun})` : ''}`);
  const flavours = { ams: 'aem_managed_services', cloud: 'aem_cloud_service' } as const;
  const upToScan = ['VALIDATE Validation', 'BUILD_1 Build & Unit Testing', 'BUILD_1 Code Scanning'];
  const upToImages = [...upToScan, 'BUILD_1 Build Images'];
  const stageTests = ['Security Testing', 'Performance Testing', 'Assets Testing', 'Performance Report'];
  const production = ['Application for Approval', 'Schedule Production Deployment', 'CSE Support'];
  const inPhase = (phase: string, titles: string[]) => titles.map((title) => `${phase} ${title}`);
  const deployed = 'DEPLOY_2 Deploy to Production';

  const rows: [what: string, of: Omit<Parameters<typeof stepsOfKind>[0], 'mode'>, steps: string[]][] = [
    [
      'production of Managed Services',
      { flavour: flavours.ams, pipeline: all },
      [
        ...[...upToScan, 'DEPLOY_1 Deploy to Stage', ...inPhase('DEPLOY_1', stageTests)],
        ...[...inPhase('DEPLOY_2', production), deployed],
      ],
    ],
    [
      'deployment to dev of Managed Services',
      { flavour: flavours.ams, pipeline: { type: 'deployment' } },
      [...upToScan, 'DEPLOY_1 Deploy to Dev'],
    ],
    [
      'code quality of Managed Services',
      { flavour: flavours.ams, pipeline: { type: 'codeQuality' } },
      upToScan,
    ],
    [
      'code quality of Cloud Service',
      { flavour: flavours.cloud, pipeline: { type: 'codeQuality' } },
      upToScan,
    ],
    [
      'production of Cloud Service',
      { flavour: flavours.cloud, pipeline: all },
      [
        ...[...upToImages, 'DEPLOY_1 Deploy to Stage'],
        ...inPhase('DEPLOY_1', [
          'Product Functional Testing',
          'Custom Functional Testing',
          'Custom UI Testing',
        ]),
        ...[...inPhase('DEPLOY_2', production.slice(0, 2)), deployed],
      ],
    ],
    [
      'deployment to dev of Cloud Service',
      { flavour: flavours.cloud, pipeline: { type: 'deployment' } },
      [...upToImages, 'DEPLOY_1 Deploy to Dev'],
    ],
    ...Object.values(flavours).map((flavour): (typeof rows)[number] => [
      `re-execution, ${flavour}`,
      { flavour, pipeline: all, reExecutes: true },
      ['VALIDATE Validation', 'BUILD_1 Build', deployed],
    ]),
  ];
  for (const [what, of, steps] of rows)
    it(`${what}: the product's steps, in its order and phases`, () =>
      assert.deepEqual(bySteps({ ...of, mode: 'NORMAL' }), steps));

  it('emergency of Managed Services: the same without tests of stage', () => {
    const [, of, steps] = rows[0]!;
    const tests = inPhase('DEPLOY_1', stageTests);
    assert.deepEqual(
      bySteps({ ...of, mode: 'EMERGENCY' }),
      steps.map((step) => (tests.includes(step) ? `${step} (emergency mode)` : step)),
    );
  });
});

describe('the steps of other pipelines', () => {
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
