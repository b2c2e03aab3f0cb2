import type { Command } from 'commander';
import type { FairwayAccess } from '../client/access.ts';
import { patiently } from '../client/patiently.ts';
import type { ExecutionFilter } from '../client/executions.ts';
import type { ExecutionSummary } from '../model/summary.ts';
import type { StepId } from '../model/steps.ts';
import { isFairwayError, Problem } from './problem.ts';
import type { Session } from './session.ts';

/** Which execution is meant, where it is left out. */
export interface Meant {
  /** The one that waits in this step. */
  readonly waitingFor?: StepId;
  /** The last one, where none is running. */
  readonly orLast?: boolean;
}

export interface PlaceOptions {
  readonly program?: string;
  readonly pipeline?: string;
}

/** Adds the options that say where to look. */
export const withPlace = (command: Command): Command =>
  command
    .option('--program <id or name>', 'only those of this program')
    .option('--pipeline <id or name>', 'only those of this pipeline');

/** The program and the pipeline that options name. @throws FairwayError `notFound`, `ambiguous` */
export async function placeOf(
  client: Pick<FairwayAccess, 'findProgram' | 'findPipeline'>,
  named: PlaceOptions,
): Promise<Pick<ExecutionFilter, 'programId' | 'pipelineId'>> {
  const program = named.program === undefined ? undefined : await client.findProgram(named.program);
  const programId = program?.definition.id;
  if (named.pipeline === undefined) return { programId };
  const pipeline = await client.findPipeline(named.pipeline, programId);
  return { programId: pipeline.program.id, pipelineId: pipeline.thing.id };
}

/**
 * An execution by its id (`7`, `0000000007`, `PROGRAM/7`), the newest one of a pipeline by the pipeline's name, or the
 * only one that can be meant.
 * @throws FairwayError `notFound`, `ambiguous`
 */
export async function findTarget(
  session: Session,
  reference: string | undefined,
  { waitingFor, orLast }: Meant = {},
): Promise<ExecutionSummary> {
  const client = await session.client();
  // Whoever only looks takes the last one as well, and is told at once that nobody answers.
  const asked = orLast ? <T>(ask: () => Promise<T>) => ask() : patiently;
  if (reference === undefined) {
    try {
      return await client.findExecution(undefined, { waitingFor });
    } catch (error) {
      if (!orLast || !isFairwayError(error) || error.kind !== 'notFound') throw error;
      const [last] = (await client.executions({ limit: 1 })).executions;
      if (last) return last;
      throw new Problem('notFound', 'there is no execution yet', 'start one: fairway start PIPELINE');
    }
  }
  const [, programName, id] = /^(?:(.+)\/)?(\d{1,10})$/.exec(reference) ?? [];
  if (id !== undefined) {
    const program =
      programName === undefined ? undefined : await asked(() => client.findProgram(programName));
    return client.findExecution(id, { programId: program?.definition.id });
  }
  const { program, thing } = await asked(() => client.findPipeline(reference));
  const [newest] = (await client.executions({ programId: program.id, pipelineId: thing.id, limit: 1 }))
    .executions;
  if (newest) return newest;
  throw new Problem(
    'notFound',
    `pipeline ${thing.id} (${thing.name}) has no execution yet`,
    `start one: fairway start ${thing.id}`,
  );
}
