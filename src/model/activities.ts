import type { Announcement, Delivery, Listener } from './events.ts';
import type { AemArtifact, Artifact, DispatcherArtifact, StoredFile } from './artifacts.ts';
import type { ExecutionState } from './execution.ts';
import type { BuildImagesInput, BuildImagesOutput } from './images.ts';
import type { FailureType } from './failures.ts';
import type { Metric } from './gates.ts';
import type { PerformanceVariables } from './performance-variables.ts';
import type { ReExecuted } from './re-execution.ts';
import type {
  CodeScannerChoice,
  Dispatcher,
  Environment,
  Flavour,
  Instance,
  LoadBalancer,
  PerformanceGoals,
  Pipeline,
  QualityGates,
  SonarqubeServer,
} from './schema/definition.ts';
import type { Kubernetes } from './schema/kubernetes.ts';
import type { SecretReference } from './variables.ts';

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

export interface TestInput {
  readonly executionKey: string;
  /** What the program sets instead of Cloud Manager's gates. */
  readonly gates: QualityGates;
  readonly log: string;
}

export interface LoadTestInput extends TestInput {
  readonly environment: Environment;
  readonly goals: PerformanceGoals;
  readonly variables: PerformanceVariables;
}

export interface TestOutcome {
  readonly metrics: readonly Metric[];
  /** Results in full, in storage. */
  readonly results: StoredFile;
  /** Files beside them: what was found, as CSV and SARIF; time series, and a picture of them. */
  readonly findings?: readonly StoredFile[];
  /** Why something could not be measured, for people. */
  readonly problems?: readonly string[];
}

export interface BuildInput {
  readonly programId: string;
  readonly programName: string;
  readonly flavour: Flavour;
  readonly pipeline: Pipeline;
  readonly executionId: string;
  /** Full commit hash that validation found the branch at. */
  readonly commit: string;
  /** `<year>.<monthday>.<time>.<10-digit execution id>`; absent: the build is not versioned. */
  readonly artifactsVersion?: string;
  readonly secretVariables?: readonly SecretReference[];
  readonly log: string;
}

export interface BuildReports {
  readonly tests: { readonly run: number; readonly failed: number; readonly skipped: number };
}

export interface BuildOutput {
  readonly artifacts: readonly Artifact[];
  readonly reports: BuildReports;
  /** What code scanning needs of the built project, in storage; absent when it holds no Java code. */
  readonly code?: StoredFile;
  /** `container (podman, <image>)` or `local process`. */
  readonly engine: string;
}

export interface CopyArtifactsInput {
  /** Storage prefixes of the two executions. */
  readonly from: string;
  readonly to: string;
  readonly artifacts: readonly Artifact[];
  readonly log: string;
}

export interface CodeQualityInput extends TestInput {
  readonly flavour: Flavour;
  /** What analyses; the embedded analysers when absent. */
  readonly scanner?: CodeScannerChoice;
  /** Names for people, where an engine shows them. */
  readonly names: { readonly program: string; readonly pipeline: string };
  readonly reports: BuildReports;
  readonly code?: StoredFile;
  readonly artifacts: readonly Artifact[];
}

/** What tests of a deployed environment came to. The step fails unless they passed; nobody can override it. */
export interface FunctionalTestOutcome {
  readonly passed: boolean;
  /** In one line: `passed: 5 tests, 1 skipped`, `2 of 5 tests failed: ...`, or why they could not be judged. */
  readonly result: string;
  readonly tests: { readonly run: number; readonly failed: number; readonly skipped: number };
  /** The first of the tests that failed. */
  readonly failures: readonly { readonly name: string; readonly message: string }[];
  /** JUnit XML, in storage; absent when there was nothing to run. */
  readonly report?: StoredFile;
}

export interface FunctionalTestInput {
  readonly executionKey: string;
  /** Where the packages were deployed. */
  readonly environment: Environment;
  /** What the build produced. */
  readonly artifacts: readonly Artifact[];
  readonly log: string;
}

export interface ProductTestInput extends FunctionalTestInput {
  /** One address stands for several nodes, as on a cluster: what a single one has in its cache is not tested. */
  readonly balanced?: boolean;
}

