import type { Actor } from './actor.ts';
import type { Validation } from './activities.ts';
import type { Artifact, StoredFile } from './artifacts.ts';
import type { DeciderRules } from './deciders.ts';
import type { DeploymentProgress } from './deployment.ts';
import type { Listener } from './events.ts';
import type { Metric } from './gates.ts';
import type { BuildImagesOutput } from './images.ts';
import type { MessageName } from './messages.ts';
import type {
  CodeScannerChoice,
  Environment,
  PerformanceGoals,
  Pipeline,
  Program,
  QualityGates,
  Timeouts,
} from './schema/definition.ts';
import type { ExecutionMode, PlannedStep, StepId, StepStatus } from './steps.ts';
import type { SecretReference } from './variables.ts';

/** One execution: what it was started with, and the whole of its state as the query `execution` answers it. */

export interface ExecutionInput {
  readonly executionId: string;
  readonly program: Pick<Program, 'id' | 'name' | 'type'>;
  /** As they were at the start: later changes of the definition do not reach a running execution. */
  readonly pipeline: Pipeline;
  /** Those that its pipeline names, by type. */
  readonly environments: Readonly<Partial<Record<Environment['type'], Environment>>>;
  /** What the pipeline names, where this execution builds another branch or tag. */
  readonly configuredBranch?: string;
  /** Id of the execution whose production deployment this one does again. */
  readonly reExecutes?: string;
  /** Their values lie in storage, encrypted; only the build gets them. */
  readonly secretVariables?: readonly SecretReference[];
  readonly timeouts: Timeouts;
  readonly performance: PerformanceGoals;
  /** What the program sets instead of Cloud Manager's gates. */
  readonly qualityGates: QualityGates;
  /** What analyses the code; the embedded analysers when absent. */
  readonly codeScanner?: CodeScannerChoice;
  /** Who is told what this execution does; absent when nobody is. */
  readonly webhooks?: readonly Listener[];
  /** Who may decide, where the program is stricter than usual. */
  readonly deciders?: DeciderRules;
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
  /** Files beside them: what was found, as CSV and SARIF; time series, and a picture of them. */
  findings?: readonly StoredFile[];
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

export type Trigger = 'MANUAL' | 'RE_EXECUTE';

export const triggerOf = (reExecutes: string | undefined): Trigger =>
  reExecutes === undefined ? 'MANUAL' : 'RE_EXECUTE';

export interface ExecutionState {
  readonly executionId: string;
  readonly programId: string;
  readonly programName: string;
  readonly pipelineId: string;
  readonly pipelineName: string;
  readonly pipelineType: Pipeline['type'];
  readonly type: Program['type'];
  readonly mode: ExecutionMode;
  readonly trigger: Trigger;
  readonly startedBy: Actor;
  /** What is built: the branch, or `refs/tags/<tag>`. */
  readonly branch: string;
  /** What the pipeline is configured with, where this execution builds something else. */
  readonly configuredBranch?: string;
  /** Id of the execution whose production deployment this one does again. */
  readonly reExecutes?: string;
  commit?: string;
  /** Of builds for stage and production; others are not versioned. */
  artifactsVersion?: string;
  status: ExecutionStatus;
  readonly createdAt: string;
  finishedAt?: string;
  steps: StepState[];
  waitingFor?: Waiting;
  scheduledFor?: { readonly at: string; readonly timeZone: string };
  warnings: Validation['warnings'];
  decisions: Decision[];
  artifacts: readonly Artifact[];
  /** What Build Images made of them, where the execution has that step. */
  images?: BuildImagesOutput;
  deployments: DeploymentProgress[];
  /** The last messages that changed nothing, and why. */
  ignoredMessages: IgnoredMessage[];
  failure?: { readonly step: StepId; readonly message: string };
}

export interface ExecutionIds {
  readonly programId: string;
  readonly pipelineId: string;
  readonly executionId: string;
}

/** Storage prefix of everything an execution keeps. */
export const executionKey = (ids: ExecutionIds): string =>
  `${ids.programId}/${ids.pipelineId}/${ids.executionId}`;

/** What that prefix says of the execution. */
export function idsOf(executionKey: string): ExecutionIds {
  const [programId = '', pipelineId = '', executionId = ''] = executionKey.split('/');
  return { programId, pipelineId, executionId };
}

/** Storage key of the record of an execution. */
export const recordKey = (executionKey: string): string => `${executionKey}/execution.json`;

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
