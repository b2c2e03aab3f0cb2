import { randomUUID } from 'node:crypto';
import { Client, Connection, WithStartWorkflowOperation } from '@temporalio/client';
import type { Actor } from '../model/actor.ts';
import type { DeploymentProgress } from '../model/deployment.ts';
import {
  deploymentWorkflowId,
  executionWorkflowId,
  programWorkflowId,
  type ExecutionState,
} from '../model/execution.ts';
import type { MessageName, Messages } from '../model/messages.ts';
import type { Apply, ProgramState, SetEmergency, Start, Started } from '../model/program.ts';
import { programSchema } from '../model/schema/definition.ts';
import type { ExecutionMode } from '../model/steps.ts';
import { FairwayError, translated } from './fairway-error.ts';

const QUERY_MS = 5_000;
const UPDATE_MS = 10_000;
/** The server admits ten updates of one program at a time: a burst of starts is served in turns. */
const START_MS = 30_000;
const WORKFLOWS = 'fairway';

/** Where an execution is found. Without `executionId`: the latest of its pipeline. */
export interface ExecutionAddress {
  readonly programId: string;
  readonly pipelineId: string;
  readonly executionId?: string;
}

/** What a decision says besides whom it is meant for. */
export type Body<N extends MessageName> = Omit<Messages[N], 'executionId'>;

/**
 * Everything a program can ask of Fairway, over a Temporal client. Each call has a deadline and throws `FairwayError`
 * when it was not done.
 */
export class FairwayClient {
  readonly temporal: Client;

  constructor(temporal: Client) {
    this.temporal = temporal;
  }

  /** @throws FairwayError `unavailable` naming the address. */
  static async connect(options: { address: string; namespace?: string }): Promise<FairwayClient> {
    try {
      const connection = await Connection.connect({ address: options.address, connectTimeout: QUERY_MS });
      return new FairwayClient(new Client({ connection, namespace: options.namespace }));
    } catch (error) {
      throw new FairwayError(
        'unavailable',
        `no Temporal Service answers at ${options.address}: start one, or name another address`,
        error,
      );
    }
  }

  async close(): Promise<void> {
    await this.temporal.connection.close();
  }

  /** The state of a program; undefined when none of that id was ever applied. */
  async program(programId: string): Promise<ProgramState | undefined> {
    const handle = this.temporal.workflow.getHandle(programWorkflowId(programId));
    try {
      const state = await this.within(QUERY_MS, `program ${programId}`, false, () =>
        handle.query<ProgramState>('program'),
      );
      return state.definition ? state : undefined;
    } catch (error) {
      if (error instanceof FairwayError && error.kind === 'notFound') return undefined;
      throw error;
    }
  }

  /**
   * Makes a definition the program's, if nobody else changed it since `expectedRevision`; applying the same again
   * changes nothing.
   * @throws FairwayError `refused` with every problem of the definition, or when somebody was faster.
   */
  async apply(definition: unknown, expectedRevision: number, by: Actor): Promise<ProgramState> {
    const parsed = programSchema.safeParse(definition);
    if (!parsed.success)
      throw new FairwayError(
        'refused',
        parsed.error.issues
          .map(({ path, message }) => `${path.join('.') || 'definition'}: ${message}`)
          .join('\n'),
      );
    const { id } = parsed.data;
    const startWorkflowOperation = new WithStartWorkflowOperation<() => Promise<void>>('program', {
      workflowId: programWorkflowId(id),
      taskQueue: WORKFLOWS,
      args: [],
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: `Program ${id}: ${parsed.data.name}`,
    });
    return this.within(UPDATE_MS, `program ${id}`, true, () =>
      this.temporal.workflow.executeUpdateWithStart<() => Promise<void>, ProgramState, [Apply]>('apply', {
        startWorkflowOperation,
        args: [{ definition: parsed.data, expectedRevision, by }],
        updateId: randomUUID(),
      }),
    );
  }

  /** Activates or deactivates emergency mode for a program. */
  async setEmergency(programId: string, activated: boolean, by: Actor): Promise<ProgramState> {
    return this.update<ProgramState, SetEmergency>(
      programWorkflowId(programId),
      `program ${programId}`,
      'setEmergency',
      {
        activated,
        by,
      },
    );
  }

  /** Starts an execution. @throws FairwayError `refused` when it may not start, or one is running. */
  async start(programId: string, pipelineId: string, mode: ExecutionMode, by: Actor): Promise<Started> {
    return this.update<Started, Start>(
      programWorkflowId(programId),
      `program ${programId}`,
      'start',
      {
        pipelineId,
        mode,
        by,
      },
      START_MS,
    );
  }

