import type { Timeouts } from './schema/definition.ts';

/** Steps that may wait for a person. */
export type WaitingStep = keyof Timeouts;

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * How long each step waits for a person, in days: the table "Timeouts" of Cloud Manager's page "Deploy your Code"
 * for Managed Services. A program may set its own.
 */
export const timeoutDays: Readonly<Record<WaitingStep, number>> = {
  codeQuality: 7,
  securityTest: 7,
  reportPerformanceTest: 7,
  approval: 7,
  schedule: 7,
  managed: 7,
};

export const waitingSteps = Object.keys(timeoutDays) as readonly WaitingStep[];

/** Milliseconds that `step` waits for a person. */
export const timeoutMs = (step: WaitingStep, overrides: Timeouts): number =>
  (overrides[step] ?? timeoutDays[step]) * DAY_MS;

/** How far ahead a production deployment may be scheduled. */
export const SCHEDULE_HORIZON_MS = 90 * DAY_MS;

/** How long a deployment waits for an environment that another execution holds. */
export const LEASE_WAIT_MS = 60 * 60 * 1000;
