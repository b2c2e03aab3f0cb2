import type { ExecutionState } from '../model/execution.ts';
import type { MessageName } from '../model/messages.ts';
import type { Start } from '../model/program.ts';
import type { ExecutionSummary } from '../model/summary.ts';
import type { ExecutionFilter, ExecutionPage } from './executions.ts';
import type { Body, ExecutionAddress } from './fairway-client.ts';
import type { Named } from './resolve.ts';

/** What can be asked of Fairway through its HTTP API as well as of Temporal itself: starting, looking, deciding. */
export interface ExecutionsClient {
  findProgram(nameOrId: string): Promise<{ readonly definition: Named }>;
  findPipeline(
    nameOrId: string,
    programId?: string,
  ): Promise<{ readonly program: Named; readonly thing: Named }>;
  findExecution(
    id: string | undefined,
    filter?: Pick<ExecutionFilter, 'programId' | 'pipelineId' | 'waitingFor'>,
  ): Promise<ExecutionSummary>;
  executions(
    options?: ExecutionFilter & { readonly limit?: number; readonly after?: string },
  ): Promise<ExecutionPage>;
  execution(address: ExecutionAddress): Promise<ExecutionState>;
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
  close(): Promise<void>;
}
