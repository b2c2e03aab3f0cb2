import type { ExecutionState, StepState } from './execution.ts';
import type { EventName, Webhook } from './schema/definition.ts';
import { phaseOf, type StepAction } from './steps.ts';

/** What executions announce, and who delivers it. */

/** A webhook as executions know it: where it is and how it is signed for is asked at delivery. */
export type Listener = Pick<Webhook, 'id' | 'events'>;

export interface Announcement {
  /** Unique; the same however often it is delivered. */
  readonly id: string;
  readonly event: EventName;
  readonly at: string;
  readonly programId: string;
  readonly pipelineId: string;
  readonly executionId: string;
  readonly step?: { readonly id: string; readonly phaseId: string };
  /** Who started the execution; with `executionStarted` only. */
  readonly by?: string;
  /** The same in one line, for people. */
  readonly text: string;
}

/** The events of one execution for one webhook: delivered one after the other, in order. */
export interface Delivery {
  readonly programId: string;
  readonly webhookId: string;
}

/** What a delivery fails with when it has to give up; its details are the announcements that were missed. */
export const MISSED = 'Missed';

/** The signal that hands announcements to a delivery. */
export const ANNOUNCED = 'announced';

/** How long an event is worth delivering. Adobe's own service tries for 24 hours. */
export const DELIVERY_MS = 24 * 60 * 60 * 1000;

const PREFIX = 'events-';

export const deliveryWorkflowId = ({ programId, executionId }: Announcement, webhookId: string): string =>
  `${PREFIX}${programId}-${executionId}-${webhookId}`;

/** What delivers again what one run of a delivery has missed: once, unless that fails as well. */
export const replayWorkflowId = (runId: string): string => `replay-of-${runId}`;

/** Whether a workflow is a delivery of a program's events itself, not a replay of one. */
export const isDeliveryOf = (programId: string, workflowId: string): boolean =>
  workflowId.startsWith(`${PREFIX}${programId}-`);

/** How a delivery is started, or told more where it runs. */
export const deliveryStart = (
  workflowId: string,
  webhookId: string,
  announcements: readonly Announcement[],
) => {
  const { programId = '', executionId = '' } = announcements[0] ?? {};
  const delivery: Delivery = { programId, webhookId };
  return {
    ...{ workflowId, taskQueue: 'fairway', args: [delivery] },
    ...{ signal: ANNOUNCED, signalArgs: [announcements] },
    memo: { webhookId, executionId },
    staticSummary: `Events of execution ${executionId} for webhook ${webhookId}`,
  };
};

/** Steps that have no start event: Cloud Manager's page "Receiving events" lists those that do. */
const startsUnannounced: readonly StepAction[] = ['codeQuality', 'approval', 'schedule', 'managed'];

/** Whether an event of this step is announced at all. */
export const isAnnounced = (event: EventName, step?: StepState): boolean =>
  event !== 'stepStarted' || (step !== undefined && !startsUnannounced.includes(step.action));

const MOST_TEXT = 500;

export function announcementOf(
  event: EventName,
  state: ExecutionState,
  step: StepState | undefined,
  unique: { readonly id: string; readonly at: string },
): Announcement {
  const { programId, pipelineId, executionId, startedBy } = state;
  return {
    ...unique,
    ...{ event, programId, pipelineId, executionId },
    ...(step ? { step: { id: step.id, phaseId: phaseOf(step) } } : {}),
    ...(event === 'executionStarted' ? { by: startedBy.subject } : {}),
    text: textOf(event, state, step).slice(0, MOST_TEXT),
  };
}

function textOf(event: EventName, state: ExecutionState, step: StepState | undefined): string {
  const emergency = state.mode === 'EMERGENCY' ? 'EMERGENCY · ' : '';
  const name = `${emergency}${state.programName} · ${state.pipelineName} · execution ${state.executionId}`;
  const details = step?.details ? ` (${step.details})` : '';
  switch (event) {
    case 'executionStarted':
      return `${name} started by ${state.startedBy.subject}: ${state.branch}`;
    case 'executionEnded':
      return `${name}: ${state.status}${state.failure ? ` (${state.failure.message})` : ''}`;
    case 'stepStarted':
      return `${name}: ${step?.title} started`;
    case 'stepWaiting':
      return `${name}: ${step?.title} waits for a person${details}`;
    case 'stepEnded':
      return `${name}: ${step?.title} ${step?.status}${details}`;
  }
}

/** Whether a value of unknown origin is an announcement. */
export function isAnnouncement(value: unknown): value is Announcement {
  const { id, event, at, programId, pipelineId, executionId, text } = (value ?? {}) as Record<
    string,
    unknown
  >;
  return [id, event, at, programId, pipelineId, executionId, text].every((part) => typeof part === 'string');
}
