import { condition, uuid4 } from '@temporalio/workflow';
import { announcementOf, isAnnounced, type Announcement, type Listener } from '../model/events.ts';
import type { ExecutionState, StepState } from '../model/execution.ts';
import type { EventName } from '../model/schema/definition.ts';
import { announcing, announcingQuickly } from './activities.ts';
import { understood } from './failures.ts';
import { always } from './scopes.ts';

/**
 * What an execution tells the webhooks of its program. It hands events over to their deliveries, a workflow of its own
 * for each webhook, and never waits for a receiver. Where no webhook wants an event, nothing happens at all.
 */
export class Announcements {
  private readonly listeners: readonly Listener[];
  private pending: Announcement[] = [];
  private isHandingOver = false;

  constructor(listeners: readonly Listener[] = []) {
    this.listeners = listeners;
  }

  /** To be called when it has happened: the state is taken as it is now. */
  put(event: EventName, state: ExecutionState, step?: StepState): void {
    const wanted = this.listeners.some(({ events }) => events.includes(event));
    if (!wanted || !isAnnounced(event, step)) return;
    const unique = { id: uuid4(), at: new Date().toISOString() };
    this.pending.push(announcementOf(event, state, step, unique));
  }

  /** Hands over for as long as the execution lives: what happens at the same moment together, in order. */
  async keepHandingOver(warn: (problem: string) => void): Promise<void> {
    for (;;) {
      await always(() => condition(() => this.pending.length > 0));
      this.isHandingOver = true;
      const announcements = this.pending;
      this.pending = [];
      await always(() => this.handOver(announcements)).catch((error: unknown) =>
        warn(`${announcements.length} events were not announced: ${understood(error).message}`),
      );
      this.isHandingOver = false;
    }
  }

  /** Once everything was handed over, or given up. */
  allHandedOver(): Promise<void> {
    return always(() => condition(() => this.pending.length === 0 && !this.isHandingOver));
  }

  private async handOver(announcements: readonly Announcement[]): Promise<void> {
    const input = { listeners: this.listeners, announcements };
    await announcingQuickly.announce(input).catch(async () => {
      await announcing.announce.executeWithOptions({ summary: 'Hand events over to webhooks' }, [input]);
    });
  }
}
