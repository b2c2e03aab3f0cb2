import type { Client } from '@temporalio/client';
import type { Actor } from '../model/actor.ts';
import type { DeploymentProgress } from '../model/deployment.ts';
import { executionWorkflowId, type ExecutionState } from '../model/execution.ts';
import type { MessageName, Messages } from '../model/messages.ts';
import { startRefusal, type ProgramState, type Start, type Started } from '../model/program.ts';
import { clusterRepairsItself } from '../model/kubernetes.ts';
import { reExecutionRefusal } from '../model/re-execution.ts';
import type { Environment, Pipeline, Program } from '../model/schema/definition.ts';
import type { StepId } from '../model/steps.ts';
import type { ExecutionSummary } from '../model/summary.ts';
import { Failure } from '../systems/failure.ts';
import { branchesOf } from '../systems/git.ts';
import { secrets as secretsFrom, type Secrets } from '../systems/secrets.ts';
import { openStorage } from '../systems/storage/open.ts';
import type { Storage } from '../systems/storage/storage.ts';
import { turns } from '../systems/turns.ts';
import { agree } from '../systems/webhooks/agreement.ts';
import type { FairwayAccess } from './access.ts';
import { Calls, QUERY_MS, UPDATE_MS } from './calls.ts';
import { Catalogue, type DefinedProgram } from './catalogue.ts';
import type { TemporalOptions } from '../systems/temporal/configuration.ts';
import { connectTemporal } from './connect.ts';
import { EventDeliveries, listedWebhooks, type ListedWebhook, type Replayed } from './event-deliveries.ts';
import {
  ExecutionLists,
  type ExecutionFilter,
  type ExecutionPage,
  type Page,
  type PageOptions,
} from './executions.ts';
import { FairwayError } from './fairway-error.ts';
import { Files, stepFiles, type LeftFile } from './files.ts';
import type { Content, LogPiece, StepResults } from './read-files.ts';
import { logKey, nameOf, OneExecution, type ExecutionAddress } from './one-execution.ts';
import { patiently } from './patiently.ts';
import { repairEnvironment } from './repair.ts';
import { findEnvironment, findExecution, findPipeline, findProgram, type InProgram } from './resolve.ts';
import { everythingWaiting, type WaitingExecution } from './waiting.ts';
import { PipelineVariables, type ListedVariable, type SetVariable } from './variables.ts';

export type { ExecutionAddress } from './one-execution.ts';

/** What a decision says besides whom it is meant for. */
export type Body<N extends MessageName> = Omit<Messages[N], 'executionId'>;

export interface FairwayOptions extends TemporalOptions {
  /** Where workers keep logs, results, artifacts and records: a folder, or `s3://BUCKET/PREFIX?...`. `FAIRWAY_STORAGE` when absent. */
  readonly storage?: string | Storage;
  /**
   * Where the keys of secret variables and of what Temporal keeps come from besides `FAIRWAY_SECRET_...`: a folder.
   * `FAIRWAY_SECRETS` when absent.
   */
  readonly secrets?: string | Secrets;
  /** Whether repositories in folders of this machine may be read, as on the local platform. */
  readonly localRepositories?: boolean;
}

const PAGE = 20;
/**
 * An execution is busy from the moment of its start: a thousand that start in one moment would keep workers from
 * answering those that come after.
 */
const STARTS_AT_ONCE = 20;

/**
 * Everything that can be asked of Fairway, over a Temporal client and the storage of the workers. Each call has a
 * deadline and throws `FairwayError` when it was not done.
 */
export class FairwayClient implements FairwayAccess {
  readonly temporal: Client;
  private readonly localRepositories: boolean;
  private readonly calls: Calls;
  private readonly files: Files;
  private readonly catalogue: Catalogue;
  private readonly one: OneExecution;
  private readonly lists: ExecutionLists;
  private readonly pipelineVariables: PipelineVariables;
  private readonly events: EventDeliveries;
  private readonly inTurn = turns(STARTS_AT_ONCE);

  constructor(temporal: Client, options: Omit<FairwayOptions, keyof TemporalOptions> = {}) {
    const { storage, secrets, localRepositories } = options;
    this.localRepositories = localRepositories ?? false;
    this.temporal = temporal;
    this.calls = new Calls(temporal);
    this.files = new Files(typeof storage === 'string' ? openStorage(storage) : storage);
    this.catalogue = new Catalogue(this.calls);
    this.one = new OneExecution(this.calls, this.files);
    this.lists = new ExecutionLists(this.calls, this.files, this.one, () => this.catalogue.programIds());
    this.events = new EventDeliveries(this.calls);
    this.pipelineVariables = new PipelineVariables(this.calls, this.files, secretsOf(secrets));
  }

