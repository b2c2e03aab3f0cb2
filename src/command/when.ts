import { Temporal } from 'temporal-polyfill';
import { nearMatches } from '../model/near-matches.ts';
import { Problem } from './problem.ts';

/** A point in time that a person has chosen, and the zone that the person thinks in. */
export interface Moment {
  /** ISO 8601 with the offset of the zone at that time, as the message `schedule` carries it. */
  readonly at: string;
  /** IANA name. */
  readonly zone: string;
}

/** A local time that the clocks show twice: before and after they are put back. */
export interface Twice {
  readonly earlier: Moment;
  readonly later: Moment;
}

const FORM = /^(?<date>\d{4}-\d\d-\d\d)[T ](?<time>\d\d:\d\d(:\d\d)?) ?(?<offset>Z|[+-]\d\d:?\d\d)?$/i;
const EXAMPLE = '2026-11-30 22:00';

/** The zone of this machine. */
export const systemZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The IANA name of a zone as it is written properly. @throws Problem `usage` naming similar ones */
export function zoneNamed(name: string): string {
  const zones = ['UTC', ...Intl.supportedValuesOf('timeZone')];
  const found = zones.find((zone) => zone.toLowerCase() === name.toLowerCase());
  if (found) return found;
  // Links such as Europe/Zagreb or US/Pacific are not listed everywhere, and valid all the same; offsets have no rules.
  if (/^[A-Za-z]/.test(name) && isZone(name)) return name;
  const near = nearMatches(name, zones);
  throw new Problem(
    'usage',
    `there is no time zone ${JSON.stringify(name)}`,
    near.length > 0
      ? `did you mean ${near.join(', ')}?`
      : 'name one as IANA does, such as Europe/Berlin, America/New_York or UTC',
  );
}

function isZone(name: string): boolean {
  try {
    return Intl.DateTimeFormat('en', { timeZone: name }).format() !== '';
  } catch {
    return false;
  }
}

/**
 * What a person means by a local time in a zone. An offset in the text decides alone; the zone then only says how to
 * show it.
 * @throws Problem `usage` for other forms, dates that no calendar has, and times that the clocks leave out
 */
export function momentOf(text: string, zone: string): Moment | Twice {
  const { date = '', time = '', offset } = FORM.exec(text.trim())?.groups ?? {};
  if (!date)
    throw new Problem(
      'usage',
      `${JSON.stringify(text)} is not a date and time`,
      `write it as ${JSON.stringify(EXAMPLE)}, with --zone for another zone than yours, or with an offset: "${EXAMPLE}+01:00"`,
    );
  const local = plain(date, time, text);
  if (offset) return exact(`${local.toString()}${offset.toUpperCase()}`, zone);
  const earlier = local.toZonedDateTime(zone, { disambiguation: 'earlier' });
  const later = local.toZonedDateTime(zone, { disambiguation: 'later' });
  if (earlier.epochMilliseconds === later.epochMilliseconds) return moment(earlier);
  if (earlier.toPlainDateTime().equals(local)) return { earlier: moment(earlier), later: moment(later) };
  throw new Problem(
    'usage',
    `there is no ${date} ${time} in ${zone}: the clocks are put forward over it, to daylight saving time`,
    `the hour before it has ${shortTime(earlier)}, the one after it ${shortTime(later)}`,
  );
}

function plain(date: string, time: string, text: string): Temporal.PlainDateTime {
  try {
    return Temporal.PlainDateTime.from(`${date}T${time}`, { overflow: 'reject' });
  } catch {
    throw new Problem(
      'usage',
      `no calendar and no clock has ${JSON.stringify(text)}`,
      `write it as ${EXAMPLE}`,
    );
  }
}

function exact(iso: string, zone: string): Moment {
  return moment(Temporal.Instant.from(iso).toZonedDateTimeISO(zone));
}

const moment = (time: Temporal.ZonedDateTime): Moment => ({
  at: time.toString({ timeZoneName: 'never', smallestUnit: 'second' }),
  zone: time.timeZoneId,
});

const shortTime = (time: Temporal.ZonedDateTime) =>
  time.toString({ timeZoneName: 'never', smallestUnit: 'minute' }).replace('T', ' ');
