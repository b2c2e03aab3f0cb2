import { isGrpcDeadlineError, isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';
import {
  QueryNotRegisteredError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';

/**
 * Why a request to Fairway was not done.
 * - `refused`: understood and turned down; the message says why.
 * - `notFound`: there is no such program, pipeline or execution.
 * - `unavailable`: nothing answered; nothing was changed.
 * - `outcomeUnknown`: no answer in time; the request may still take effect, so look before repeating it.
 */
export type FairwayErrorKind = 'refused' | 'notFound' | 'unavailable' | 'outcomeUnknown';

export class FairwayError extends Error {
  override readonly name = 'FairwayError';
  readonly kind: FairwayErrorKind;

  constructor(kind: FairwayErrorKind, message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

/** Translates what the Temporal client throws. `what` names the thing that was asked. */
export function translated(error: unknown, what: string, changes: boolean): unknown {
  if (error instanceof WorkflowUpdateFailedError)
    return error.cause instanceof ApplicationFailure
      ? new FairwayError('refused', error.cause.message, error)
      : error;
  if (error instanceof WorkflowNotFoundError)
    return new FairwayError('notFound', `there is no ${what}`, error);
  if (error instanceof QueryNotRegisteredError)
    return new FairwayError('notFound', `${what} does not answer this question`, error);
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isGrpcDeadlineError(error))
    return changes
      ? new FairwayError(
          'outcomeUnknown',
          `no answer about ${what} in time: is a worker running? The request may still take effect; look before you repeat it`,
          error,
        )
      : new FairwayError('unavailable', `no answer about ${what} in time: is a worker running?`, error);
  if (isGrpcServiceError(error))
    return new FairwayError(
      changes ? 'outcomeUnknown' : 'unavailable',
      `the Temporal Service did not answer about ${what}: ${error.details}`,
      error,
    );
  return error;
}