  /**
   * Connects as Temporal's own command does: profile, `TEMPORAL_ADDRESS`, TLS, API key; options count before them.
   * @throws FairwayError `unavailable` naming the address
   */
  static async connect(options: FairwayOptions = {}): Promise<FairwayClient> {
    const secret = secretsOf(options.secrets ?? process.env['FAIRWAY_SECRETS']);
    return new FairwayClient(await connectTemporal(options, secret), {
      storage: options.storage ?? process.env['FAIRWAY_STORAGE'],
      secrets: secret,
      localRepositories: options.localRepositories,
    });
  }

  /** @throws FairwayError `unavailable` when the Temporal Service does not answer */
  async ping(): Promise<void> {
    const { workflowService } = this.temporal;
    await this.calls.within(QUERY_MS, 'itself', false, () => workflowService.getSystemInfo({}));
  }

  async close(): Promise<void> {
    await this.temporal.connection.close();
  }

  /** All programs that have a definition, by id. */
  programs(): Promise<DefinedProgram[]> {
    return this.catalogue.programs();
  }

  /** The state of a program; undefined when none of that id is defined. */
  program(programId: string): Promise<DefinedProgram | undefined> {
    return this.catalogue.program(programId);
  }

  /**
   * Makes a definition the program's, if nobody else changed it since `expectedRevision` (0: it is new); applying the
   * same again changes nothing. Whatever is no longer in it is removed.
   * @throws FairwayError `refused` with every problem (`problems`), when somebody was faster, or when an execution of a
   * pipeline or in an environment that would be removed is running
   */
  apply(definition: unknown, expectedRevision: number, by: Actor): Promise<ProgramState> {
    return this.catalogue.apply(definition, expectedRevision, by);
  }

  /**
   * Removes a program. Its executions remain in lists and storage; a program defined anew under its id continues
   * their numbers.
   * @throws FairwayError `refused` while an execution of it is running, `notFound`
   */
  deleteProgram(programId: string, by: Actor): Promise<void> {
    return this.catalogue.deleteProgram(programId, by);
  }

  /** Removes a pipeline from its program's definition. @throws FairwayError `refused` while an execution of it is running */
  deletePipeline(programId: string, pipelineId: string, by: Actor): Promise<ProgramState> {
    return this.catalogue.without(programId, 'pipelines', pipelineId, by);
  }

  /** Removes an environment from its program's definition. @throws FairwayError `refused` while a pipeline names it or it is in use */
  deleteEnvironment(programId: string, environmentId: string, by: Actor): Promise<ProgramState> {
    return this.catalogue.without(programId, 'environments', environmentId, by);
  }

  /** Activates or deactivates emergency mode for a program. */
  setEmergency(programId: string, activated: boolean, by: Actor): Promise<ProgramState> {
    return this.catalogue.setEmergency(programId, activated, by);
  }

  /**
   * The branches that a repository has now, read with the git configuration of this process.
   * @throws FairwayError `unavailable` when it cannot be read
   */
  async branches(repositoryUrl: string): Promise<string[]> {
    try {
      return await branchesOf(repositoryUrl, { allowFile: this.localRepositories });
    } catch (error) {
      throw error instanceof Failure ? new FairwayError('unavailable', error.message, error) : error;
    }
  }

  /** The variables that the next execution of a pipeline gets: of its definition, and those set beside it. Secret values are never shown. */
  variables(programId: string, pipelineId: string): Promise<ListedVariable[]> {
    return this.pipelineVariables.list(programId, pipelineId);
  }

  /**
   * Sets a variable of a pipeline, for executions that are started from now on. The value of a secret one is encrypted
   * here with the key `VARIABLES_KEY`, and only its ciphertext is kept.
   * @throws FairwayError `refused`, `unavailable` when there is no storage or no key
   */
  setVariable(variable: SetVariable): Promise<void> {
    return this.pipelineVariables.set(variable);
  }

  /** Removes a variable that was set with `setVariable`; one of the definition remains. @throws FairwayError `notFound` */
  deleteVariable(variable: Pick<SetVariable, 'programId' | 'pipelineId' | 'name' | 'by'>): Promise<void> {
    return this.pipelineVariables.remove(variable);
  }

