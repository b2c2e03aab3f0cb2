import assert from 'node:assert/strict';
import {
  initialProgress,
  instanceState,
  legVerdict,
  type DispatcherProgress,
  type InstanceProgress,
  type PackageState,
} from '../../src/model/deployment.ts';
import { environmentSchema } from '../../src/model/schema/definition.ts';
import { definition } from '../support/definition.ts';

const publish = (id: string, ...states: PackageState[]): InstanceProgress => ({
  id,
  role: 'publish',
  packages: states.map((state, index) => ({ label: `example:package${index}:1.0.0`, state })),
});
const dispatcher = (id: string, configuration: DispatcherProgress['configuration']): DispatcherProgress => ({
  id,
  configuration,
  service: 'out',
  flushed: [],
});

describe('what an instance holds', () => {
  const cases: [PackageState[], ReturnType<typeof instanceState>][] = [
    [['unknown'], 'unknown'],
    [['installing'], 'unknown'],
    [['new', 'unknown'], 'unknown'],
    [['new', 'installing', 'old'], 'unknown'],
    [['rejected', 'unknown'], 'unknown'],
    [['rejected'], 'old'],
    [['rejected', 'old'], 'old'],
    [['new', 'rejected'], 'mixed'],
    [['new', 'old'], 'mixed'],
    [['new', 'rejected', 'old'], 'mixed'],
    [['old', 'old'], 'old'],
    [['new'], 'new'],
    [['new', 'new'], 'new'],
  ];
  for (const [states, expected] of cases)
    it(`${states.join(', ')}: ${expected}`, () =>
      assert.equal(instanceState(publish('p1', ...states)), expected));
});

describe('what has become of a leg', () => {
  type Case = [string, InstanceProgress[], DispatcherProgress[], string, RegExp?];
  const cases: Case[] = [
    [
      'package half installed',
      [publish('p1', 'unknown')],
      [dispatcher('d1', 'new')],
      'OUT',
      /^not consistent: p1$/,
    ],
    ['still installing', [publish('p1', 'new', 'installing')], [dispatcher('d1', 'new')], 'OUT', /p1/],
    [
      'configuration not restored',
      [publish('p1', 'new')],
      [dispatcher('d1', 'inconsistent')],
      'OUT',
      /: d1$/,
    ],
    ['configuration being changed', [publish('p1', 'old')], [dispatcher('d1', 'changing')], 'OUT', /: d1$/],
    [
      'both broken: both are named',
      [publish('p1', 'unknown')],
      [dispatcher('d1', 'inconsistent')],
      'OUT',
      /p1, d1/,
    ],
    [
      'one of two dispatchers broken',
      [publish('p1', 'new')],
      [dispatcher('d1', 'new'), dispatcher('d2', 'inconsistent')],
      'OUT',
      /: d2$/,
    ],
    [
      'configuration restored',
      [publish('p1', 'new')],
      [dispatcher('d1', 'old')],
      'MIXED',
      /^p1 new, d1 old$/,
    ],
    ['package refused', [publish('p1', 'rejected')], [dispatcher('d1', 'new')], 'MIXED', /^p1 old, d1 new$/],
    [
      'second package refused',
      [publish('p1', 'new', 'rejected')],
      [dispatcher('d1', 'unchanged')],
      'OUT',
      /^not consistent: p1$/,
    ],
    [
      'one of two dispatchers restored',
      [publish('p1', 'new')],
      [dispatcher('d1', 'new'), dispatcher('d2', 'old')],
      'MIXED',
      /d2 old/,
    ],
    [
      'one of two instances refused',
      [publish('p1', 'new'), publish('p2', 'rejected')],
      [],
      'MIXED',
      /p2 old/,
    ],
    [
      'one of two dispatchers restored, no AEM packages',
      [publish('p1')],
      [dispatcher('d1', 'new'), dispatcher('d2', 'old')],
      'MIXED',
      /^d1 new, d2 old$/,
    ],
    ['not begun', [publish('p1', 'old')], [dispatcher('d1', 'unchanged')], 'OLD'],
    [
      'package refused, no dispatcher package',
      [publish('p1', 'rejected', 'old')],
      [dispatcher('d1', 'unchanged')],
      'OLD',
    ],
    ['everything as before', [publish('p1', 'rejected')], [dispatcher('d1', 'old')], 'OLD'],
    ['no AEM packages, not begun', [publish('p1')], [dispatcher('d1', 'unchanged')], 'OLD'],
    ['no AEM packages, configuration restored', [publish('p1')], [dispatcher('d1', 'old')], 'OLD'],
    ['all done', [publish('p1', 'new', 'new')], [dispatcher('d1', 'new')], 'NEW'],
    ['all done, no dispatcher package', [publish('p1', 'new')], [dispatcher('d1', 'unchanged')], 'NEW'],
    ['all done, no dispatcher', [publish('p1', 'new')], [], 'NEW'],
    ['all done, no AEM packages', [publish('p1')], [dispatcher('d1', 'new')], 'NEW'],
  ];
  for (const [what, instances, dispatchers, state, reason] of cases)
    it(`${what}: ${state}`, () => {
      const verdict = legVerdict(instances, dispatchers);
      assert.equal(verdict.state, state);
      if (reason) assert.match(verdict.reason ?? '', reason);
      else assert.equal(verdict.reason, undefined);
    });
});

describe('a deployment that has not begun', () => {
  it('has the old configuration on dispatchers that are to get one', () => {
    const environment = environmentSchema.parse(definition().environments[1]);
    const { dispatchers } = initialProgress(environment, [], [], 'old');
    assert.deepEqual(
      dispatchers.map(({ configuration }) => configuration),
      ['old', 'old'],
    );
  });

  it('shows every node as it was, in service, with every package to come', () => {
    const environment = environmentSchema.parse(definition().environments[1]);
    const progress = initialProgress(environment, ['example:all:1.0.0'], ['d1 + p1', 'd2 + p2']);
    assert.deepEqual(
      progress.instances.map(({ id, role, packages }) => [id, role, packages]),
      [
        ['author', 'author'],
        ['publish1', 'publish'],
        ['publish2', 'publish'],
      ].map(([id, role]) => [id, role, [{ label: 'example:all:1.0.0', state: 'old' }]]),
    );
    assert.deepEqual(
      progress.dispatchers.map(({ id, configuration, service }) => [id, configuration, service]),
      ['dispatcher1', 'dispatcher2'].map((id) => [id, 'unchanged', 'in service']),
    );
    assert.deepEqual(
      progress.legs.map(({ state }) => state),
      ['OLD', 'OLD'],
    );
    assert.deepEqual([progress.environmentId, progress.environmentName], ['12', 'Production']);
  });
});
