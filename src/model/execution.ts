import type { Actor } from './actor.ts';
import type { Validation } from './activities.ts';
import type { Artifact, StoredFile } from './artifacts.ts';
import type { DeploymentProgress } from './deployment.ts';
import type { Metric } from './gates.ts';
import type { MessageName } from './messages.ts';
import type { Environment, PerformanceGoals, Pipeline, Program, Timeouts } from './schema/definition.ts';
import type { ExecutionMode, PlannedStep, StepId, StepStatus } from './steps.ts';

/** One execution: what it was started with, and the whole of its state as the query `execution` answers it. */

export interface ExecutionInput {
  readonly executionId: string;
  readonly program: Pick<Program, 'id' | 'name' | 'type'>;
  /** As they were at the start: later changes of the definition do not reach a running execution. */
  readonly pipeline: Pipeline;
  readonly stage: Environment;
  readonly production: Environment;
  readonly timeouts: Timeouts;
  readonly performance: PerformanceGoals;
  readonly mode: ExecutionMode;
  readonly startedBy: Actor;
}

export type ExecutionStatus = 'RUNNING' | 'CANCELLING' | 'CANCELLED' | 'FINISHED' | 'FAILED' | 'ERROR';

export interface StepState extends PlannedStep {
  status: StepStatus;
  startedAt?: string;
  finishedAt?: string;
  /** One line for people: a result, a reason, what is waited for. */
  details?: string;
  /** Storage key of the step's log. */
  log?: string;
  /** Results in full, in storage. */
  results?: StoredFile;
  metrics?: readonly Metric[];
}

export interface Waiting {
  readonly step: StepId;
  /** What a person is asked. */
  readonly question: string;
  readonly since: string;
  readonly until: string;
}

export interface Decision {
  readonly step: StepId | 'execution';
  readonly by: Actor;
  readonly at: string;
  /** What was decided, for people: `approved`, `scheduled for ...`. */
  readonly what: string;
  readonly comment?: string;
}

export interface IgnoredMessage {
  readonly message: MessageName;
  readonly at: string;
  readonly reason: string;
}

export interface ExecutionState {
  readonly executionId: string;
  readonly programId: string;
  readonly programName: string;
  readonly pipelineId: string;
  readonly pipelineName: string;
  readonly type: Program['type'];
  readonly mode: ExecutionMode;
  readonly trigger: 'MANUAL';
  readonly startedBy: Actor;
  readonly branch: string;
  commit?: string;
  artifactsVersion: string;
  status: ExecutionStatus;
  readonly createdAt: string;
  finishedAt?: string;
  steps: StepState[];
  waitingFor?: Waiting;
  scheduledFor?: { readonly at: string; readonly timeZone: string };
  warnings: Validation['warnings'];
  decisions: Decision[];
  artifacts: readonly Artifact[];
  deployments: DeploymentProgress[];
  /** The last messages that changed nothing, and why. */
  ignoredMessages: IgnoredMessage[];
  failure?: { readonly step: StepId; readonly message: string };
}

/** Storage prefix of everything an execution keeps. */
export const executionKey = (ids: {
  readonly programId: string;
  readonly pipelineId: string;
  readonly executionId: string;
}): string => `${ids.programId}/${ids.pipelineId}/${ids.executionId}`;

export const executionWorkflowId = (programId: string, pipelineId: string): string =>
  `pipeline-${programId}-${pipelineId}`;
export const programWorkflowId = (programId: string): string => `program-${programId}`;
export const leaseWorkflowId = (programId: string, environmentId: string): string =>
  `environment-${programId}-${environmentId}`;
export const deploymentWorkflowId = (programId: string, environmentId: string): string =>
  `${leaseWorkflowId(programId, environmentId)}-deployment`;

const two = (n: number) => String(n).padStart(2, '0');

/**
 * `<year>.<month and day>.<time>.<execution id>`, in UTC: the version that Cloud Manager gives the artifacts of a
 * stage or production build, `2019.523.134947.0000006554`.
 */
export function artifactsVersion(at: Date, executionId: string): string {
  const day = `${at.getUTCMonth() + 1}${two(at.getUTCDate())}`;
  const time = `${two(at.getUTCHours())}${two(at.getUTCMinutes())}${two(at.getUTCSeconds())}`;
  return `${at.getUTCFullYear()}.${day}.${time}.${executionId}`;
}
