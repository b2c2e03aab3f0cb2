import type { AemArtifact, Artifact, DispatcherArtifact, StoredFile } from './artifacts.ts';
import type { Metric } from './gates.ts';
import type {
  Dispatcher,
  Environment,
  Instance,
  LoadBalancer,
  PerformanceGoals,
  Pipeline,
} from './schema/definition.ts';

/**
 * What workflows ask of the world. Every activity may run twice, die half-way or be cancelled at any line, and
 * reports trouble as one of `failureTypes`. `log` is the storage key of the step's log: one line or more is added.
 */

/** Where a node is: its agent listens on `nodeQueue(node)`. */
export interface NodeRef {
  readonly programId: string;
  readonly environmentId: string;
  readonly nodeId: string;
}

export const nodeQueue = ({ programId, environmentId, nodeId }: NodeRef): string =>
  `fairway-node-${programId}-${environmentId}-${nodeId}`;

/** Which deployment acts: `<programId>-<executionId>-<environmentId>-<run>`. Retries and restarts keep it. */
export type DeploymentId = string;

export interface TestOutcome {
  readonly metrics: readonly Metric[];
  /** Results in full, in storage. */
  readonly results: StoredFile;
}

export interface BuildInput {
  readonly programId: string;
  readonly programName: string;
  readonly pipeline: Pipeline;
  readonly executionId: string;
  /** Full commit hash that validation found the branch at. */
  readonly commit: string;
  /** `<year>.<monthday>.<time>.<10-digit execution id>` */
  readonly artifactsVersion: string;
  readonly log: string;
}

export interface BuildReports {
  readonly tests: { readonly run: number; readonly failed: number; readonly skipped: number };
  /** JaCoCo's counters summed over all modules; absent when no module has a report. */
  readonly coverage?: {
    readonly coveredLines: number;
    readonly lines: number;
    readonly coveredBranches: number;
    readonly branches: number;
  };
}

export interface BuildOutput {
  readonly artifacts: readonly Artifact[];
  readonly reports: BuildReports;
  /** `container (podman, <image>)` or `local process`. */
  readonly engine: string;
}

/** Task queue `fairway-build`. */
export interface BuildActivities {
  build(input: BuildInput): Promise<BuildOutput>;
}

export interface InstallInput {
  readonly deployment: DeploymentId;
  readonly instance: Instance;
  readonly artifact: AemArtifact;
  readonly log: string;
}

export interface Installed {
  /** `alreadyInstalled`: an earlier attempt of this very deployment had done it. */
  readonly how: 'installed' | 'alreadyInstalled';
  /** Seconds that upload, installation and settling took together. */
  readonly seconds: number;
}

export interface LoadBalancerInput {
  readonly loadBalancer: LoadBalancer;
  readonly dispatcher: Dispatcher;
  /** What a healthy dispatcher answers. */
  readonly probe: Environment['probe'];
  readonly log: string;
}

/** Task queue `fairway`. */
export interface Activities {
  /** Everything that is wrong, at once; nothing is changed. */
  validate(input: ValidateInput): Promise<Validation>;
  codeQuality(input: { executionKey: string; reports: BuildReports; log: string }): Promise<TestOutcome>;
  securityTest(input: { executionKey: string; environment: Environment; log: string }): Promise<TestOutcome>;
  loadTest(input: {
    executionKey: string;
    environment: Environment;
    goals: PerformanceGoals;
    log: string;
  }): Promise<TestOutcome>;

  /** What would go wrong on an instance: credentials, dependencies, health. Changes nothing. */
  preflightInstance(input: {
    instance: Instance;
    artifacts: readonly AemArtifact[];
    log: string;
  }): Promise<readonly string[]>;
  /** Uploads, installs and waits until the instance has settled with the package's content. */
  installPackage(input: InstallInput): Promise<Installed>;

  /** Problems that would keep the load balancer from taking these dispatchers out and in again. Changes nothing. */
  preflightLoadBalancer(input: {
    loadBalancer: LoadBalancer;
    dispatchers: readonly Dispatcher[];
  }): Promise<readonly string[]>;
  /** Which of these dispatchers are not in full service now. */
  outOfService(input: {
    loadBalancer: LoadBalancer;
    dispatchers: readonly Dispatcher[];
  }): Promise<readonly string[]>;
  /**
   * No new visitors, then no visitors at all: drain, maintenance, wait for sessions. `at`: when maintenance was
   * confirmed. Cancelled half-way the dispatcher may be out: attach it.
   */
  detachDispatcher(input: LoadBalancerInput): Promise<{ readonly at: string }>;
  /**
   * Probes the dispatcher itself until it answers well, then returns it to service and waits until it is fully up.
   * `at`: just before the load balancer was told; visitors may come from then on.
   */
  attachDispatcher(
    input: LoadBalancerInput & { readonly whateverItAnswers?: boolean },
  ): Promise<{ readonly at: string }>;
  /** One question to the dispatcher for the probe page, through to its publish instance. */
  probeDispatcher(input: { dispatcher: Dispatcher; probe: Environment['probe'] }): Promise<{
    readonly good: boolean;
    readonly answer: string;
  }>;

