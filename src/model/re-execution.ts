import type { Artifact } from './artifacts.ts';
import type { ExecutionState } from './execution.ts';
import type { BuildImagesOutput } from './images.ts';

/** What a re-execution takes over from the execution whose production deployment it does again. */
export interface ReExecuted {
  readonly commit?: string;
  readonly artifactsVersion?: string;
  readonly artifacts: readonly Artifact[];
  readonly images?: BuildImagesOutput;
}

/**
 * Why the production deployment of an execution cannot be done again: Cloud Manager's rule is that it must have ended,
 * well or not. Whether it is the last one of its pipeline is the program's to say.
 */
export function reExecutionRefusal({
  executionId,
  steps,
  artifacts,
}: Pick<ExecutionState, 'executionId' | 'steps' | 'artifacts'>): string | undefined {
  const deployment = steps.find(({ id }) => id === 'prodDeploy');
  if (!deployment) return `execution ${executionId} has no production deployment`;
  if (deployment.finishedAt === undefined)
    return `the production deployment of execution ${executionId} ${deployment.startedAt ? 'has not ended' : 'never began'}: start the pipeline instead`;
  return artifacts.length === 0 ? `execution ${executionId} left no artifacts` : undefined;
}