  /**
   * Starts an execution. `branch` or `tag` replaces what the pipeline builds, for this execution only. One that has ended
   * and is still keeping its record is waited for. `reExecutes` does the production deployment of the pipeline's last
   * execution again, with what that built. Of many at once each waits for its turn; none starts twice.
   * @throws FairwayError `refused` when it may not start, or one is running; `outcomeUnknown` when no worker answers
   */
  start(start: Start & { readonly programId: string }): Promise<Started> {
    return this.inTurn(() => this.startNow(start));
  }

  private async startNow({ programId, ...start }: Start & { readonly programId: string }): Promise<Started> {
    await patiently(() => this.refuseReExecution(programId, start));
    return this.catalogue.update<Started, Start>(programId, 'start', start);
  }

  /** Before anything is started: a re-execution that cannot be would end at its validation. */
  private async refuseReExecution(programId: string, start: Start): Promise<void> {
    const { pipelineId, reExecutes: executionId } = start;
    const program = executionId === undefined ? undefined : await this.program(programId);
    if (executionId === undefined || !program) return;
    const refusal =
      startRefusal(program, start) ??
      reExecutionRefusal(await this.one.state({ programId, pipelineId, executionId }));
    if (refusal !== undefined) throw new FairwayError('refused', refusal);
  }

  /** The whole state of an execution: of a closed one its record, of a running one with the newest progress of its deployment. */
  execution(address: ExecutionAddress): Promise<ExecutionState> {
    return this.one.state(address);
  }

  /** The id of the execution of a pipeline that runs now; undefined when none does. Known from the moment of its start. */
  running(programId: string, pipelineId: string): Promise<string | undefined> {
    return this.one.running(programId, pipelineId);
  }

  /** Executions, newest first, running ones and those that Temporal no longer knows. `next` of a page is `after` of the next. */
  executions(options: ExecutionFilter & Partial<PageOptions> = {}): Promise<ExecutionPage> {
    return this.lists.summaries({ ...options, limit: options.limit ?? PAGE });
  }

  /** As `executions`, with their whole states; of one that nobody can tell more about, what the list says. */
  executionStates(options: ExecutionFilter & PageOptions): Promise<Page<ExecutionState | ExecutionSummary>> {
    return this.lists.states(options);
  }

  /** Everything that waits for a person, the most urgent first. */
  waiting(filter: Pick<ExecutionFilter, 'programId' | 'pipelineId'> = {}): Promise<WaitingExecution[]> {
    return everythingWaiting(this, filter);
  }

  /** The webhooks of a program, and how their deliveries go. @throws FairwayError `notFound` */
  async webhooks(programId: string): Promise<ListedWebhook[]> {
    const { webhooks = [] } = (await this.programOf(programId)).definition;
    return listedWebhooks(webhooks, await this.events.of(programId));
  }

  /**
   * Delivers again what webhooks have missed: all of it as far as Temporal's retention reaches back, or what was given
   * up `since` an instant. What a replay has delivered is not delivered a second time.
   */
  replayEvents(
    programId: string,
    filter: { readonly webhookId?: string; readonly since?: string } = {},
  ): Promise<Replayed[]> {
    return this.events.replay(programId, filter);
  }

  /**
   * Agrees to events for the address that a challenge was sent to; whoever knows the challenge may.
   * @returns whether there is such a challenge, not older than five minutes
   */
  agreeToEvents(programId: string, webhookId: string, challenge: string): Promise<boolean> {
    return agree(this.files.storage, programId, webhookId, challenge).catch((error: unknown) => {
      throw error instanceof Failure ? new FairwayError('unavailable', error.message, error) : error;
    });
  }

  /** A program by id or unique name. @throws FairwayError `notFound` naming similar ones, `ambiguous` */
  async findProgram(nameOrId: string): Promise<DefinedProgram> {
    const programs = await this.programs();
    const { id } = findProgram(definitions(programs), nameOrId);
    return programs.find(({ definition }) => definition.id === id)!;
  }

  /** A pipeline by id or unique name, `program/pipeline` where it is not unique. @throws FairwayError as `findProgram` */
  async findPipeline(nameOrId: string, programId?: string): Promise<InProgram<Pipeline>> {
    return findPipeline(await this.definitionsOf(programId), nameOrId);
  }

  /** An environment by id or unique name, `program/environment` where it is not unique. @throws FairwayError as `findProgram` */
  async findEnvironment(nameOrId: string, programId?: string): Promise<InProgram<Environment>> {
    return findEnvironment(await this.definitionsOf(programId), nameOrId);
  }

  /**
   * An execution by its id, with or without leading zeros; without one, the only one that is running or, with
   * `waitingFor`, that waits for that.
   * @throws FairwayError `notFound`, `ambiguous` naming those that fit
   */
  findExecution(
    id: string | undefined,
    filter: Pick<ExecutionFilter, 'programId' | 'pipelineId' | 'waitingFor'> = {},
  ): Promise<ExecutionSummary> {
    return findExecution(id, filter, (options) => this.executions(options));
  }

