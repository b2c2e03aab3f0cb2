import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type WorkflowExecutionInfo,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import {
  deliveryStart,
  isAnnouncement,
  isDeliveryOf,
  MISSED,
  replayWorkflowId,
  type Announcement,
} from '../model/events.ts';
import type { Webhook } from '../model/schema/definition.ts';
import { QUERY_MS, type Calls } from './calls.ts';

/** How the deliveries of a webhook go, as far as Temporal's retention reaches back. */
export interface Deliveries {
  /** Executions whose events are being delivered, or tried again. */
  readonly underWay: number;
  /** Executions of which events were missed; those that were replayed since are still among them. */
  readonly missed: number;
}

/** Who is told what executions of a program do, and how that goes. */
export interface ListedWebhook extends Pick<Webhook, 'id' | 'form' | 'events'>, Deliveries {
  /** Its address, or `secret <name>` of the secret that holds it. */
  readonly url: string;
}

export const listedWebhooks = (
  webhooks: readonly Webhook[],
  deliveries: ReadonlyMap<string, Deliveries>,
): ListedWebhook[] =>
  webhooks.map(({ id, form, events, ...rest }) => ({
    ...{ id, form, events, url: 'url' in rest ? rest.url : `secret ${rest.urlSecret}` },
    ...(deliveries.get(id) ?? { underWay: 0, missed: 0 }),
  }));

export interface Replayed {
  readonly executionId: string;
  readonly webhookId: string;
  readonly events: number;
}

const MOST = 10_000;

export class EventDeliveries {
  private readonly calls: Calls;

  constructor(calls: Calls) {
    this.calls = calls;
  }

  /** By id of the webhook. */
  async of(programId: string): Promise<ReadonlyMap<string, Deliveries>> {
    const counted = new Map<string, Deliveries>();
    for (const delivery of await this.list(programId, 'ExecutionStatus IN ("Running", "Failed")')) {
      const { webhookId } = notesOf(delivery);
      const { underWay, missed } = counted.get(webhookId) ?? { underWay: 0, missed: 0 };
      const runs = delivery.status.name === 'RUNNING';
      counted.set(webhookId, { underWay: underWay + (runs ? 1 : 0), missed: missed + (runs ? 0 : 1) });
    }
    return counted;
  }

  /** Delivers again what was missed. What a replay has delivered is not replayed a second time. */
  async replay(
    programId: string,
    { webhookId, since }: { readonly webhookId?: string; readonly since?: string },
  ): Promise<Replayed[]> {
    const window = since ? ` AND CloseTime >= "${new Date(since).toISOString()}"` : '';
    const failed = await this.list(programId, `ExecutionStatus = "Failed"${window}`);
    const replayed: Replayed[] = [];
    for (const delivery of failed.sort((a, b) => a.startTime.getTime() - b.startTime.getTime())) {
      const notes = notesOf(delivery);
      if (webhookId !== undefined && notes.webhookId !== webhookId) continue;
      const missed = await this.missedBy(delivery);
      if (missed.length === 0 || !(await this.start(delivery, notes.webhookId, missed))) continue;
      replayed.push({ ...notes, events: missed.length });
    }
    return replayed;
  }

  private list(programId: string, condition: string): Promise<WorkflowExecutionInfo[]> {
    const query = `WorkflowType = "eventDelivery" AND ${condition}`;
    return this.calls.within(QUERY_MS, 'deliveries of events', false, async () => {
      const found: WorkflowExecutionInfo[] = [];
      for await (const info of this.calls.temporal.workflow.list({ query, pageSize: 500 })) {
        if (isDeliveryOf(programId, info.workflowId)) found.push(info);
        if (found.length >= MOST) break;
      }
      return found;
    });
  }

  private async missedBy({ workflowId, runId }: WorkflowExecutionInfo): Promise<readonly Announcement[]> {
    const handle = this.calls.temporal.workflow.getHandle(workflowId, runId, { followRuns: false });
    const failure = await this.calls.within(QUERY_MS, 'missed events', false, () =>
      handle.result().then(
        () => undefined,
        (error: unknown) => {
          if (error instanceof WorkflowFailedError) return error.cause;
          throw error;
        },
      ),
    );
    const [missed] =
      failure instanceof ApplicationFailure && failure.type === MISSED ? (failure.details ?? []) : [];
    return Array.isArray(missed) ? missed.filter(isAnnouncement) : [];
  }

  /** False when it was replayed before. */
  private async start(
    { runId }: WorkflowExecutionInfo,
    webhookId: string,
    missed: readonly Announcement[],
  ): Promise<boolean> {
    try {
      await this.calls.within(QUERY_MS, 'replay of events', true, () =>
        this.calls.temporal.workflow.signalWithStart('eventDelivery', {
          ...deliveryStart(replayWorkflowId(runId), webhookId, missed),
          workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
      throw error;
    }
  }
}

function notesOf({ memo }: WorkflowExecutionInfo): {
  readonly webhookId: string;
  readonly executionId: string;
} {
  const { webhookId, executionId } = memo ?? {};
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  return { webhookId: text(webhookId), executionId: text(executionId) };
}