  /** The whole state of an execution, with the newest progress of a deployment that runs now. */
  async execution(address: ExecutionAddress): Promise<ExecutionState> {
    const { programId, pipelineId } = address;
    const handle = this.temporal.workflow.getHandle(
      executionWorkflowId(programId, pipelineId),
      await this.runId(address),
    );
    const state = await this.within(QUERY_MS, nameOf(address), false, () =>
      handle.query<ExecutionState>('execution'),
    );
    return this.withLiveDeployment(state);
  }

  /**
   * Sends a decision to the running execution of a pipeline. As an update it is answered at once, with a refusal if it
   * cannot be taken; as a signal it needs no worker, and a refusal shows only in the execution's state.
   */
  async send<N extends MessageName>(
    name: N,
    address: Required<ExecutionAddress>,
    body: Body<N>,
    how: 'update' | 'signal' = 'update',
  ): Promise<string> {
    const workflowId = executionWorkflowId(address.programId, address.pipelineId);
    const message = { ...body, executionId: address.executionId };
    if (how === 'update')
      return (await this.update<{ accepted: string }, object>(workflowId, nameOf(address), name, message))
        .accepted;
    await this.within(UPDATE_MS, nameOf(address), true, () =>
      this.temporal.workflow.getHandle(workflowId).signal(name, message),
    );
    return 'sent';
  }

  private async update<R, A>(
    workflowId: string,
    what: string,
    name: string,
    argument: A,
    limitMs = UPDATE_MS,
  ): Promise<R> {
    const handle = this.temporal.workflow.getHandle(workflowId);
    return this.within(limitMs, what, true, () =>
      handle.executeUpdate<R, [A]>(name, { args: [argument], updateId: randomUUID() }),
    );
  }

  private async within<T>(ms: number, what: string, changes: boolean, call: () => Promise<T>): Promise<T> {
    try {
      return await this.temporal.connection.withDeadline(Date.now() + ms, call);
    } catch (error) {
      throw translated(error, what, changes);
    }
  }

  /** The run of an older execution; undefined for the latest, which the workflow id alone finds. */
  private async runId({ programId, pipelineId, executionId }: ExecutionAddress): Promise<string | undefined> {
    if (executionId === undefined) return undefined;
    const workflowId = executionWorkflowId(programId, pipelineId);
    const what = nameOf({ programId, pipelineId, executionId });
    const latest = await this.within(QUERY_MS, what, false, () =>
      this.temporal.workflow.getHandle(workflowId).describe(),
    );
    if (latest.memo?.['executionId'] === executionId) return latest.runId;
    const query = `WorkflowId = "${workflowId}" AND FairwayExecution = "${executionId.replaceAll(/[^0-9]/g, '')}"`;
    const found = await this.within(QUERY_MS, what, false, async () => {
      for await (const { runId } of this.temporal.workflow.list({ query, pageSize: 1 })) return runId;
      return undefined;
    });
    if (found) return found;
    throw new FairwayError('notFound', `there is no ${what}`);
  }

  private async withLiveDeployment(state: ExecutionState): Promise<ExecutionState> {
    const deploying = state.steps.find(({ action, status }) => action === 'deploy' && status === 'RUNNING');
    // Until the deployment has told the execution of itself, the last one known is that of another environment.
    const known = state.deployments.at(-1);
    if (!deploying || !known || state.deployments.length < deploymentsBefore(state, deploying.id) + 1)
      return state;
    try {
      const handle = this.temporal.workflow.getHandle(
        deploymentWorkflowId(state.programId, known.environmentId),
      );
      const live = await this.within(QUERY_MS, 'deployment', false, () =>
        handle.query<DeploymentProgress>('deployment'),
      );
      return { ...state, deployments: [...state.deployments.slice(0, -1), live] };
    } catch {
      return state; // it has just ended; the execution knows the same
    }
  }
}

/** How many deployments an execution has had before this step. */
const deploymentsBefore = ({ steps }: ExecutionState, id: string): number =>
  steps
    .slice(
      0,
      steps.findIndex((step) => step.id === id),
    )
    .filter(({ action }) => action === 'deploy').length;

const nameOf = ({ programId, pipelineId, executionId }: ExecutionAddress): string =>
  `execution ${executionId ? `${executionId} ` : ''}of pipeline ${pipelineId} in program ${programId}`;
