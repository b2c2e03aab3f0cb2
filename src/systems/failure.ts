import type { FailureType } from '../model/failures.ts';

/**
 * What every client in systems/ throws when the world does not do as asked. The message names the thing and the
 * remedy; `details` holds the other side's own words, line by line. Activities translate it for Temporal.
 */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly type: FailureType;
  readonly details: readonly string[];

  constructor(
    type: FailureType,
    message: string,
    options: { cause?: unknown; details?: readonly string[] } = {},
  ) {
    super(message, { cause: options.cause });
    this.type = type;
    this.details = options.details ?? [];
  }
}

/** The message of anything thrown, with the causes that say more. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : messageOf(error.cause);
  return !cause || error.message.includes(cause) ? error.message : `${error.message}: ${cause}`;
}
