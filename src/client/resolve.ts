import { nearMatches } from '../model/near-matches.ts';
import type { Program } from '../model/schema/definition.ts';
import { stepTitle } from '../model/steps.ts';
import type { ExecutionSummary } from '../model/summary.ts';
import type { ExecutionFilter, ExecutionPage } from './executions.ts';
import { FairwayError } from './fairway-error.ts';

/** Finds things by id or by unique name, among those of all programs or of one. */

export interface InProgram<T, P extends Named = Program> {
  readonly program: P;
  readonly thing: T;
}

export interface Named {
  readonly id: string;
  readonly name: string;
}

interface WithPipelines<T extends Named> extends Named {
  readonly pipelines: readonly T[];
}

/**
 * The one thing of this id or name. An id counts before a name; `in` says where, for people.
 * @throws FairwayError `notFound` naming similar ones, `ambiguous` naming all that fit
 */
function theOne<T>(
  what: string,
  nameOrId: string,
  all: readonly T[],
  named: (thing: T) => Named,
  described: (thing: T) => string,
): T {
  const wanted = nameOrId.trim();
  const byId = all.filter((thing) => named(thing).id === wanted);
  const exact = byId.length > 0 ? byId : all.filter((thing) => named(thing).name === wanted);
  const fits =
    exact.length > 0
      ? exact
      : all.filter((thing) => named(thing).name.toLowerCase() === wanted.toLowerCase());
  const [only] = fits;
  if (only !== undefined && fits.length === 1) return only;
  if (fits.length > 1)
    throw new FairwayError(
      'ambiguous',
      `"${wanted}" fits several ${what}s: ${fits.map(described).join('; ')}. Give the id, and the program where it is needed`,
    );
  const names = all.flatMap((thing) => [named(thing).name, named(thing).id]);
  const near = nearMatches(wanted, names);
  const similar = all.filter((thing) => near.includes(named(thing).name) || near.includes(named(thing).id));
  throw new FairwayError(
    'notFound',
    `there is no ${what} "${wanted}"` +
      (similar.length > 0
        ? `; similar: ${similar.map(described).join('; ')}`
        : `; there ${all.length === 0 ? 'is none' : `are: ${all.slice(0, 10).map(described).join('; ')}${all.length > 10 ? '; ...' : ''}`}`),
  );
}

const text = ({ id, name }: Named) => `${id} (${name})`;

export const findProgram = <P extends Named>(programs: readonly P[], nameOrId: string): P =>
  theOne('program', nameOrId, programs, (program) => program, text);

export const findPipeline = <P extends WithPipelines<T>, T extends Named = P['pipelines'][number]>(
  programs: readonly P[],
  nameOrId: string,
): InProgram<T, P> => findIn('pipeline', programs, nameOrId, ({ pipelines }) => pipelines);

export const findEnvironment = <
  P extends Named & { readonly environments: readonly T[] },
  T extends Named = P['environments'][number],
>(
  programs: readonly P[],
  nameOrId: string,
): InProgram<T, P> => findIn('environment', programs, nameOrId, ({ environments }) => environments);

/** `nameOrId` may name the program as well: `Example/Production`, `1001/2001`. */
function findIn<T extends Named, P extends Named>(
  what: string,
  programs: readonly P[],
  nameOrId: string,
  thingsOf: (program: P) => readonly T[],
): InProgram<T, P> {
  const all = programs.flatMap((program) => thingsOf(program).map((thing) => ({ program, thing })));
  const described = ({ program, thing }: InProgram<T, P>) => `${text(thing)} of program ${text(program)}`;
  const slash = nameOrId.indexOf('/');
  const isName = all.some(({ thing }) => thing.name === nameOrId.trim());
  if (slash < 0 || isName) return theOne(what, nameOrId, all, ({ thing }) => thing, described);
  const program = findProgram(programs, nameOrId.slice(0, slash));
  return theOne(
    what,
    nameOrId.slice(slash + 1),
    all.filter((found) => found.program === program),
    ({ thing }) => thing,
    described,
  );
}

/** @throws FairwayError `notFound`, `ambiguous` */
export async function findExecution(
  id: string | undefined,
  filter: Pick<ExecutionFilter, 'programId' | 'pipelineId' | 'waitingFor'>,
  list: (options: ExecutionFilter & { limit: number }) => Promise<ExecutionPage>,
): Promise<ExecutionSummary> {
  if (id !== undefined && !/^\d{1,10}$/.test(id.trim()))
    throw new FairwayError(
      'notFound',
      `"${id}" is no id of an execution: they are numbers, such as 0000000007`,
    );
  const executionId = id?.trim().padStart(10, '0');
  const { programId, pipelineId, waitingFor } = filter;
  const { executions } = await list({
    ...{ programId, pipelineId, limit: 20 },
    ...(executionId !== undefined ? { executionId } : waitingFor ? { waitingFor } : { status: 'RUNNING' }),
  });
  const where = [
    pipelineId ? ` of pipeline ${pipelineId}` : '',
    programId ? ` in program ${programId}` : '',
  ].join('');
  const [only] = executions;
  if (only && executions.length === 1) return only;
  if (only)
    throw new FairwayError(
      'ambiguous',
      `${executionId ? `there are several executions ${executionId}` : `several executions ${waitingFor ? 'wait' : 'are running'}`}${where}: ` +
        executions.map(inWords).join('; '),
    );
  throw new FairwayError(
    'notFound',
    executionId
      ? `there is no execution ${executionId}${where}`
      : `no execution${where} ${waitingFor ? `waits for ${waitingFor === 'anything' ? 'a person' : stepTitle(waitingFor)}` : 'is running'}`,
  );
}

const inWords = ({ executionId, programName, programId, pipelineName, pipelineId }: ExecutionSummary) =>
  `${executionId} of pipeline ${pipelineId} (${pipelineName}) in program ${programId} (${programName})`;
