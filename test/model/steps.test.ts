import assert from 'node:assert/strict';
import { stepsOf } from '../../src/model/steps.ts';

type Options = Parameters<typeof stepsOf>[0];

const none: Options = { approval: false, schedule: false, cse: undefined };
const all: Options = { approval: true, schedule: true, cse: 'MY_CSE' };
const ids = (options: Options, mode: Parameters<typeof stepsOf>[1] = 'NORMAL') =>
  stepsOf(options, mode).map(({ id }) => id);

const upToTests = [
  'validate',
  'build',
  'codeQuality',
  'stageDeploy',
  'securityTest',
  'loadTest',
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
      ['securityTest', 'loadTest', 'reportPerformanceTest'].map((id) => [id, 'emergency mode']),
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
