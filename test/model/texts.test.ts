import assert from 'node:assert/strict';
import { initialProgress, type DeploymentProgress } from '../../src/model/deployment.ts';
import type { ExecutionState } from '../../src/model/execution.ts';
import { environmentSchema } from '../../src/model/schema/definition.ts';
import { stepsOf, type ExecutionMode } from '../../src/model/steps.ts';
import { deploymentText, executionText, readableTime } from '../../src/model/texts.ts';
import { definition } from '../support/definition.ts';

const by = { subject: 'ann', via: 'cli', verified: false };

const execution = (change: Partial<ExecutionState> = {}, mode: ExecutionMode = 'NORMAL'): ExecutionState => ({
  executionId: '0000000007',
  programId: '1',
  programName: 'Example',
  pipelineId: '101',
  pipelineName: 'Production pipeline',
  pipelineType: 'production',
  type: 'aem_managed_services',
  mode,
  trigger: 'MANUAL',
  startedBy: by,
  branch: 'main',
  artifactsVersion: '2026.1122.183005.0000000007',
  status: 'RUNNING',
  createdAt: '2026-11-22T18:30:05.000Z',
  steps: stepsOf({
    flavour: 'aem_managed_services',
    pipeline: { type: 'production', approval: true, schedule: true, cse: 'ANY_CSE' },
    mode,
  }).map((step) => ({
    ...step,
    status: 'NOT_STARTED',
  })),
  warnings: [],
  decisions: [],
  artifacts: [],
  deployments: [],
  ignoredMessages: [],
  ...change,
});

const withStep = (change: Partial<ExecutionState['steps'][number]>): ExecutionState => {
  const state = execution();
  return { ...state, steps: [{ ...state.steps[0]!, ...change }, ...state.steps.slice(1)] };
};

/** The cells of each row of the tables in a text; `\|` is part of a cell. */
const rows = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

const hostile = 'a | b\n\n# Approved\n| c | d |';

const progress = (change: Partial<DeploymentProgress> = {}): DeploymentProgress => ({
  ...initialProgress(
    environmentSchema.parse(definition().environments[1]),
    ['example:site.all:1.0.0'],
    ['dispatcher1 + publish1'],
  ),
  ...change,
});

