import type { Actor } from '../model/actor.ts';
import type { StoredFile } from '../model/artifacts.ts';
import type { ExecutionState } from '../model/execution.ts';
import type { MessageName } from '../model/messages.ts';
import type { ProgramState, Start } from '../model/program.ts';
import type { Program } from '../model/schema/definition.ts';
import type { StepId } from '../model/steps.ts';
import type { ExecutionSummary } from '../model/summary.ts';
import type { ListedWebhook, Replayed } from './event-deliveries.ts';
import type { ExecutionFilter, ExecutionPage } from './executions.ts';
import type { Body, ExecutionAddress } from './fairway-client.ts';
import type { LeftFile } from './files.ts';
import type { LogPiece, StepResults } from './read-files.ts';
import type { Named } from './resolve.ts';
import type { ListedVariable, SetVariable } from './variables.ts';
import type { WaitingExecution } from './waiting.ts';

/** Whether executions may be started in emergency mode; the API does not tell who has said so, and when. */
export type Emergency = Pick<NonNullable<ProgramState['emergency']>, 'activated'> &
  Partial<NonNullable<ProgramState['emergency']>>;

/** A program that has a definition. */
export interface KnownProgram {
  readonly definition: Program;
  readonly revision: number;
  readonly emergency?: Emergency;
}

type InPipeline = { readonly program: Named; readonly thing: Named };

/**
 * What can be asked of Fairway through its HTTP API as well as of Temporal itself. Over the API the subject of the token
 * acts, whatever `by` says. What each call means, and its errors: `FairwayClient`.
 */
export interface FairwayAccess {
  programs(): Promise<readonly KnownProgram[]>;
  program(programId: string): Promise<KnownProgram | undefined>;
  apply(definition: unknown, expectedRevision: number, by: Actor): Promise<Pick<ProgramState, 'revision'>>;
  deleteProgram(programId: string, by: Actor): Promise<void>;
  deletePipeline(programId: string, pipelineId: string, by: Actor): Promise<unknown>;
  deleteEnvironment(programId: string, environmentId: string, by: Actor): Promise<unknown>;
  setEmergency(programId: string, activated: boolean, by: Actor): Promise<{ readonly emergency?: Emergency }>;

  findProgram(nameOrId: string): Promise<{ readonly definition: Named }>;
  findPipeline(nameOrId: string, programId?: string): Promise<InPipeline>;
  findEnvironment(nameOrId: string, programId?: string): Promise<InPipeline>;
  findExecution(
    id: string | undefined,
    filter?: Pick<ExecutionFilter, 'programId' | 'pipelineId' | 'waitingFor'>,
  ): Promise<ExecutionSummary>;

  variables(programId: string, pipelineId: string): Promise<readonly ListedVariable[]>;
  setVariable(variable: SetVariable): Promise<void>;
  deleteVariable(variable: Pick<SetVariable, 'programId' | 'pipelineId' | 'name' | 'by'>): Promise<void>;

  webhooks(programId: string): Promise<readonly ListedWebhook[]>;
  replayEvents(
    programId: string,
    filter?: { readonly webhookId?: string; readonly since?: string },
  ): Promise<readonly Replayed[]>;

  executions(
    options?: ExecutionFilter & { readonly limit?: number; readonly after?: string },
  ): Promise<ExecutionPage>;
  execution(address: ExecutionAddress): Promise<ExecutionState>;
  waiting(filter?: Pick<ExecutionFilter, 'programId' | 'pipelineId'>): Promise<readonly WaitingExecution[]>;
  start(
    start: Start & { readonly programId: string },
  ): Promise<{ readonly executionId: string; readonly workflowId?: string; readonly runId?: string }>;
  /** @returns what was accepted, for people */
  send<N extends MessageName>(
    name: N,
    address: Required<ExecutionAddress>,
    body: Body<N>,
    how?: 'update' | 'signal',
  ): Promise<string>;

  log(address: Required<ExecutionAddress>, step: StepId, fromOffset?: number): Promise<LogPiece>;
  results(address: Required<ExecutionAddress>, step: StepId): Promise<StepResults>;
  leftFiles(address: Required<ExecutionAddress>): Promise<readonly LeftFile[]>;
  download(left: { readonly file: StoredFile }, path: string): Promise<void>;
  close(): Promise<void>;
}
