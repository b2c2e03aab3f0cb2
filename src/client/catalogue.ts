import type { Actor } from '../model/actor.ts';
import { programWorkflowId } from '../model/execution.ts';
import type { Apply, DeleteProgram, ProgramState, SetEmergency } from '../model/program.ts';
import { programSchema, type Program } from '../model/schema/definition.ts';
import { QUERY_MS, type Calls } from './calls.ts';
import { problemLine, problemsOf } from './definition-problems.ts';
import { FairwayError, isUnanswerable } from './fairway-error.ts';

/** The state of a program that has a definition. */
export type DefinedProgram = ProgramState & { readonly definition: Program };

const isDefined = (state: ProgramState): state is DefinedProgram => state.definition !== undefined;

/** The definition of one program, with its defaults filled in. @throws FairwayError `refused` with every problem */
export function validProgram(definition: unknown): Program {
  const parsed = programSchema.safeParse(definition);
  if (parsed.success) return parsed.data;
  const problems = problemsOf(parsed.error, definition);
  throw new FairwayError('refused', problems.map(problemLine).join('\n'), undefined, problems);
}

/** Programs: what they are made of, and what is asked of them. */
export class Catalogue {
  private readonly calls: Calls;

  constructor(calls: Calls) {
    this.calls = calls;
  }

  /** Ids of all programs that were ever defined. */
  async programIds(): Promise<string[]> {
    return this.calls.within(QUERY_MS, 'programs', false, async () => {
      const ids: string[] = [];
      const query = 'WorkflowType = "program" AND ExecutionStatus = "Running"';
      for await (const { workflowId } of this.calls.temporal.workflow.list({ query }))
        ids.push(workflowId.replace(/^program-/, ''));
      return ids.sort((a, b) => Number(a) - Number(b));
    });
  }

  async programs(): Promise<DefinedProgram[]> {
    const ids = await this.programIds();
    const all = await Promise.all(
      // One that no worker understands does not take the others along.
      ids.map((id) => this.program(id).catch(unlessUnanswerable)),
    );
    return all.filter((state) => state !== undefined);
  }

  async program(programId: string): Promise<DefinedProgram | undefined> {
    try {
      const state = await this.calls.query<ProgramState>(
        programWorkflowId(programId),
        `program ${programId}`,
        'program',
      );
      return isDefined(state) ? state : undefined;
    } catch (error) {
      if (error instanceof FairwayError && error.kind === 'notFound') return undefined;
      throw error;
    }
  }

  /** An entity that is refused its first definition would still have been started: what is wrong is told before. */
  async apply(definition: unknown, expectedRevision: number, by: Actor): Promise<ProgramState> {
    const program = validProgram(definition);
    return this.calls.updateWithStart<ProgramState, Apply>(
      {
        type: 'program',
        workflowId: programWorkflowId(program.id),
        summary: `Program ${program.id}: ${program.name}`,
      },
      `program ${program.id}`,
      'apply',
      { definition: program, expectedRevision, by },
    );
  }

  async without(
    programId: string,
    list: 'pipelines' | 'environments',
    id: string,
    by: Actor,
  ): Promise<ProgramState> {
    const state = await this.program(programId);
    if (!state?.definition[list].some((thing) => thing.id === id))
      throw new FairwayError('notFound', `program ${programId} has no ${list.slice(0, -1)} ${id}`);
    const { definition, revision } = state;
    const rest = { ...definition, [list]: definition[list].filter((thing) => thing.id !== id) };
    return this.apply(rest, revision, by);
  }

  async deleteProgram(programId: string, by: Actor): Promise<void> {
    await this.update<ProgramState, DeleteProgram>(programId, 'deleteProgram', { by });
  }

  setEmergency(programId: string, activated: boolean, by: Actor): Promise<ProgramState> {
    return this.update<ProgramState, SetEmergency>(programId, 'setEmergency', { activated, by });
  }

  update<R, A>(programId: string, name: string, argument: A): Promise<R> {
    return this.calls.update(programWorkflowId(programId), `program ${programId}`, name, argument);
  }
}

function unlessUnanswerable(error: unknown): undefined {
  if (!isUnanswerable(error)) throw error;
}
