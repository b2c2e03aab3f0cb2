import type { Actor } from '../model/actor.ts';
import { programWorkflowId } from '../model/execution.ts';
import type { ChangeVariable, ProgramState } from '../model/program.ts';
import {
  MAX_SECRET,
  MAX_VALUE,
  plainVariableProblem,
  secretVariableKey,
  variableNameProblem,
  type Variable,
} from '../model/variables.ts';
import { Failure } from '../systems/failure.ts';
import { encryptVariable, newVersion } from '../systems/secret-variables.ts';
import type { Secrets } from '../systems/secrets.ts';
import type { Calls } from './calls.ts';
import { FairwayError } from './fairway-error.ts';
import type { Files } from './files.ts';

export interface SetVariable {
  readonly programId: string;
  readonly pipelineId: string;
  readonly name: string;
  readonly value: string;
  /** Whether only its ciphertext is kept, and logs show `***` in its place. */
  readonly secret?: boolean;
  readonly by: Actor;
}

/** A variable as lists show it. */
export interface ListedVariable {
  readonly name: string;
  readonly type: Variable['type'];
  /** Absent of a secret one. */
  readonly value?: string;
  /** `definition`: written in `fairway.yaml`; `set`: set beside it, which counts before the definition. The API does not tell. */
  readonly from?: 'definition' | 'set';
  readonly by?: Actor;
  readonly at?: string;
}

/** Why a variable cannot be set; undefined when it can. */
export function variableRefusal({
  name,
  value,
  secret,
}: Pick<SetVariable, 'name' | 'value' | 'secret'>): string | undefined {
  const most = secret ? MAX_SECRET : MAX_VALUE;
  const problem =
    variableNameProblem(name) ??
    (secret ? undefined : plainVariableProblem(name)) ??
    (value.length === 0 ? 'the value is empty; delete the variable instead' : undefined) ??
    (secret && /[\r\n]/.test(value) ? 'a secret value must be one line' : undefined) ??
    (value.length > most ? `the value has ${value.length} characters; ${most} at most` : undefined);
  return problem && `variable ${name}: ${problem}`;
}

/** Variables of pipelines. */
export class PipelineVariables {
  private readonly calls: Calls;
  private readonly files: Files;
  private readonly secret: Secrets;

  constructor(calls: Calls, files: Files, secret: Secrets) {
    this.calls = calls;
    this.files = files;
    this.secret = secret;
  }

  async list(programId: string, pipelineId: string): Promise<ListedVariable[]> {
    const state = await this.calls.query<ProgramState>(
      programWorkflowId(programId),
      `program ${programId}`,
      'program',
    );
    const pipeline = state.definition?.pipelines.find(({ id }) => id === pipelineId);
    if (!pipeline) throw new FairwayError('notFound', `program ${programId} has no pipeline ${pipelineId}`);
    const set: ListedVariable[] = (state.variables?.[pipelineId] ?? []).map(
      ({ name, type, by, at, ...rest }) => ({
        ...{ name, type, from: 'set', by, at },
        ...('value' in rest ? { value: rest.value } : {}),
      }),
    );
    const defined = Object.entries(pipeline.variables)
      .filter(([name]) => !set.some((known) => known.name === name))
      .map(([name, value]): ListedVariable => ({ name, type: 'string', value, from: 'definition' }));
    return [...defined, ...set].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async set({ programId, pipelineId, name, value, secret, by }: SetVariable): Promise<void> {
    const refusal = variableRefusal({ name, value, secret });
    if (refusal !== undefined) throw new FairwayError('refused', refusal);
    const variable: NewVariable = secret
      ? { name, type: 'secretString', version: await this.keep(programId, pipelineId, name, value) }
      : { name, type: 'string', value };
    await this.change(programId, { pipelineId, name, variable, by });
  }

  async remove({
    programId,
    pipelineId,
    name,
    by,
  }: Pick<SetVariable, 'programId' | 'pipelineId' | 'name' | 'by'>): Promise<void> {
    await this.change(programId, { pipelineId, name, by });
  }

  /** Encrypts a value and keeps the ciphertext; says under which version. */
  private async keep(programId: string, pipelineId: string, name: string, value: string): Promise<string> {
    const reference = { name, version: newVersion() };
    try {
      const content = await encryptVariable(this.secret, { programId, pipelineId, ...reference }, value);
      await this.files.storage.put(secretVariableKey(programId, pipelineId, reference), content);
    } catch (error) {
      throw error instanceof Failure ? new FairwayError('unavailable', error.message, error) : error;
    }
    return reference.version;
  }

  private change(programId: string, change: ChangeVariable): Promise<ProgramState> {
    return this.calls.update(programWorkflowId(programId), `program ${programId}`, 'changeVariable', change);
  }
}

type NewVariable = NonNullable<ChangeVariable['variable']>;
