import type { StepId } from '../model/steps.ts';
import type { ExecutionSummary } from '../model/summary.ts';
import type { FairwayAccess } from './access.ts';
import type { ExecutionFilter } from './executions.ts';

/** Something that waits for a person. */
export interface WaitingExecution {
  readonly execution: ExecutionSummary;
  readonly step: StepId;
  /** What is asked; absent when no worker answered. */
  readonly question?: string;
  readonly since?: string;
  /** When it ends as FAILED if nobody answers. */
  readonly until: string;
}

/** Everything that waits for a person, the most urgent first. */
export async function everythingWaiting(
  client: Pick<FairwayAccess, 'executions' | 'execution'>,
  filter: Pick<ExecutionFilter, 'programId' | 'pipelineId'>,
): Promise<WaitingExecution[]> {
  const { executions } = await client.executions({ ...filter, waitingFor: 'anything', limit: 1000 });
  const all = await Promise.all(
    executions.map(async (execution): Promise<WaitingExecution[]> => {
      // The list is a moment old: whoever has gone on since waits no longer.
      const state = await client.execution(execution).catch(() => undefined);
      const asked = state ? state.waitingFor : execution.waitingFor;
      return asked ? [{ execution, ...asked }] : [];
    }),
  );
  return all.flat().sort((a, b) => (a.until < b.until ? -1 : 1));
}
