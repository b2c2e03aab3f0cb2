import {
  isGrpcCancelledError,
  isGrpcDeadlineError,
  isGrpcServiceError,
  ServiceError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import {
  QueryNotRegisteredError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { DefinitionProblem } from './definition-problems.ts';

/**
 * Why a request to Fairway was not done.
 * - `refused`: understood and turned down; the message says why.
 * - `notFound`: there is no such program, pipeline, environment or execution; the message names similar ones.
 * - `ambiguous`: a name or id fits several things; the message names them.
 * - `unavailable`: nothing answered; nothing was changed.
 * - `outcomeUnknown`: no answer in time; the request may still take effect, so look before repeating it.
 */
export type FairwayErrorKind = 'refused' | 'notFound' | 'ambiguous' | 'unavailable' | 'outcomeUnknown';

export class FairwayError extends Error {
  override readonly name = 'FairwayError';
  readonly kind: FairwayErrorKind;
  /** Of a definition that is refused: everything that is wrong with it. */
  readonly problems: readonly DefinitionProblem[];
  /** Of a question: whether nothing is missing but a worker, and one that died may be replaced in a moment. */
  noWorker = false;

  /** Of what a workflow refused: the type of its failure, such as `Conflict` for a pipeline that is busy. */
  get failureType(): string | undefined {
    const { cause } = (this.cause ?? {}) as { cause?: unknown };
    return cause instanceof ApplicationFailure ? (cause.type ?? undefined) : undefined;
  }

  /** A question that a worker would answer. */
  static unanswered(message: string, cause?: unknown): FairwayError {
    return Object.assign(new FairwayError('unavailable', message, cause), { noWorker: true });
  }

  constructor(
    kind: FairwayErrorKind,
    message: string,
    cause?: unknown,
    problems: readonly DefinitionProblem[] = [],
  ) {
    super(message, { cause });
    this.kind = kind;
    this.problems = problems;
  }
}

/** Whether workers were asked, and have no answer for what began with another version: it is as good as unknown. */
export const isUnanswerable = (error: unknown): boolean =>
  error instanceof FairwayError && error.cause instanceof QueryNotRegisteredError;

const FAILED_PRECONDITION = 9;

/** What the server answers to a change that no worker has taken up: cancelled, too late, too many, not ready, aborted, unavailable. */
const UNANSWERED = [1, 4, 8, FAILED_PRECONDITION, 10, 14];

/** Whether nobody has said yet what becomes of a change. */
export function isUnanswered(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  const status = statusOf(error);
  return status !== undefined && UNANSWERED.includes(Number(status.code));
}

function statusOf(error: unknown): (Error & { code: unknown; details: string }) | undefined {
  const status = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(status) ? status : undefined;
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
    return new FairwayError(
      'unavailable',
      `the workers cannot answer about ${what}: it began with another version of their workflows (${error.message}). ` +
        'Run workers of that version until it has ended, or terminate its workflow',
      error,
    );
  // The deadline goes along to the server, which may be the first to give up: then it is the one that says "cancelled".
  const isLate = isGrpcDeadlineError(error) || isGrpcCancelledError(error);
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isLate)
    return changes
      ? new FairwayError(
          'outcomeUnknown',
          `no answer about ${what} in time: is a worker running? The request may still take effect; look before you repeat it`,
          error,
        )
      : FairwayError.unanswered(`no answer about ${what} in time: is a worker running?`, error);
  const status = statusOf(error);
  if (!status) return error;
  // A question is refused at once where the server has seen no worker for a while.
  const isLonely = Number(status.code) === FAILED_PRECONDITION;
  const message = isLonely
    ? `nobody answers about ${what}: is a worker running?`
    : `the Temporal Service did not answer about ${what}: ${status.details}`;
  if (changes) return new FairwayError('outcomeUnknown', message, error);
  return isLonely ? FairwayError.unanswered(message, error) : new FairwayError('unavailable', message, error);
}
