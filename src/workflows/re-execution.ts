import { executionKey, type StepState } from '../model/execution.ts';
import { copying } from './activities.ts';
import { failure } from './failures.ts';
import type { Run } from './run.ts';

/** Storage prefix of the execution whose production deployment this one does again; undefined for all others. */
export function reExecutedKey({ input }: Run): string | undefined {
  const { program, pipeline, reExecutes: executionId } = input;
  return executionId && executionKey({ programId: program.id, pipelineId: pipeline.id, executionId });
}

/** The step Build of a re-execution: takes what was built before. */
export async function takeArtifacts(run: Run, step: StepState, from: string, log: string): Promise<void> {
  const { reExecuted } = run;
  if (!reExecuted) throw failure('Missing', `validation found nothing to take from ${from}`);
  run.state.artifacts = await copying.copyArtifacts.executeWithOptions(
    { summary: `Copy the artifacts of execution ${run.input.reExecutes}` },
    [{ from, to: run.key, artifacts: reExecuted.artifacts, log }],
  );
  run.state.images = reExecuted.images;
  step.details = `nothing was built: ${run.state.artifacts.length} artifacts of execution ${run.input.reExecutes}`;
}
