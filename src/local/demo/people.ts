import type { ExecutionAddress, FairwayClient } from '../../client/fairway-client.ts';
import type { Actor } from '../../model/actor.ts';
import type { ExecutionState } from '../../model/execution.ts';
import type { StepId } from '../../model/steps.ts';

const person = (subject: string): Actor => ({ subject, via: 'demo', verified: false });

/**
 * The three people of a production pipeline, played by signals: whoever an execution waits for answers once.
 * @returns what the person did, or undefined when nobody is asked anything new
 */
export function people(client: FairwayClient): (state: ExecutionState) => Promise<string | undefined> {
  const answered = new Set<StepId>();
  return async ({ programId, pipelineId, executionId, waitingFor }) => {
    const step = waitingFor?.step;
    if (!step || answered.has(step)) return undefined;
    answered.add(step);
    const address: Required<ExecutionAddress> = { programId, pipelineId, executionId };
    switch (step) {
      case 'approval': {
        const by = person('paula, program manager');
        await client.send('approve', address, { by, approved: true, comment: 'looks good' }, 'signal');
        return `${by.subject} approves`;
      }
      case 'schedule': {
        const by = person('dario, deployment manager');
        const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
        await client.send('schedule', address, { by, at: 'NOW', timeZone }, 'signal');
        return `${by.subject} schedules the deployment for now`;
      }
      case 'managed': {
        const by = person('carla, customer success engineer');
        await client.send('cseSupport', address, { by, start: true }, 'signal');
        return `${by.subject} starts the deployment`;
      }
      default:
        return undefined;
    }
  };
}
