import type { ExecutionState } from '../model/execution.ts';
import type { StepId } from '../model/steps.ts';

type Asked = Pick<ExecutionState, 'executionId' | 'waitingFor' | 'scheduledFor'>;

/** What to type to answer what an execution waits for. */
export function answersTo({ executionId, waitingFor, scheduledFor }: Asked): string[] {
  if (waitingFor) return answers(waitingFor.step, executionId);
  return scheduledFor ? [`fairway schedule ${executionId} --now`, `fairway cancel ${executionId}`] : [];
}

function answers(step: StepId, execution: string): string[] {
  switch (step) {
    case 'approval':
      return [`fairway approve ${execution}`, `fairway reject ${execution} --comment "why"`];
    case 'schedule':
      return [`fairway schedule ${execution} --at "YYYY-MM-DD HH:MM"`, `fairway schedule ${execution} --now`];
    case 'managed':
      return [`fairway cse start ${execution}`, `fairway cse refuse ${execution} --comment "why"`];
    default:
      return [
        `fairway results ${execution} ${step}`,
        `fairway override ${execution} ${step} --accept`,
        `fairway override ${execution} ${step} --reject`,
      ];
  }
}

/** Who answers in a step, in the product's words. */
export function whoAnswers(step: StepId): string {
  switch (step) {
    case 'approval':
      return 'an approver';
    case 'schedule':
      return 'a deployment manager';
    case 'managed':
      return 'a Customer Success Engineer';
    default:
      return 'a deployment manager or approver';
  }
}
