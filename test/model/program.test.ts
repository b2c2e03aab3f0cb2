import assert from 'node:assert/strict';
import {
  emptyProgram,
  executionIdOf,
  isProgram,
  sameDefinition,
  snapshot,
  startRefusal,
  type ProgramState,
  type Start,
  withVariable,
} from '../../src/model/program.ts';
import { programSchema } from '../../src/model/schema/definition.ts';
import { definition } from '../support/definition.ts';

const by = { subject: 'ann', via: 'test', verified: false };
const at = '2026-01-01T00:00:00.000Z';

describe('starting an execution', () => {
  const program = programSchema.parse(definition());
  const applied: ProgramState = { definition: program, revision: 1, lastExecution: 0 };
  const emergency = (activated: boolean): ProgramState => ({ ...applied, emergency: { activated, by, at } });
  const start = (change: Partial<Start> = {}): Start => ({
    pipelineId: '101',
    mode: 'NORMAL',
    by,
    ...change,
  });

  const refused: [string, ProgramState, Start, RegExp][] = [
    ['before anything was applied', emptyProgram, start(), /has no definition yet: apply one first/],
    [
      'of a pipeline that is not defined',
      applied,
      start({ pipelineId: '7' }),
      /program 1 has no pipeline 7; it has: 101 \(Production pipeline\)/,
    ],
    [
      'where there are no pipelines',
      { ...applied, definition: { ...program, pipelines: [] } },
      start(),
      /it has: none/,
    ],
    [
      'in emergency mode where nobody activated it',
      applied,
      start({ mode: 'EMERGENCY' }),
      /not activated for program 1: a Customer Success Engineer/,
    ],
    [
      'in emergency mode where it was deactivated',
      emergency(false),
      start({ mode: 'EMERGENCY' }),
      /not activated/,
    ],
    [
      'of an unknown pipeline in emergency mode',
      emergency(true),
      start({ pipelineId: '7', mode: 'EMERGENCY' }),
      /no pipeline 7/,
    ],
  ];
  const last = (latest: string): ProgramState => ({
    ...applied,
    lastExecution: 3,
    latest: { '101': latest },
  });
  const again = start({ reExecutes: '0000000002' });
  const cloud = programSchema.parse(definition({ cse: undefined }, { type: 'aem_cloud_service' }));
  refused.push(
    [
      'in emergency mode in the Cloud Service flavour',
      { ...emergency(true), definition: cloud },
      start({ mode: 'EMERGENCY' }),
      /production pipelines of Managed Services; pipeline 101 \(.*\) is a production pipeline of Cloud Service/,
    ],
    [
      'as a re-execution where there was none',
      applied,
      again,
      /that of pipeline 101 is none, not 0000000002/,
    ],
    [
      'as a re-execution of one that is not the last',
      last('0000000003'),
      again,
      /only the last execution .* is 0000000003, not 0000000002/,
    ],
    [
      'as a re-execution in emergency mode',
      { ...last('0000000002'), emergency: emergency(true).emergency },
      { ...again, mode: 'EMERGENCY' },
      /has neither emergency mode nor a branch/,
    ],
    ['as a re-execution of another branch', last('0000000002'), { ...again, branch: 'x' }, /nor a branch/],
  );
  for (const [what, state, request, reason] of refused)
    it(`${what} is refused`, () => assert.match(startRefusal(state, request) ?? 'it was allowed', reason));

  it('is allowed in normal mode whatever emergency mode is, and in emergency mode where it is activated', () => {
    for (const state of [applied, emergency(false), emergency(true)])
      assert.equal(startRefusal(state, start()), undefined);
    assert.equal(startRefusal(emergency(true), start({ mode: 'EMERGENCY' })), undefined);
  });

  it('is allowed as a re-execution of the last one, which needs the production environment only', () => {
    const state = last('0000000002');
    assert.equal(startRefusal(state, again), undefined);
    const input = snapshot({ ...state, definition: program }, program.pipelines[0]!, again, '0000000004');
    assert.deepEqual([input.reExecutes, Object.keys(input.environments)], ['0000000002', ['prod']]);
  });

  it('gives ids of ten digits', () => {
    assert.deepEqual([1, 6554, 9_999_999_999].map(executionIdOf), ['0000000001', '0000006554', '9999999999']);
  });
});

describe('a definition that comes past the schema', () => {
  const program = programSchema.parse(definition());
  const [pipeline] = program.pipelines;

  it('has what executions rely on, or is none', () => {
    assert.ok(isProgram(program));
    const lacking: [string, object][] = [
      ['time-outs', { timeouts: null }],
      ['days', { timeouts: { approval: 'soon' } }],
      ['performance goals', { performance: null }],
      ['goals of the assets test', { performance: {} }],
      ['variables', { pipelines: [{ ...pipeline, variables: null }] }],
      ['paths', { pipelines: [{ ...pipeline, dispatcherCacheFlushPaths: undefined }] }],
      ['a kind', { pipelines: [{ ...pipeline, type: 'other' }] }],
      ['nodes', { environments: [{ ...program.environments[0], publish: undefined }] }],
      ['a pipeline', { pipelines: [null] }],
    ];
    for (const [what, change] of lacking) assert.ok(!isProgram({ ...program, ...change }), what);
    for (const value of [undefined, null, 1, 'program', []]) assert.ok(!isProgram(value));
  });
});

describe('a variable of a load test', () => {
  const name = 'CM_PERF_TEST_BASIC_USERNAME';
  const variable = { name, type: 'string', value: 'visitor' } as const;
  const set = (program: object) =>
    withVariable(
      { definition: programSchema.parse(program), revision: 1, lastExecution: 0 },
      { pipelineId: '101', name, variable, by },
      at,
    );

  it('is set where there is one, and refused elsewhere: nobody would look at it', () => {
    assert.ok('variables' in set(definition()));
    const cloud = set(definition({ cse: undefined }, { type: 'aem_cloud_service' }));
    assert.match(
      'refusal' in cloud ? cloud.refusal : 'it was set',
      /is for Performance Testing, which a production pipeline of Cloud Service has not/,
    );
  });
});

describe('the same definition', () => {
  const reversed = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(reversed)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([key, part]) => [key, reversed(part)]),
          )
        : value;

  it('is recognised whatever the order of its fields, at any depth', () => {
    const other = reversed(definition());
    assert.notEqual(JSON.stringify(other), JSON.stringify(definition()));
    assert.ok(sameDefinition(definition(), other));
  });

  it('is recognised where an absent field is written as undefined', () =>
    assert.ok(sameDefinition({ a: 1 }, { a: 1, b: undefined })));

  const different: [string, unknown, unknown][] = [
    ['nothing and something', undefined, definition()],
    ['another name', definition(), definition({}, { name: 'Other' })],
    [
      'another value deep inside',
      definition(),
      definition({ repository: { url: 'file:///nowhere', branch: 'x' } }),
    ],
    ['one more field', { a: 1 }, { a: 1, b: 2 }],
    ['another order of a list: paths are flushed in order', { a: [1, 2] }, { a: [2, 1] }],
    ['a number and its text', { a: 1 }, { a: '1' }],
    ['null and absent', { a: null }, {}],
  ];
  for (const [what, a, b] of different)
    it(`is not: ${what}`, () => {
      assert.ok(!sameDefinition(a, b));
      assert.ok(!sameDefinition(b, a));
    });
});
