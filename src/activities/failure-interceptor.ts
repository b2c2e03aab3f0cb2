import { ApplicationFailure } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { failureTypes } from '../model/failures.ts';
import { Failure } from '../systems/failure.ts';

const MAX_DETAIL_LINES = 20;

/** The one place where failures of the outside world become Temporal's. */
export const failureInterceptor: ActivityInboundCallsInterceptor = {
  async execute(input, next) {
    try {
      return await next(input);
    } catch (error) {
      throw error instanceof Failure ? translated(error) : error;
    }
  },
};

/** The message with the other side's own words, as people get to see them. */
export function inWords({ message, details }: Failure): string {
  const own = details.filter((line) => !message.includes(line)).slice(0, MAX_DETAIL_LINES);
  return [message, ...own].join('\n');
}

function translated(failure: Failure): ApplicationFailure {
  const { type, cause } = failure;
  return ApplicationFailure.create({
    type,
    message: inWords(failure),
    nonRetryable: !failureTypes[type].retry,
    cause: cause instanceof Error ? cause : undefined,
  });
}
