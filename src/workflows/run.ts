import { defineSearchAttributeKey } from '@temporalio/common';
import { isCancellation, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { BuildReports } from '../model/activities.ts';
import type { Actor } from '../model/actor.ts';
import {
  artifactsVersion,
  executionKey,
  type Decision,
  type ExecutionInput,
  type ExecutionState,
  type StepState,
} from '../model/execution.ts';
import type { MessageName, Messages } from '../model/messages.ts';
import { stepsOf, type StepId } from '../model/steps.ts';
import { executionText } from '../model/texts.ts';
import { timeoutMs, type WaitingStep } from '../model/timeouts.ts';
import { failure, statusOf, understood } from './failures.ts';
import { Slot } from './inbox.ts';

const JOURNAL = 200;

const attributes = {
  status: defineSearchAttributeKey('FairwayStatus', 'KEYWORD'),
  step: defineSearchAttributeKey('FairwayStep', 'KEYWORD'),
  waiting: defineSearchAttributeKey('FairwayWaiting', 'KEYWORD'),
  deadline: defineSearchAttributeKey('FairwayDeadline', 'DATETIME'),
};

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
  /** The storage prefix of everything this execution keeps. */
  readonly key: string;
  /** What the build measured; empty before it. */
  reports: BuildReports = { tests: { run: 0, failed: 0, skipped: 0 } };
  /** Who cancelled, once somebody has. */
  cancelledBy: Actor | undefined;
  private open: (Question<MessageName> & { readonly slot: Slot<Messages[MessageName]> }) | undefined;

  constructor(input: ExecutionInput, startedAt: Date) {
    this.input = input;
    const { executionId, program, pipeline, mode, startedBy } = input;
    this.key = executionKey({ programId: program.id, pipelineId: pipeline.id, executionId });
    this.state = {
      executionId,
      programId: program.id,
      programName: program.name,
      pipelineId: pipeline.id,
      pipelineName: pipeline.name,
      type: program.type,
      mode,
      trigger: 'MANUAL',
      startedBy,
      branch: pipeline.repository.branch,
      artifactsVersion: artifactsVersion(startedAt, executionId),
      status: 'RUNNING',
      createdAt: startedAt.toISOString(),
      steps: stepsOf(pipeline, mode).map((step) => ({
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

  /** Does a step if it is part of this execution, and keeps its status whatever happens in it. */
  async step(id: StepId, body: (step: StepState, log: string) => Promise<void>): Promise<void> {
    const step = this.state.steps.find((planned) => planned.id === id);
    if (!step || step.notRun) return;
    const log = `${this.key}/logs/${id}.log`;
    Object.assign(step, { status: 'RUNNING', startedAt: now(), log } satisfies Partial<StepState>);
    this.show(step);
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
      setCurrentDetails(executionText(this.state));
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
    }
    const answer = await this.receive(question, limit);
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
  async receive<N extends MessageName>(
    question: Question<N>,
    limitMs: number,
  ): Promise<Messages[N] | undefined> {
    const slot = new Slot<Messages[N]>();
    this.open = { ...question, slot } as unknown as typeof this.open;
    try {
      return await slot.take(limitMs, `${question.question}: time-out`);
    } finally {
      this.open = undefined;
    }
  }

  /** Why a decision cannot be taken now; undefined when it can. */
  refuseDecision<N extends MessageName>(name: N, message: Messages[N]): string | undefined {
    const elsewhere = this.refuseAddress(message.executionId);
    if (elsewhere) return elsewhere;
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

  refuseAddress(executionId: string): string | undefined {
    return executionId === this.state.executionId
      ? undefined
      : `this is execution ${this.state.executionId}; the message is for ${executionId}`;
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

  /** Makes the state visible: details and search attributes of the workflow, one upsert per change of step. */
  show(step?: StepState): void {
    const { waitingFor, status } = this.state;
    setCurrentDetails(executionText(this.state));
    upsertSearchAttributes([
      { key: attributes.status, value: status },
      ...(step ? [{ key: attributes.step, value: step.id }] : []),
      { key: attributes.waiting, value: waitingFor ? waitingFor.step : 'nobody' },
      { key: attributes.deadline, value: waitingFor ? new Date(waitingFor.until) : null },
    ]);
  }
}

/** The step that a message answers. */
const answeredBy = <N extends MessageName>(name: N, message: Messages[N]): StepId | 'execution' =>
  'step' in message
    ? message.step
    : (({ approve: 'approval', schedule: 'schedule', cseSupport: 'managed' } as const)[name as 'approve'] ??
      'execution');

export const now = (): string => new Date().toISOString();