/** Task queue `fairway-build`. */
export interface BuildActivities {
  /** What keeps a server from analysing code; nothing is changed on it. */
  checkCodeScanner(input: { scanner: SonarqubeServer; log: string }): Promise<readonly Problem[]>;
  build(input: BuildInput): Promise<BuildOutput>;
  /** Analyses what a build produced, and holds it against the gate of code scanning. */
  codeQuality(input: CodeQualityInput): Promise<TestOutcome>;
  /** Custom Functional Testing: runs the test JAR of the build against an environment. Without one it has passed. */
  functionalTest(input: FunctionalTestInput): Promise<FunctionalTestOutcome>;
  /**
   * Custom UI Testing: builds an image of the UI tests of the build and runs it against an environment. Without tests, or
   * where nobody has opted in, it has passed.
   */
  uiTest(input: FunctionalTestInput): Promise<FunctionalTestOutcome>;
}

/** Task queue `fairway-build`. */
export interface ImageActivities {
  /**
   * Makes images of what a build produced, and the Kubernetes configuration that runs them; all of it goes to storage.
   * The dispatcher's configuration is tested before anything is built.
   */
  buildImages(input: BuildImagesInput): Promise<BuildImagesOutput>;
  /** What keeps images from their registry, where clusters look for them; nothing is pushed. */
  checkRegistry(input: { executionKey: string; log: string }): Promise<readonly Problem[]>;
}

/** A deployment to a cluster goes in two parts: dispatchers follow when what they render from is there. */
export type ClusterPart = 'aem' | 'dispatcher';

export interface KubernetesInput {
  readonly cluster: Kubernetes;
  /** What Build Images made for the environment. */
  readonly configuration: BuildImagesOutput['kubernetes'][number];
  /** Where what runs before the deployment is kept: one per deployment, the same for every attempt. */
  readonly keep: string;
  readonly log: string;
}

/**
 * Task queue `fairway`. A deployment to a cluster: apply, wait for the rollout; whatever fails or is cancelled after
 * `applyKubernetes` was called, undo it.
 */
export interface KubernetesActivities {
  /**
   * Has the cluster try all of the configuration out, keeps what runs now, then applies that part. Again, it applies
   * the same.
   */
  applyKubernetes(input: KubernetesInput & { part: ClusterPart }): Promise<{ readonly applied: number }>;
  /** Waits until that part runs as applied; fails as `NotReady` when the cluster's time is over. */
  waitForRollout(input: KubernetesInput & { part: ClusterPart }): Promise<void>;
  /**
   * Applies what ran before and waits until it does. `none`: nothing of it ran before, and what was applied is still
   * there. `unchanged`: nothing had been applied.
   */
  undoRollout(input: KubernetesInput): Promise<{ readonly serving: 'before' | 'none' | 'unchanged' }>;
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

export interface EnvironmentQuestions {
  readonly instances: readonly Instance[];
  /** What is to be installed on each of them; of none, only whether they are well. */
  readonly artifacts: readonly AemArtifact[];
  /** Absent when it is not used. */
  readonly loadBalancer?: LoadBalancer;
  readonly dispatchers: readonly Dispatcher[];
  readonly log: string;
}

/** Something that keeps a deployment from beginning. */
export interface Trouble {
  /** The node, or `load balancer`. */
  readonly thing: string;
  readonly type: FailureType;
  readonly message: string;
}

export interface EnvironmentAnswers {
  readonly troubles: readonly Trouble[];
  /** The dispatchers that are not in full service now; absent when the load balancer was not asked or did not answer. */
  readonly out?: readonly string[];
}

/** Task queue `fairway`. */
export interface Activities {
  /** Everything that is wrong, at once; nothing is changed. */
  validate(input: ValidateInput): Promise<Validation>;
  /** Copies what an earlier execution built to a re-execution of it; nothing is built. */
  copyArtifacts(input: CopyArtifactsInput): Promise<readonly Artifact[]>;
  securityTest(input: TestInput & { environment: Environment }): Promise<TestOutcome>;
  loadTest(input: LoadTestInput): Promise<TestOutcome>;
  /** Leaves nothing on the author, however it ends. */
  assetsTest(input: LoadTestInput): Promise<TestOutcome>;
  /**
   * Product Functional Testing: uses a deployed environment as authors and visitors do, with a page of its own. Leaves
   * nothing behind, however it ends.
   */
  productFunctionalTest(input: ProductTestInput): Promise<FunctionalTestOutcome>;