  /**
   * A piece of a step's log, from byte `fromOffset` on. To follow it, ask again from `next` until it is `complete`.
   * @throws FairwayError `notFound`, `unavailable` when there is no storage
   */
  async log(address: Required<ExecutionAddress>, step: StepId, fromOffset = 0): Promise<LogPiece> {
    // Whether the step had ended is asked first: what is read afterwards is then all of it.
    const known = await this.one.step(address, step).catch((error: unknown) => {
      if (error instanceof FairwayError && error.kind === 'unavailable') return undefined;
      throw error;
    });
    const key = known?.log ?? logKey(address, step);
    return this.files.log(key, fromOffset, known?.hasEnded ?? false);
  }

  /** A file of storage, by its key. @throws FairwayError `notFound`, `unavailable` when there is no storage */
  content(key: string): Promise<Content> {
    return this.files.content(key);
  }

  /** What a step that tests something found. @throws FairwayError `notFound` */
  async results(address: ExecutionAddress, step: StepId): Promise<StepResults> {
    return this.files.results(await this.one.step(address, step));
  }

  /** The zips that the build of an execution left, then results, findings, time series and pictures of its tests. */
  async leftFiles(address: ExecutionAddress): Promise<readonly LeftFile[]> {
    const state = await this.one.state(address);
    return [...state.artifacts, ...stepFiles(state)];
  }

  /** Copies a file that an execution left to `path` and checks its SHA-256. @throws FairwayError `unavailable` when it is not the file that was stored */
  download(left: Pick<LeftFile, 'file'>, path: string): Promise<void> {
    return this.files.download(left, path);
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
    try {
      if (how === 'update')
        return (
          await this.calls.update<{ accepted: string }, object>(workflowId, nameOf(address), name, message)
        ).accepted;
      await this.calls.within(UPDATE_MS, nameOf(address), true, () =>
        this.temporal.workflow.getHandle(workflowId).signal(name, message),
      );
      return 'sent';
    } catch (error) {
      throw error instanceof FairwayError && error.kind === 'notFound'
        ? await this.ended(address, error)
        : error;
    }
  }

  /** Temporal takes no message for a closed execution, as for one that never was: tells the two apart. */
  private async ended(address: Required<ExecutionAddress>, notFound: FairwayError): Promise<FairwayError> {
    const state = await this.one.state(address).catch(() => undefined);
    return state
      ? new FairwayError('refused', `${nameOf(address)} has ended: it is ${state.status}`, notFound)
      : notFound;
  }

  /**
   * Repairs an environment after a fault, an interrupted deployment or a load balancer that forgot its states, without
   * deploying anything: what was left half done on a dispatcher host becomes the old configuration again, dispatchers
   * that are well return to service. Waits for the end, minutes when something does not come up; `onProgress` gets the
   * state twice a second. Ending this process does not end the repair; repeated, it changes nothing twice.
   * @returns how every node is now. `reconciled`: what was found and made good, line by line; empty when nothing was to
   *   be done. `remaining`: what a person must see to; absent or empty when all is well.
   * @throws FairwayError `notFound` for an unknown program or environment; `refused`, naming who, while a deployment or
   *   another repair runs or an execution holds the environment, and for one on a cluster; `outcomeUnknown` when no worker answers.
   */
  async repair(
    programId: string,
    environmentId: string,
    by: Actor,
    onProgress?: (progress: DeploymentProgress) => void,
  ): Promise<DeploymentProgress> {
    const { program, thing } = await this.findEnvironment(environmentId, programId);
    if (thing.kubernetes) throw new FairwayError('refused', clusterRepairsItself(thing));
    const input = { programId: program.id, environment: thing, by };
    return repairEnvironment(this.calls, input, onProgress);
  }

  private async definitionsOf(programId: string | undefined): Promise<Program[]> {
    return programId === undefined
      ? definitions(await this.programs())
      : [(await this.programOf(programId)).definition];
  }

  private async programOf(programId: string): Promise<DefinedProgram> {
    const program = await this.program(programId);
    if (program) return program;
    throw new FairwayError('notFound', `there is no program ${programId}`);
  }
}

const secretsOf = (given: FairwayOptions['secrets']): Secrets =>
  typeof given === 'function' ? given : secretsFrom({ env: process.env, folder: given });

const definitions = (programs: readonly DefinedProgram[]): Program[] =>
  programs.map(({ definition }) => definition);