describe('what the Web UI shows of an execution', () => {
  it('begins with EMERGENCY exactly in emergency mode', () => {
    assert.match(executionText(execution({}, 'EMERGENCY')).split('\n')[0] ?? '', /^### EMERGENCY · Example/);
    assert.doesNotMatch(executionText(execution()), /emergency/i);
  });

  it('names program, pipeline, execution, status, branch, commit, version and who started it', () => {
    const [title, facts] = executionText(execution({ commit: 'c0ffee'.repeat(6) })).split('\n\n');
    assert.equal(title, '### Example · Production pipeline · execution 0000000007: RUNNING');
    for (const fact of [
      '`main`',
      '`c0ffeec0ff`',
      '2026.1122.183005.0000000007',
      '2026-11-22 18:30:05 UTC',
      'ann',
    ])
      assert.ok(facts?.includes(fact), `${fact} in ${facts}`);
  });

  const steps = (state: ExecutionState) => {
    const titles = state.steps.map(({ title }) => title);
    return rows(executionText(state)).filter(([title = '']) => titles.includes(title as never));
  };

  it('lists every step in order, and says which do not run and why', () => {
    const state = execution({}, 'EMERGENCY');
    assert.deepEqual(
      steps(state).map(([title]) => title),
      state.steps.map(({ title }) => title),
    );
    assert.deepEqual(
      steps(state)
        .filter(([, status]) => status === 'not run')
        .map(([title, , , details]) => [title, details]),
      ['Security Testing', 'Performance Testing', 'Assets Testing', 'Performance Report'].map((title) => [
        title,
        'emergency mode',
      ]),
    );
  });

  it('names each stage once, before its first step', () => {
    const text = executionText(execution());
    const at = [
      '| **Stage Deployment** |',
      '| Validation |',
      '| **Stage Testing** |',
      '| Security Testing |',
      '| **Production Deployment** |',
      '| Application for Approval |',
    ].map((words) => {
      assert.equal(text.split(words).length, 2, words);
      return text.indexOf(words);
    });
    assert.deepEqual(
      at,
      [...at].sort((a, b) => a - b),
    );
  });

  it('shows status, time and details of a step', () => {
    const [first] = steps(
      withStep({ status: 'FAILED', startedAt: '2026-11-22T18:30:06.123Z', details: 'no such branch' }),
    );
    assert.match(first?.[1] ?? '', /\bFAILED\b/);
    assert.match(first?.[2] ?? '', /18:30:06/);
    assert.equal(first?.[3], 'no such branch');
  });

  const places: [string, (text: string) => ExecutionState][] = [
    ['details of a step', (details) => withStep({ details })],
    ['a failure', (message) => execution({ failure: { step: 'build', message } })],
    ['a warning', (warning) => execution({ warnings: [warning] })],
    ['who started it', (subject) => execution({ startedBy: { ...by, subject } })],
    [
      'a question',
      (question) => execution({ waitingFor: { step: 'approval', question, since: '', until: '' } }),
    ],
    ['a time zone', (timeZone) => execution({ scheduledFor: { at: '2026-11-22T18:30:05Z', timeZone } })],
    ['a decision', (what) => execution({ decisions: [{ step: 'approval', by, at: '', what }] })],
    [
      'a comment',
      (comment) => execution({ decisions: [{ step: 'approval', by, at: '', what: 'approved', comment }] }),
    ],
    [
      'who decided',
      (subject) =>
        execution({
          decisions: [{ step: 'approval', by: { subject, via: subject, verified: false }, at: '', what: '' }],
        }),
    ],
    ['what a deployment does now', (now) => execution({ deployments: [progress({ now })] })],
    ['what a deployment made good', (done) => execution({ deployments: [progress({ reconciled: [done] })] })],
    [
      'the reason of a leg',
      (reason) => execution({ deployments: [progress({ legs: [{ name: 'leg', state: 'OUT', reason }] })] }),
    ],
    [
      'the name of a package',
      (label) =>
        execution({
          deployments: [
            progress({ instances: [{ id: 'p1', role: 'publish', packages: [{ label, state: 'old' }] }] }),
          ],
        }),
    ],
  ];
  for (const [what, place] of places)
    it(`keeps tables and headings whole whatever the text of ${what}`, () => {
      const plain = executionText(place('text'));
      const text = executionText(place(hostile));
      assert.ok(text.includes('a \\| b'), text);
      const shape = (of: string) => of.split('\n').map((line) => /^(#+ |\| |\|-|- |)/.exec(line)?.[0]);
      assert.deepEqual(shape(text), shape(plain));
      assert.deepEqual(
        rows(text).map((row) => row.length),
        rows(plain).map((row) => row.length),
      );
    });

  it('says what a person is asked and until when, and when production begins', () => {
    const text = executionText(
      execution({
        waitingFor: {
          step: 'approval',
          question: 'Approve the production deployment?',
          since: '2026-11-22T18:30:05.000Z',
          until: '2026-11-29T18:30:05.000Z',
        },
        scheduledFor: { at: '2026-12-01T06:00:00.000Z', timeZone: 'Europe/Berlin' },
      }),
    );
    assert.match(text, /Approve the production deployment\?.*until 2026-11-29 18:30:05 UTC/);
    assert.match(text, /2026-12-01 06:00:00 UTC \(Europe\/Berlin\)/);
    assert.doesNotMatch(executionText(execution()), /Waiting for|Production deployment at/);
  });

  it('lists decisions with who, how and why', () => {
    const text = executionText(
      execution({
        decisions: [
          { step: 'approval', by, at: '2026-11-22T18:30:05.000Z', what: 'rejected', comment: 'not today' },
        ],
      }),
    );
    assert.match(text, /- 2026-11-22 18:30:05 UTC \*\*ann\*\* \(cli\): rejected — not today/);
  });
});

describe('what the Web UI shows of a deployment', () => {
  it('is every node with its packages, configuration and service, and every leg with its reason', () => {
    const text = deploymentText(
      progress({
        now: 'leg dispatcher1 + publish1: MIXED',
        legs: [{ name: 'dispatcher1 + publish1', state: 'MIXED', reason: 'publish1 new, dispatcher1 old' }],
        reconciled: ['dispatcher2: returned to service'],
      }),
    );
    const [title] = text.split('\n');
    assert.equal(title, '#### Production: leg dispatcher1 + publish1: MIXED');
    const [, , ...nodes] = rows(text);
    assert.deepEqual(
      nodes.map(([node]) => node),
      ['author', 'publish1', 'publish2', 'dispatcher1', 'dispatcher2'],
    );
    assert.equal(nodes[1]?.[1], 'example:site.all:1.0.0 old');
    assert.deepEqual(nodes[3]?.slice(1), ['configuration unchanged', 'in service']);
    assert.match(text, /- leg dispatcher1 \+ publish1: \*\*MIXED\*\* \(publish1 new, dispatcher1 old\)/);
    assert.match(text, /- made good: dispatcher2: returned to service/);
  });
});

describe('a time for people', () => {
  it('is in UTC to the second, and empty where there is none', () => {
    assert.equal(readableTime('2026-11-22T18:30:05.999Z'), '2026-11-22 18:30:05 UTC');
    assert.equal(readableTime(undefined), '');
  });
});
