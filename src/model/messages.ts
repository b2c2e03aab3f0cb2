import type { Actor } from './actor.ts';
import type { WaitingStep } from './timeouts.ts';

/**
 * What people send to a running execution. Each message is a signal and an update of the same name; whoever sends
 * it names the execution it is meant for, and a message for another one changes nothing.
 */

interface Addressed {
  readonly executionId: string;
  readonly by: Actor;
}

export interface Approve extends Addressed {
  readonly approved: boolean;
  readonly comment?: string;
}

export interface Schedule extends Addressed {
  /** ISO 8601 with an offset, or `NOW`. Sending it confirms it. */
  readonly at: string;
  /** IANA name of the zone that the sender thinks in, for people to read. */
  readonly timeZone: string;
}

export interface CseSupport extends Addressed {
  readonly start: boolean;
  readonly comment?: string;
}

export interface Override extends Addressed {
  readonly step: GateStep;
  /** Every failing important metric must be named; one `override: false` rejects them all. */
  readonly metrics: readonly { readonly kpi: string; readonly override: boolean }[];
  readonly comment?: string;
}

export interface Cancel extends Addressed {
  readonly reason?: string;
}

export interface Messages {
  approve: Approve;
  schedule: Schedule;
  cseSupport: CseSupport;
  override: Override;
  cancel: Cancel;
}

export type MessageName = keyof Messages;

export const messageNames = [
  'approve',
  'schedule',
  'cseSupport',
  'override',
  'cancel',
] as const satisfies MessageName[];

/** Steps whose failing important metrics a person may accept. */
export const gateSteps = [
  'codeQuality',
  'securityTest',
  'reportPerformanceTest',
] as const satisfies WaitingStep[];
export type GateStep = (typeof gateSteps)[number];

/** A message that was understood, or why it was not. */
export type Parsed<T> = { readonly message: T } | { readonly problem: string };

type Fields = Record<string, unknown>;
const MAX_TEXT = 2000;

const isText = (value: unknown, max = MAX_TEXT): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= max;
const isOptionalText = (value: unknown): value is string | undefined =>
  value === undefined || (typeof value === 'string' && value.length <= MAX_TEXT);
const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether a value of unknown origin says who acts. */
export const isActor = (value: unknown): value is Actor =>
  isObject(value) &&
  isText(value['subject'], 200) &&
  isText(value['via'], 100) &&
  typeof value['verified'] === 'boolean';

const ISO_TIME = /^(?<day>\d{4}-\d\d-\d\d)T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(?<offset>Z|[+-]\d\d:\d\d)?$/;

/** Why a text names no instant. `Date.parse` alone takes more forms, and 30 February for 2 March. */
function timeProblem(at: unknown): string | undefined {
  const text = typeof at === 'string' ? at : '';
  const { day = '', offset } = ISO_TIME.exec(text)?.groups ?? {};
  if (!day || Number.isNaN(Date.parse(text)) || !new Date(day).toISOString().startsWith(day))
    return 'at must be NOW or a date and time in ISO 8601, such as 2030-01-31T18:00:00+01:00';
  return offset ? undefined : 'at has no offset: end it with Z or +hh:mm, so that the instant is certain';
}

const bodyProblems: { readonly [N in MessageName]: (fields: Fields) => string | undefined } = {
  approve: (fields) =>
    typeof fields['approved'] !== 'boolean'
      ? 'approved must be true or false'
      : isOptionalText(fields['comment'])
        ? undefined
        : 'comment must be text',
  schedule: ({ at, timeZone }) =>
    !isText(timeZone, 100)
      ? 'timeZone must be the IANA name of a time zone, such as Europe/Berlin'
      : at === 'NOW'
        ? undefined
        : timeProblem(at),
  cseSupport: (fields) =>
    typeof fields['start'] !== 'boolean'
      ? 'start must be true or false'
      : isOptionalText(fields['comment'])
        ? undefined
        : 'comment must be text',
  override: ({ step, metrics, comment }) =>
    !gateSteps.some((gate) => gate === step)
      ? `step must be one of ${gateSteps.join(', ')}`
      : !Array.isArray(metrics) ||
          metrics.length === 0 ||
          metrics.length > 100 ||
          !metrics.every(
            (metric) =>
              isObject(metric) && isText(metric['kpi'], 100) && typeof metric['override'] === 'boolean',
          )
        ? 'metrics must be a list of {kpi, override}'
        : isOptionalText(comment)
          ? undefined
          : 'comment must be text',
  cancel: ({ reason }) => (isOptionalText(reason) ? undefined : 'reason must be text'),
};

/**
 * Checks a message of unknown origin; fields that are not known are ignored, so that messages can grow. Those of `by`
 * are dropped, since the execution keeps who decided.
 */
export function parseMessage<N extends MessageName>(name: N, value: unknown): Parsed<Messages[N]> {
  if (!isObject(value)) return { problem: `${name} needs an object with executionId and by` };
  if (!isText(value['executionId'], 20)) return { problem: 'executionId must be the id of the execution' };
  if (!isActor(value['by'])) return { problem: 'by must be {subject, via, verified}' };
  const problem = bodyProblems[name](value);
  if (problem !== undefined) return { problem };
  const { subject, via, verified } = value['by'];
  return { message: { ...value, by: { subject, via, verified } } as unknown as Messages[N] };
}
