import { defineSearchAttributeKey } from '@temporalio/common';
import { condition, isCancellation, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { BuildOutput, TestOutcome } from '../model/activities.ts';
import type { Actor } from '../model/actor.ts';
import { starterRefusal, unverifiedRefusal } from '../model/deciders.ts';
import {
  artifactsVersion,
  executionKey,
  triggerOf,
  type Decision,
  type ExecutionInput,
  type ExecutionState,
  type StepState,
} from '../model/execution.ts';
import type { MessageName, Messages } from '../model/messages.ts';
import type { ReExecuted } from '../model/re-execution.ts';
import type { Environment } from '../model/schema/definition.ts';
import { sourceText } from '../model/source.ts';
import { kindOf, stepsOf, type Kind, type StepId } from '../model/steps.ts';
import { executionText } from '../model/texts.ts';
import { timeoutMs, type WaitingStep } from '../model/timeouts.ts';
import { Announcements } from './announcements.ts';
import { failure, statusOf, understood } from './failures.ts';
import { SharedTimer, Slot } from './inbox.ts';
import { always } from './scopes.ts';

const JOURNAL = 200;

const attributes = {
  status: defineSearchAttributeKey('FairwayStatus', 'KEYWORD'),
  step: defineSearchAttributeKey('FairwayStep', 'KEYWORD'),
  waiting: defineSearchAttributeKey('FairwayWaiting', 'KEYWORD'),
  deadline: defineSearchAttributeKey('FairwayDeadline', 'DATETIME'),
};

const NOBODY = 'nobody';

/** What executions are found by; the program starts one with its first values. */
interface Searchable {
  readonly status: ExecutionState['status'];
  readonly step: StepId;
  readonly waiting: string;
  readonly deadline: string | undefined;
}

/** A question to a person: which message answers it, and what an answer must have. */
interface Question<N extends MessageName> {
  readonly step: WaitingStep;
  readonly message: N;
  readonly question: string;
  readonly refuse?: (message: Messages[N]) => string | undefined;
}

/** One execution under way: its state, its steps, and the questions it asks people. */
export class Run {
  readonly input: ExecutionInput;
  readonly state: ExecutionState;
  readonly kind: Kind;
  /** The storage prefix of everything this execution keeps. */
  readonly key: string;
  /** What the build leaves for code scanning; empty before it. */
  built: Pick<BuildOutput, 'reports' | 'code'> = { reports: { tests: { run: 0, failed: 0, skipped: 0 } } };
  /** What the execution that this one does again had built; known after validation. */
  reExecuted: ReExecuted | undefined;
  /** What the performance tests have measured. */
  readonly measured: TestOutcome[] = [];
  /** What is told to the webhooks of the program. */
  readonly announcements: Announcements;
  /** Who cancelled, once somebody has. */
  cancelledBy: Actor | undefined;
  private readonly limits = new SharedTimer('Limit for the answers of people');
  private shownStep: StepId = 'validate';
  private isShown = true;
  private open: (Question<MessageName> & { readonly slot: Slot<Messages[MessageName]> }) | undefined;

  constructor(input: ExecutionInput, startedAt: Date) {
    this.input = input;
    this.announcements = new Announcements(input.webhooks);
    const { executionId, program, pipeline, mode, startedBy, reExecutes } = input;
    const flavour = program.type;
    this.kind = kindOf({ flavour, type: pipeline.type, reExecutes: reExecutes !== undefined });
    this.key = executionKey({ programId: program.id, pipelineId: pipeline.id, executionId });
    this.state = {
      executionId,
      programId: program.id,
      programName: program.name,
      pipelineId: pipeline.id,
      pipelineName: pipeline.name,
      pipelineType: pipeline.type,
      type: program.type,
      mode,
      trigger: triggerOf(reExecutes),
      reExecutes,
      startedBy,
      branch: sourceText(pipeline.repository),
      configuredBranch: input.configuredBranch,
      artifactsVersion: this.kind.versioned ? artifactsVersion(startedAt, executionId) : undefined,
      status: 'RUNNING',
      createdAt: startedAt.toISOString(),
      steps: stepsOf({ flavour, pipeline, mode, reExecutes: this.kind.reExecutes }).map((step) => ({
        ...step,
        status: 'NOT_STARTED',
        details: step.notRun ? `not run: ${step.notRun}` : undefined,
      })),
      warnings: [],
      decisions: [],
      artifacts: [],
      deployments: [],
      ignoredMessages: [],
    };
  }

  /** The environment of this type that the pipeline names. */
  environment(type: Environment['type']): Environment {
    const found = this.input.environments[type];
    if (found) return found;
    throw failure('InvalidInput', `pipeline ${this.input.pipeline.id} names no environment of type ${type}`);
  }

  /** Whether a step is part of this execution. */
  plans(id: StepId): boolean {
    return this.state.steps.some((step) => step.id === id && !step.notRun);
  }

  /** Does a step if it is part of this execution, and keeps its status whatever happens in it. */
  async step(id: StepId, body: (step: StepState, log: string) => Promise<void>): Promise<void> {
    const step = this.state.steps.find((planned) => planned.id === id);
    if (!step || step.notRun) return;
    const log = `${this.key}/logs/${id}.log`;
    Object.assign(step, { status: 'RUNNING', startedAt: now(), log } satisfies Partial<StepState>);
    this.show(step);
    this.announcements.put('stepStarted', this.state, step);
    try {
      await body(step, log);
      step.status = 'FINISHED';
    } catch (error) {
      if (this.isCancelled(error)) {
        step.status = 'CANCELLED';
        throw error;
      }
      const { type, message } = understood(error);
      step.status = statusOf(type);
      step.details = message;
      this.state.failure = { step: id, message };
      throw error;
    } finally {
      step.finishedAt = now();
      this.state.waitingFor = undefined;
      this.announcements.put('stepEnded', this.state, step);
    }
  }

  /** Whether this is what cancelling looks like, also where the worker that should have said so is gone. */
  isCancelled(error: unknown): boolean {
    return (
      isCancellation(error) ||
      (this.state.status === 'CANCELLING' && understood(error).type === 'Unavailable')
    );
  }

  /**
   * Asks a person and waits for the answer, as long as the table of time-outs says.
   * @throws ApplicationFailure `TimedOut` when nobody answered.
   */
  async ask<N extends MessageName>(question: Question<N>): Promise<Messages[N]> {
    const limit = timeoutMs(question.step, this.input.timeouts);
    const step = this.state.steps.find(({ id }) => id === question.step);
    const until = new Date(Date.now() + limit).toISOString();
    this.state.waitingFor = { step: question.step, question: question.question, since: now(), until };
    if (step) {
      step.status = 'WAITING';
      step.details = question.question;
      this.show(step);
      this.announcements.put('stepWaiting', this.state, step);
    }
    const answer = await this.opened(question, (slot) => slot.takeWithin(this.limits, limit));
    this.state.waitingFor = undefined;
    if (answer === undefined)
      throw failure('TimedOut', `nobody answered "${question.question}" within ${limit / 86_400_000} days`);
    if (step) {
      step.status = 'RUNNING';
      step.details = undefined;
      this.show(step);
    }
    return answer;
  }

  /** The next acceptable message of a kind, or undefined when none came within `limitMs`. */
  receive<N extends MessageName>(question: Question<N>, limitMs: number): Promise<Messages[N] | undefined> {
    return this.opened(question, (slot) => slot.take(limitMs, question.question));
  }

  private async opened<N extends MessageName, T>(
    question: Question<N>,
    take: (slot: Slot<Messages[N]>) => Promise<T>,
  ): Promise<T> {
    const slot = new Slot<Messages[N]>();
    this.open = { ...question, slot } as unknown as typeof this.open;
    try {
      return await take(slot);
    } finally {
      this.open = undefined;
    }
  }

  /** Why a decision cannot be taken now; undefined when it can. */
  refuseDecision<N extends MessageName>(name: N, message: Messages[N]): string | undefined {
    const unfit = this.refuseSender(message) ?? this.refuseStarter(name, message);
    if (unfit) return unfit;
    if (this.open?.message !== name) {
      const earlier = this.state.decisions.findLast(({ step }) => step === answeredBy(name, message));
      if (earlier) return `already decided by ${earlier.by.subject}: ${earlier.what}`;
      const current = this.state.steps.find(({ status }) => status === 'RUNNING' || status === 'WAITING');
      return `the execution is not waiting for this now: ${current ? `its step is "${current.title}"` : `it is ${this.state.status}`}`;
    }
    if (this.open.slot.isFull && name !== 'schedule')
      return `already decided by ${this.state.decisions.at(-1)?.by.subject ?? 'somebody'}`;
    return (this.open.refuse as ((asked: Messages[N]) => string | undefined) | undefined)?.(message);
  }

  /** Why a message is not for this execution, or not from somebody whom it listens to. */
  refuseSender({
    executionId,
    by,
  }: {
    readonly executionId: string;
    readonly by: Actor;
  }): string | undefined {
    return executionId === this.state.executionId
      ? unverifiedRefusal(this.input.deciders, by)
      : `this is execution ${this.state.executionId}; the message is for ${executionId}`;
  }

  private refuseStarter<N extends MessageName>(name: N, message: Messages[N]): string | undefined {
    const approves = name === 'approve' && 'approved' in message && message.approved;
    return approves ? starterRefusal(this.input.deciders, message.by, this.input.startedBy) : undefined;
  }

  /** Hands an acceptable decision to who waits for it. */
  decide<N extends MessageName>(message: Messages[N], what: string, comment?: string): string {
    this.open?.slot.put(message);
    this.note(this.open?.step ?? 'execution', message.by, what, comment);
    return what;
  }

  note(step: Decision['step'], by: Actor, what: string, comment?: string): void {
    this.state.decisions.push({ step, by, at: now(), what, comment });
  }

  /** Journals a message that changed nothing. */
  ignore(message: MessageName, reason: string): void {
    this.state.ignoredMessages = [...this.state.ignoredMessages, { message, at: now(), reason }].slice(
      -JOURNAL,
    );
  }

  /** The state is to be seen as it is now, by `keepVisible`. */
  show(step?: StepState): void {
    if (step) this.shownStep = step.id;
    this.isShown = false;
  }

  /**
   * Keeps details and search attributes up to date for as long as the execution lives. A condition is looked at when
   * nothing else can go on for now: however much has changed until then, it costs one event of the history.
   */
  async keepVisible(): Promise<void> {
    let before: Searchable = {
      status: 'RUNNING',
      step: this.shownStep,
      waiting: NOBODY,
      deadline: undefined,
    };
    for (;;) {
      await always(() => condition(() => !this.isShown));
      this.isShown = true;
      setCurrentDetails(executionText(this.state));
      const { waitingFor, status } = this.state;
      const after: Searchable = {
        status,
        step: this.shownStep,
        waiting: waitingFor?.step ?? NOBODY,
        deadline: waitingFor?.until,
      };
      const { deadline } = after;
      const changes = [
        ...(after.status === before.status ? [] : [{ key: attributes.status, value: after.status }]),
        ...(after.step === before.step ? [] : [{ key: attributes.step, value: after.step }]),
        ...(after.waiting === before.waiting ? [] : [{ key: attributes.waiting, value: after.waiting }]),
        ...(deadline === before.deadline
          ? []
          : [{ key: attributes.deadline, value: deadline ? new Date(deadline) : null }]),
      ];
      if (changes.length > 0) upsertSearchAttributes(changes);
      before = after;
    }
  }
}

/** The step that a message answers. */
const answeredBy = <N extends MessageName>(name: N, message: Messages[N]): StepId | 'execution' =>
  'step' in message
    ? message.step
    : (({ approve: 'approval', schedule: 'schedule', cseSupport: 'managed' } as const)[name as 'approve'] ??
      'execution');

export const now = (): string => new Date().toISOString();
