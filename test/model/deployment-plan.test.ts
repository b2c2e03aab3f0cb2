import assert from 'node:assert/strict';
import {
  allAtOnce,
  legsOf,
  rolling,
  type Deployable,
  type Plan,
  type Topology,
} from '../../src/model/deployment-plan.ts';
import { aemArtifact, dispatcherArtifact } from '../support/definition.ts';

const instance = (id: string) => ({ id, url: 'http://127.0.0.1:1', credentials: 'AEM' });
/** `pairs`: the publish instance that each dispatcher renders from. */
const topology = (publish: string[], pairs: Record<string, string>, authors = ['author']): Topology => ({
  author: authors.map(instance),
  publish: publish.map(instance),
  dispatchers: Object.entries(pairs).map(([id, its]) => ({
    id,
    url: 'http://127.0.0.1:1',
    publish: its,
    server: id,
  })),
});
const pairs = (count: number) => {
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  return topology(
    numbers.map((n) => `p${n}`),
    Object.fromEntries(numbers.map((n) => [`d${n}`, `p${n}`])),
  );
};

const both: Deployable = {
  aem: [aemArtifact('apps'), aemArtifact('content')],
  dispatcher: dispatcherArtifact,
};
const onlyAem: Deployable = { aem: both.aem };
const onlyDispatcher: Deployable = { aem: [], dispatcher: dispatcherArtifact };

/** A plan in one line: `{ }` at once, `;` in sequence, `out(leg | while leaving: ...)` while detached. */
function line(plan: Plan): string {
  switch (plan.do) {
    case 'inSequence':
      return plan.steps.map(line).join('; ');
    case 'atOnce':
      return `{${plan.steps.map(line).join(' ')}}`;
    case 'install':
      return `${plan.instance.id}=${plan.artifacts.map((artifact) => artifact.package.id.name).join(',')}`;
    case 'askAgent':
      return `ask-${plan.dispatcher.id}`;
    case 'backUp':
      return `backup-${plan.dispatcher.id}`;
    case 'configure':
      return `${plan.dispatcher.id}=conf`;
    case 'flush':
      return `flush-${plan.dispatcher.id}`;
    case 'whileDetached':
      return `out(${plan.leg.name} | ${plan.meanwhile.map(line).join(' ')}: ${plan.steps.map(line).join('; ')})`;
  }
}

