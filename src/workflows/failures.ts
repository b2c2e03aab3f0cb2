import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  isCancellation,
  TimeoutFailure,
} from '@temporalio/workflow';
import { failureTypes, isFailureType, type FailureType } from '../model/failures.ts';

/** A failure of ours: ends a step, and through it the execution. */
export const failure = (type: FailureType, message: string, ...details: unknown[]): ApplicationFailure =>
  ApplicationFailure.create({ type, message, nonRetryable: true, details });

export interface UnderstoodFailure {
  readonly type: FailureType;
  readonly message: string;
}

/**
 * What an activity, a child workflow or our own code failed with, in our terms. Anything that is none of these, a bug
 * above all, is thrown on, so that the workflow waits for the corrected code.
 */
export function understood(error: unknown): UnderstoodFailure {
  if (isCancellation(error)) throw error;
  if (error instanceof ActivityFailure) {
    const { cause, activityType } = error;
    if (cause instanceof TimeoutFailure) return ofTimeout(cause, activityType);
    if (isOurs(cause)) return understood(cause);
    return { type: 'Unavailable', message: `"${activityType}" was ended from outside` };
  }
  if (error instanceof ChildWorkflowFailure && isOurs(error.cause)) return understood(error.cause);
  if (error instanceof ApplicationFailure)
    return {
      type: isFailureType(error.type) ? error.type : 'Unavailable',
      message: error.message,
    };
  if (error instanceof ChildWorkflowFailure)
    return { type: 'Unavailable', message: `${error.workflowType} was ended from outside` };
  throw error;
}

/** What says more than the failure around it; a terminated or unknown one does not. */
const isOurs = (cause: unknown): boolean =>
  isCancellation(cause) ||
  cause instanceof ApplicationFailure ||
  cause instanceof ActivityFailure ||
  cause instanceof ChildWorkflowFailure;

function ofTimeout(
  { timeoutType }: TimeoutFailure,
  activity: string,
): { type: FailureType; message: string } {
  if (timeoutType === 'SCHEDULE_TO_START')
    return {
      type: 'Unavailable',
      message: `no worker took "${activity}" in time: is its agent or worker running?`,
    };
  return {
    type: 'Unavailable',
    message: `"${activity}" did not come to an end (${timeoutType ?? 'unknown'} time-out)`,
  };
}

/** What a step becomes by a failure: FAILED by a gate, a person or an artifact; ERROR by infrastructure. */
export const statusOf = (type: FailureType): 'FAILED' | 'ERROR' => failureTypes[type].status;