  /** Writes `execution.json`, the record that outlives Temporal's retention. */
  recordExecution(input: { executionKey: string; state: unknown }): Promise<StoredFile>;
}

/** Task queue `fairway-waits`: long polls, which would otherwise take the slots of other work. */
export interface WaitActivities {
  /** Returns once the workflow of that id is closed or unknown. */
  untilClosed(workflowId: string): Promise<void>;
  /** Asks the server to cancel a workflow; one that is closed already is no error. */
  requestCancellation(workflowId: string, runId: string): Promise<void>;
  /** What a running workflow says of itself in one line; undefined when none of that id runs. */
  describeRunning(workflowId: string): Promise<string | undefined>;
}

export interface ConfigurationInput {
  readonly node: NodeRef;
  readonly deployment: DeploymentId;
  readonly artifact: DispatcherArtifact;
  readonly log: string;
}

export interface FlushInput {
  readonly node: NodeRef;
  readonly flush: readonly string[];
  readonly invalidate: readonly string[];
  readonly log: string;
}

export interface PathFlushed {
  readonly path: string;
  readonly action: 'flush' | 'invalidate';
  readonly ok: boolean;
  /** The dispatcher's status and words. */
  readonly answer: string;
  /** There was no answer at all. */
  readonly unanswered?: boolean;
}

export type ConfigurationState =
  /** As it was before this deployment. */
  | 'old'
  /** The package's files are in place and serving. */
  | 'new'
  /** Neither could be established; the node must not serve until it is repaired. */
  | 'inconsistent';

/** Task queue of one node: done by the agent on the dispatcher host. Refused when `node` names another one. */
export interface NodeActivities {
  /** An answer shows that the agent listens; problems found on the host: free space, httpd not running, rights. */
  checkAgent(input: { node: NodeRef }): Promise<readonly string[]>;
  /** Tests the package in a staged copy of the configuration: full file set, Apache's config test. Changes nothing live. */
  preflightConfiguration(input: ConfigurationInput): Promise<void>;
  backUpConfiguration(input: ConfigurationInput): Promise<void>;
  /** All configuration but the immutable files makes way for the package's. */
  replaceConfiguration(input: ConfigurationInput): Promise<{
    readonly written: number;
    readonly removed: number;
    /** Immutable files that the package changes: ignored. */
    readonly ignored: readonly string[];
  }>;
  testConfiguration(input: ConfigurationInput): Promise<void>;
  /** Graceful reload, then waits until the dispatcher answers its baseline URL under the new configuration. */
  reloadHttpd(input: ConfigurationInput): Promise<void>;
  /** Puts the backup back, tests, reloads. Without a backup of this deployment nothing was changed: `old`. */
  restoreConfiguration(input: Omit<ConfigurationInput, 'artifact'>): Promise<ConfigurationState>;
  /** Makes good what an earlier deployment or a dead agent left half done; says what it found and did. */
  reconcileConfiguration(input: { node: NodeRef; log: string }): Promise<{
    readonly state: ConfigurationState;
    readonly done: readonly string[];
  }>;
  flushPaths(input: FlushInput): Promise<readonly PathFlushed[]>;
}

export interface Problem {
  /** What it concerns: `branch release`, `environment 12 publish1`. */
  readonly thing: string;
  readonly problem: string;
  readonly remedy: string;
  /** Infrastructure that does not answer, rather than something that is wrong. */
  readonly unavailable?: boolean;
}

export interface ValidateInput {
  readonly programId: string;
  readonly pipeline: Pipeline;
  readonly environments: readonly Environment[];
  readonly log: string;
}

export interface Validation {
  readonly problems: readonly Problem[];
  /** Facts that a person should know before approving, such as an outage for want of redundancy. */
  readonly warnings: readonly string[];
  /** What the branch points at; absent when it does not exist. */
  readonly commit?: string;
}