describe('a rolling deployment', () => {
  const authors = '{author=apps,content}';
  const leg = (n: number) =>
    `out(d${n} + p${n} | backup-d${n}: {p${n}=apps,content d${n}=conf}; {flush-d${n}})`;

  const cases: [string, Topology, Deployable, string][] = [
    ['one pair', pairs(1), both, [authors, leg(1)].join('; ')],
    ['two pairs', pairs(2), both, [authors, leg(1), leg(2)].join('; ')],
    ['four pairs', pairs(4), both, [authors, leg(1), leg(2), leg(3), leg(4)].join('; ')],
    [
      'a publish instance without a dispatcher: a leg of its own, nothing to detach or flush',
      topology(['p1', 'p2'], { d1: 'p1' }),
      both,
      [authors, leg(1), '{p2=apps,content}; {}'].join('; '),
    ],
    [
      'two dispatchers on one publish instance: out together, before it changes',
      topology(['p1', 'p2'], { d1: 'p1', d2: 'p2', d3: 'p1' }),
      both,
      [
        authors,
        'out(d1 + d3 + p1 | backup-d1 backup-d3: {p1=apps,content d1=conf d3=conf}; {flush-d1 flush-d3})',
        leg(2),
      ].join('; '),
    ],
    [
      'dispatchers listed in another order: legs follow the publish instances',
      topology(['p1', 'p2'], { d2: 'p2', d1: 'p1' }),
      both,
      [authors, leg(1), leg(2)].join('; '),
    ],
    [
      'two authors: both at once, before any publish instance',
      topology(['p1'], { d1: 'p1' }, ['a1', 'a2']),
      both,
      `{a1=apps,content a2=apps,content}; ${leg(1)}`,
    ],
    ['authors alone', topology([], {}), both, authors],
    [
      'no dispatcher package: caches are flushed all the same, while detached',
      pairs(2),
      onlyAem,
      [
        authors,
        ...[1, 2].map((n) => `out(d${n} + p${n} | ask-d${n}: {p${n}=apps,content}; {flush-d${n}})`),
      ].join('; '),
    ],
    [
      'no AEM packages: only dispatchers change, leg by leg',
      pairs(2),
      onlyDispatcher,
      ['{}', ...[1, 2].map((n) => `out(d${n} + p${n} | backup-d${n}: {d${n}=conf}; {flush-d${n}})`)].join(
        '; ',
      ),
    ],
  ];
  for (const [what, where, artifacts, expected] of cases)
    it(what, () => assert.equal(line(rolling(where, artifacts)), expected));

  it('a leg that is out of service comes before those that serve', () => {
    const words = line(rolling(pairs(3), both, ['d2'])).match(/out\([^|]*(?= )/g);
    assert.deepEqual(words, ['out(d2 + p2', 'out(d1 + p1', 'out(d3 + p3']);
  });

  it('touches every node once, with every dispatcher in exactly one leg', () => {
    const where = topology(['p1', 'p2', 'p3'], { d1: 'p1', d2: 'p1', d3: 'p3', d4: 'p2' });
    const words = line(rolling(where, both)).match(/\b(author|[pd]\d)=/g) ?? [];
    assert.deepEqual([...words].sort(), ['author=', 'd1=', 'd2=', 'd3=', 'd4=', 'p1=', 'p2=', 'p3=']);
    const inLegs = legsOf(where).flatMap(({ dispatchers }) => dispatchers.map(({ id }) => id));
    assert.deepEqual(inLegs.sort(), ['d1', 'd2', 'd3', 'd4']);
  });
});

describe('a deployment to all nodes at once', () => {
  const work = '{author=apps,content p1=apps,content p2=apps,content d1=conf d2=conf}; {flush-d1 flush-d2}';
  const backups = 'backup-d1 backup-d2';
  const detaching = { skipDetaching: false };

  const cases: [string, Topology, Deployable, { skipDetaching: boolean }, string][] = [
    ['takes all dispatchers out together', pairs(2), both, detaching, `out(all nodes | ${backups}: ${work})`],
    [
      'leaves the load balancer alone where it is told so',
      pairs(2),
      both,
      { skipDetaching: true },
      `{${backups}}; ${work}`,
    ],
    [
      'has nothing to take out without dispatchers',
      topology(['p1'], {}),
      both,
      detaching,
      '{}; {author=apps,content p1=apps,content}; {}',
    ],
    [
      'flushes without a dispatcher package',
      pairs(1),
      onlyAem,
      detaching,
      'out(all nodes | ask-d1: {author=apps,content p1=apps,content}; {flush-d1})',
    ],
    [
      'flushes without a dispatcher package and without detaching, after every package is on every node',
      pairs(2),
      onlyAem,
      { skipDetaching: true },
      '{ask-d1 ask-d2}; {author=apps,content p1=apps,content p2=apps,content}; {flush-d1 flush-d2}',
    ],
    [
      'installs nothing without AEM packages',
      pairs(1),
      onlyDispatcher,
      detaching,
      'out(all nodes | backup-d1: {d1=conf}; {flush-d1})',
    ],
  ];
  for (const [what, where, artifacts, options, expected] of cases)
    it(what, () => assert.equal(line(allAtOnce(where, artifacts, options)), expected));

  it('detaches every dispatcher of the environment, also two of one publish instance', () => {
    const plan = allAtOnce(topology(['p1'], { d1: 'p1', d2: 'p1' }), both, detaching);
    assert.ok(plan.do === 'whileDetached');
    assert.deepEqual(
      plan.leg.dispatchers.map(({ id }) => id),
      ['d1', 'd2'],
    );
  });
});
