import type { DeploymentProgress } from '../model/deployment.ts';
import {
  deploymentWorkflowId,
  executionKey,
  executionWorkflowId,
  type ExecutionState,
  type StepState,
} from '../model/execution.ts';
import type { StepId } from '../model/steps.ts';
import { QUERY_MS, type Calls } from './calls.ts';
import { FairwayError, isUnanswerable } from './fairway-error.ts';
import type { Files } from './files.ts';
import { recordedExecutions } from './recorded-executions.ts';

/** Where an execution is found. Without `executionId`: the latest of its pipeline. */
export interface ExecutionAddress {
  readonly programId: string;
  readonly pipelineId: string;
  readonly executionId?: string;
}

export const nameOf = ({ programId, pipelineId, executionId }: ExecutionAddress): string =>
  `execution ${executionId ? `${executionId} ` : ''}of pipeline ${pipelineId} in program ${programId}`;

/** Storage key of a step's log, also before the step has begun. */
export const logKey = (address: Required<ExecutionAddress>, step: StepId): string =>
  `${executionKey(address)}/logs/${step}.log`;

/** Reads executions one by one. */
export class OneExecution {
  private readonly calls: Calls;
  private readonly files: Files;

  constructor(calls: Calls, files: Files) {
    this.calls = calls;
    this.files = files;
  }

  /** The record of a closed execution counts before what Temporal knows: it is there sooner, and stays. */
  async state(address: ExecutionAddress): Promise<ExecutionState> {
    const { executionId } = address;
    if (executionId !== undefined) {
      const record = await this.files.record({ ...address, executionId });
      if (record) return record;
    }
    const workflowId = executionWorkflowId(address.programId, address.pipelineId);
    try {
      const runId = await this.runId(workflowId, address);
      const state = await this.calls.query<ExecutionState>(workflowId, nameOf(address), 'execution', runId);
      return await this.withLiveDeployment(state);
    } catch (error) {
      const isGone = error instanceof FairwayError && error.kind === 'notFound';
      const latest =
        executionId === undefined &&
        (isGone || (isUnanswerable(error) && !(await this.running(address.programId, address.pipelineId))));
      const record = latest ? await this.latestRecord(address) : undefined;
      if (record) return record;
      throw error;
    }
  }

  /** The id of the execution of a pipeline that runs now, as the server knows it; undefined when none does. */
  async running(programId: string, pipelineId: string): Promise<string | undefined> {
    const handle = this.calls.temporal.workflow.getHandle(executionWorkflowId(programId, pipelineId));
    const what = nameOf({ programId, pipelineId });
    try {
      const { status, memo } = await this.calls.within(QUERY_MS, what, false, () => handle.describe());
      return status.name === 'RUNNING' ? String(memo?.['executionId']) : undefined;
    } catch (error) {
      if (error instanceof FairwayError && error.kind === 'notFound') return undefined;
      throw error;
    }
  }

  /** A step of an execution. @throws FairwayError `notFound` naming the steps that it has */
  async step(address: ExecutionAddress, id: StepId): Promise<StepState & { hasEnded: boolean }> {
    return stepIn(await this.state(address), id);
  }

  private async latestRecord({
    programId,
    pipelineId,
  }: ExecutionAddress): Promise<ExecutionState | undefined> {
    if (!this.files.isThere) return undefined;
    const [latest] = await recordedExecutions(this.files, [programId], { pipelineId }, { most: 1 });
    return latest && this.files.record(latest);
  }

  /** The run of an older execution; undefined for the latest, which the workflow id alone finds. */
  private async runId(workflowId: string, address: ExecutionAddress): Promise<string | undefined> {
    const { executionId } = address;
    if (executionId === undefined) return undefined;
    const { temporal } = this.calls;
    const what = nameOf(address);
    const latest = await this.calls.within(QUERY_MS, what, false, () =>
      temporal.workflow.getHandle(workflowId).describe(),
    );
    if (latest.memo?.['executionId'] === executionId) return latest.runId;
    const query = `WorkflowId = "${workflowId}" AND FairwayExecution = "${executionId.replaceAll(/[^0-9]/g, '')}"`;
    const found = await this.calls.within(QUERY_MS, what, false, async () => {
      for await (const { runId } of temporal.workflow.list({ query, pageSize: 1 })) return runId;
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
      const live = await this.calls.query<DeploymentProgress>(
        deploymentWorkflowId(state.programId, known.environmentId),
        'deployment',
        'deployment',
      );
      return { ...state, deployments: [...state.deployments.slice(0, -1), live] };
    } catch {
      return state; // it has just ended; the execution knows the same
    }
  }
}

/** A step of an execution, and whether its log may still grow. @throws FairwayError `notFound` naming the steps that it has */
export function stepIn(state: ExecutionState, id: StepId): StepState & { hasEnded: boolean } {
  const step = state.steps.find((known) => known.id === id);
  if (!step)
    throw new FairwayError(
      'notFound',
      `${nameOf(state)} has no step ${id}; it has ${state.steps.map((known) => known.id).join(', ')}`,
    );
  const open = ['NOT_STARTED', 'RUNNING', 'WAITING'].includes(step.status);
  return { ...step, hasEnded: !open || !['RUNNING', 'CANCELLING'].includes(state.status) };
}

/** How many deployments an execution has had before this step. */
const deploymentsBefore = ({ steps }: ExecutionState, id: string): number =>
  steps
    .slice(
      0,
      steps.findIndex((step) => step.id === id),
    )
    .filter(({ action }) => action === 'deploy').length;