  /**
   * Everything about an environment that can be asked from here before it is deployed to: what would go wrong on its
   * instances, what would keep the load balancer from being used, what is out of service. Changes nothing.
   */
  preflightEnvironment(input: EnvironmentQuestions): Promise<EnvironmentAnswers>;
  /** Uploads, installs and waits until the instance has settled with the package's content. */
  installPackage(input: InstallInput): Promise<Installed>;

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

  /** Ends this run of a lease, at once; one that has ended already is no error. */
  endLease(workflowId: string, runId: string): Promise<void>;

  /** Writes `execution.json`, the record that outlives Temporal's retention, and its entry in the program's index. */
  recordExecution(input: { executionKey: string; state: ExecutionState }): Promise<StoredFile>;

  /** Keeps what a report says of the tests before it, as the results of its own step. */
  keepReport(input: ReportInput): Promise<StoredFile>;
}

export interface ReportInput {
  readonly executionKey: string;
  readonly step: 'reportPerformanceTest';
  readonly metrics: readonly Metric[];
  readonly problems: readonly string[];
  /** The results of each test. */
  readonly tests: readonly StoredFile[];
}

/** Task queue `fairway-waits`: long polls, which would otherwise take the slots of other work. */
export interface WaitActivities {
  /** Returns once the workflow of that id is closed or unknown. */
  untilClosed(workflowId: string): Promise<void>;
  /**
   * Whether an execution is over, though its workflow may run on for its record: then returns when that is closed, or gives
   * it up after ten seconds.
   */
  letsGo(workflowId: string): Promise<boolean>;
  /** Asks the server to cancel a workflow; one that is closed already is no error. */
  requestCancellation(workflowId: string, runId: string): Promise<void>;
  /** What a running workflow says of itself in one line; undefined when none of that id runs. */
  describeRunning(workflowId: string): Promise<string | undefined>;
}

export interface AnnounceInput {
  readonly listeners: readonly Listener[];
  readonly announcements: readonly Announcement[];
}

export interface DeliverInput extends Delivery {
  readonly announcement: Announcement;
}

export interface AnnounceActivities {
  /** Hands each announcement to the deliveries of those who want it; repeated, it changes nothing. */
  announce(input: AnnounceInput): Promise<void>;
}

export interface DeliveryActivities {
  /** Sends it to its webhook, as the program defines that now. */
  deliverEvent(input: DeliverInput): Promise<void>;
}

export interface ConfigurationInput {
  readonly node: NodeRef;
  readonly deployment: DeploymentId;
  readonly artifact: DispatcherArtifact;
  readonly log: string;
}

export interface PreparationInput {
  readonly node: NodeRef;
  /** What is to replace the configuration; absent when nothing is. */
  readonly replacement?: Pick<ConfigurationInput, 'deployment' | 'artifact'>;
  readonly log: string;
}

export interface Prepared {
  readonly state: ConfigurationState;
  /** What was made good, in words. */
  readonly done: readonly string[];
  /** Why the package cannot be deployed. */
  readonly trouble?: Omit<Trouble, 'thing'>;
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
  /**
   * Makes good what an earlier deployment or a dead agent left half done and says what it did; then tests what is to
   * replace the configuration in a staged copy: full file set, Apache's config test. What is live stays the old one.
   */
  prepareConfiguration(input: PreparationInput): Promise<Prepared>;
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
  /** What decides about the performance of stage, where the execution tests it. */
  readonly performance?: {
    /** What the program sets instead of Cloud Manager's gates. */
    readonly gates: QualityGates;
    readonly goals: PerformanceGoals;
    readonly variables: PerformanceVariables;
  };
  /** Storage prefix of the execution whose production deployment is done again: then nothing is built. */
  readonly reExecutes?: string;
  readonly log: string;
}

export interface Validation {
  readonly problems: readonly Problem[];
  /** Facts that a person should know before approving, such as an outage for want of redundancy. */
  readonly warnings: readonly string[];
  /** What the branch points at; absent when it does not exist. */
  readonly commit?: string;
  /** What the execution that is done again had built; absent when it cannot be. */
  readonly reExecuted?: ReExecuted;
}
