import assert from 'node:assert/strict';
import { Problem } from '../../src/command/problem.ts';
import { distance, duration, exactTime, localTime } from '../../src/command/times.ts';
import { momentOf, zoneNamed } from '../../src/command/when.ts';

const refused = (words: RegExp) => (error: unknown) =>
  error instanceof Problem &&
  error.exit === 'usage' &&
  words.test([error.message, ...error.remedy].join('\n'));

describe('a local time', () => {
  const instants: [string, string, string][] = [
    ['2026-11-30 22:00', 'Europe/Berlin', '2026-11-30T22:00:00+01:00'],
    ['2026-07-01 22:00:30', 'Europe/Berlin', '2026-07-01T22:00:30+02:00'],
    ['2026-11-30T22:00', 'UTC', '2026-11-30T22:00:00+00:00'],
    ['2026-11-30 22:00', 'Asia/Kathmandu', '2026-11-30T22:00:00+05:45'],
    // The last instant before and the first after each change of the clocks.
    ['2027-03-28 01:59:59', 'Europe/Berlin', '2027-03-28T01:59:59+01:00'],
    ['2027-03-28 03:00', 'Europe/Berlin', '2027-03-28T03:00:00+02:00'],
    ['2027-10-31 01:59:59', 'Europe/Berlin', '2027-10-31T01:59:59+02:00'],
    ['2027-10-31 03:00', 'Europe/Berlin', '2027-10-31T03:00:00+01:00'],
    // An offset decides.
    ['2027-10-31 02:30+02:00', 'Europe/Berlin', '2027-10-31T02:30:00+02:00'],
    ['2027-10-31 02:30 +0100', 'Europe/Berlin', '2027-10-31T02:30:00+01:00'],
    ['2026-11-30T21:00Z', 'Europe/Berlin', '2026-11-30T22:00:00+01:00'],
  ];
  for (const [text, zone, at] of instants)
    it(`${text} in ${zone} is ${at}`, () => assert.deepEqual(momentOf(text, zone), { at, zone }));

  it('that comes twice gives both instants', () => {
    const earlier = { at: '2027-10-31T02:30:00+02:00', zone: 'Europe/Berlin' };
    const later = { at: '2027-10-31T02:30:00+01:00', zone: 'Europe/Berlin' };
    assert.deepEqual(momentOf('2027-10-31 02:30', 'Europe/Berlin'), { earlier, later });
    assert.ok('earlier' in momentOf('2027-11-07 01:30', 'America/New_York'));
    // Half an hour only, and in the other half of the year.
    assert.ok('earlier' in momentOf('2027-04-04 01:45', 'Australia/Lord_Howe'));
    assert.ok('at' in momentOf('2027-04-04 01:15', 'Australia/Lord_Howe'));
  });

  it('that the clocks leave out is refused, with the times beside it', () => {
    assert.throws(
      () => momentOf('2027-03-28 02:30', 'Europe/Berlin'),
      refused(/there is no 2027-03-28 02:30 in Europe\/Berlin.*\n.*01:30\+01:00.*03:30\+02:00/),
    );
  });

  it('that no calendar has, or of another form, is refused', () => {
    for (const text of ['2026-02-30 10:00', '2026-13-01 10:00', '2026-11-30 24:30'])
      assert.throws(() => momentOf(text, 'UTC'), refused(/no calendar and no clock/));
    for (const text of ['tomorrow', '30.11.2026 22:00', '2026-11-30', '22:00', ''])
      assert.throws(() => momentOf(text, 'UTC'), refused(/is not a date and time\n.*--zone/));
  });
});

describe('a time zone', () => {
  it('is found whatever the case of its letters', () => {
    assert.equal(zoneNamed('europe/berlin'), 'Europe/Berlin');
    assert.equal(zoneNamed('utc'), 'UTC');
    assert.equal(zoneNamed('US/Pacific'), 'US/Pacific');
  });

  it('that does not exist is refused with similar ones', () => {
    assert.throws(() => zoneNamed('Europe/Berln'), refused(/did you mean .*Europe\/Berlin/));
    assert.throws(() => zoneNamed('Berlin'), refused(/Europe\/Berlin/));
    assert.throws(() => zoneNamed('Mars/Olympus'), refused(/as IANA does/));
    assert.throws(() => zoneNamed('+01:00'), refused(/there is no time zone/));
  });
});

describe('times as people read them', () => {
  it('name their zone', () => {
    assert.equal(localTime('2026-11-30T21:00:00Z', 'Europe/Berlin'), '2026-11-30 22:00 CET');
    assert.equal(
      exactTime('2026-07-01T20:00:00Z', 'Europe/Berlin'),
      'Wed 2026-07-01 22:00 Europe/Berlin (UTC+02:00)',
    );
    assert.equal(exactTime('2026-11-30T21:00:00Z', 'UTC'), 'Mon 2026-11-30 21:00 UTC');
  });

  it('are near or far', () => {
    const hour = 3_600_000;
    assert.equal(distance(6 * 24 * hour + 3 * hour), '6 days 3 hours');
    assert.equal(distance(hour), '1 hour');
    assert.equal(distance(-90_000), '1 minute 30 seconds');
    assert.equal(distance(0), '0 seconds');
    assert.deepEqual([4_200, 185_000, 7_440_000, 529_200_000].map(duration), [
      '4.2s',
      '3m 05s',
      '2h 04m',
      '6d 3h',
    ]);
  });
});
