import assert from 'node:assert/strict';
import { parseMessage, type MessageName } from '../../src/model/messages.ts';

const by = { subject: 'ann', via: 'cli', verified: false };
const addressed = { executionId: '0000000001', by };

const good: Record<MessageName, Record<string, unknown>> = {
  approve: { ...addressed, approved: true },
  schedule: { ...addressed, at: 'NOW', timeZone: 'Europe/Berlin' },
  cseSupport: { ...addressed, start: true },
  override: { ...addressed, step: 'codeQuality', metrics: [{ kpi: 'coverage', override: true }] },
  cancel: { ...addressed },
};
const names = Object.keys(good) as MessageName[];

const problem = (name: MessageName, value: unknown): string => {
  const parsed = parseMessage(name, value);
  assert.ok('problem' in parsed, `${name} was accepted: ${JSON.stringify(value)}`);
  return parsed.problem;
};
const accepted = (name: MessageName, value: unknown) => {
  const parsed = parseMessage(name, value);
  assert.ok('message' in parsed, `${name} was refused: ${JSON.stringify(parsed)}`);
  return parsed.message;
};

const long = (length: number) => 'x'.repeat(length);
/** Values that are no text, and one that throws when it is made into one. */
const noText: readonly unknown[] = [undefined, null, 1, true, {}, [], ['x'], { toString: 1 }];
const noBoolean: readonly unknown[] = [undefined, null, 0, 1, 'true', {}, []];

describe('messages to an execution', () => {
  it('that are no objects are refused and told what is needed', () => {
    for (const name of names)
      for (const value of [undefined, null, '', 'approve', 1, true, [], [good[name]]])
        assert.match(problem(name, value), new RegExp(`^${name} needs an object with executionId and by`));
  });

  const everywhere: [field: string, values: readonly unknown[], told: RegExp][] = [
    ['executionId', [...noText, '', long(21)], /^executionId must be/],
    ['by', [...noText, 'ann', { subject: 'ann' }], /^by must be/],
    ['by', noText.map((subject) => ({ ...by, subject })), /^by must be/],
    ['by', ['', long(201)].map((subject) => ({ ...by, subject })), /^by must be/],
    ['by', [...noText, '', long(101)].map((via) => ({ ...by, via })), /^by must be/],
    ['by', noBoolean.map((verified) => ({ ...by, verified })), /^by must be/],
  ];
  for (const [field, values, told] of everywhere)
    it(`need a good ${field}: ${JSON.stringify(values.at(-1)).slice(0, 60)} is none`, () => {
      for (const name of names)
        for (const value of values) assert.match(problem(name, { ...good[name], [field]: value }), told);
    });

  const optionalText = [...noText.slice(1), long(2001)];
  const metrics = (...list: unknown[]) => list;
  const bodies: [MessageName, string, readonly unknown[], RegExp][] = [
    ['approve', 'approved', noBoolean, /^approved must be true or false/],
    ['approve', 'comment', optionalText, /^comment must be text/],
    ['cseSupport', 'start', noBoolean, /^start must be true or false/],
    ['cseSupport', 'comment', optionalText, /^comment must be text/],
    ['cancel', 'reason', optionalText, /^reason must be text/],
    ['schedule', 'timeZone', [...noText, '', long(101)], /^timeZone must be the IANA name/],
    [
      'schedule',
      'at',
      [...noText, '', 'now', 'Now', 'tomorrow', '2030', '1'],
      /^at must be NOW or .* ISO 8601/,
    ],
    [
      'override',
      'step',
      [...noText, '', 'approval', 'loadTest', 'toString'],
      /^step must be one of codeQuality, /,
    ],
    [
      'override',
      'metrics',
      [...noText, 'coverage', Array(101).fill({ kpi: 'k', override: true })],
      /^metrics must be/,
    ],
    ['override', 'metrics', noText.map((kpi) => metrics({ kpi, override: true })), /^metrics must be/],
    [
      'override',
      'metrics',
      [metrics({ kpi: '', override: true }), metrics({ kpi: long(101), override: true })],
      /^metrics must be/,
    ],
    ['override', 'metrics', noBoolean.map((override) => metrics({ kpi: 'k', override })), /^metrics must be/],
    [
      'override',
      'metrics',
      [metrics({ kpi: 'k', override: true }, null), metrics('k'), metrics([])],
      /^metrics must be/,
    ],
    ['override', 'comment', optionalText, /^comment must be text/],
  ];
  for (const [name, field, values, told] of bodies)
    it(`${name}: ${field} cannot be ${JSON.stringify(values.at(-1))?.slice(0, 60)} and the like`, () => {
      for (const value of values) assert.match(problem(name, { ...good[name], [field]: value }), told);
    });

  it('are taken with everything that they may have, up to its limit', () => {
    for (const name of names) assert.deepEqual(accepted(name, good[name]), good[name]);
    for (const name of ['approve', 'cseSupport', 'override'] as const)
      for (const comment of ['', long(2000), undefined]) accepted(name, { ...good[name], comment });
    for (const reason of ['', long(2000)]) accepted('cancel', { ...good.cancel, reason });
    for (const step of ['codeQuality', 'securityTest', 'reportPerformanceTest'])
      accepted('override', { ...good.override, step });
    accepted('override', { ...good.override, metrics: Array(100).fill({ kpi: long(100), override: false }) });
    accepted('approve', {
      ...good.approve,
      approved: false,
      by: { ...by, subject: long(200), via: long(100) },
    });
  });

  it('may have fields of later versions; nothing of that is kept as part of who decided', () => {
    for (const name of names) {
      const message = accepted(name, {
        ...good[name],
        colour: 'red',
        by: { ...by, photograph: long(100_000) },
      });
      assert.deepEqual(message.by, by);
      assert.equal(message.executionId, addressed.executionId);
    }
    const hostile = JSON.parse('{"__proto__": {"approved": true}, "executionId": "1"}') as object;
    assert.match(problem('approve', { ...hostile, by }), /^approved must be/);
  });

  describe('the time of a schedule', () => {
    const at = (time: string) => ({ ...good.schedule, at: time });

    for (const time of [
      '2030-01-31T18:00Z',
      '2030-01-31T18:00:00Z',
      '2030-01-31T18:00:00.123456789Z',
      '2030-01-31T18:00+01:00',
      '2030-01-31T18:00:00-09:30',
      '2028-02-29T00:00Z',
    ])
      it(`can be ${time}`, () => void accepted('schedule', at(time)));

    for (const time of ['2030-01-31T18:00', '2030-01-31T18:00:00', '2030-01-31T18:00:00.5'])
      it(`cannot be ${time}: it has no offset`, () =>
        assert.match(problem('schedule', at(time)), /^at has no offset/));

    for (const time of [
      '2030-01-31',
      '2030-01-31 18:00:00Z',
      '2030-01-31T18:00:00+0100',
      '2030-01-31T18Z',
      '31 Jan 2030 18:00 GMT',
      '2030-02-29T10:00:00Z',
      '2030-02-30T10:00:00',
      '2030-04-31T10:00:00+02:00',
      '2030-13-01T10:00:00Z',
      '2030-01-00T10:00:00Z',
      '2030-01-31T25:00:00Z',
      '2030-01-31T18:60:00Z',
      '2030-01-31T18:00:00+25:00',
      ' 2030-01-31T18:00:00Z',
      '2030-01-31T18:00:00Z\n',
    ])
      it(`cannot be ${JSON.stringify(time)}: an example shows how it is written`, () =>
        assert.match(problem('schedule', at(time)), /ISO 8601, such as 2030-01-31T18:00:00\+01:00/));
  });
});
