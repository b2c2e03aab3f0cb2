import { ApplicationFailure, condition, setHandler } from '@temporalio/workflow';
import { ANNOUNCED, isAnnouncement, MISSED, type Announcement, type Delivery } from '../model/events.ts';
import { deliveringUntil } from './activities.ts';
import { failure, understood } from './failures.ts';
import { decoded, rawSignal } from './inbox.ts';

/**
 * Delivers the events of one execution to one webhook, in order, and ends when there are no more for now; the next one
 * begins it anew. Its failure holds the events that could not be delivered, for `fairway webhooks replay`.
 */
export async function eventDelivery(delivery: Delivery): Promise<number> {
  const pending: Announcement[] = [];
  const known = new Set<string>();
  setHandler(
    rawSignal(ANNOUNCED),
    (raw) => {
      const announced = decoded(raw);
      for (const event of Array.isArray(announced) ? announced.filter(isAnnouncement) : []) {
        if (event.programId !== delivery.programId || known.has(event.id)) continue;
        known.add(event.id);
        pending.push(event);
      }
    },
    { description: 'Events to deliver, after those that are waiting already' },
  );
  if (!(await condition(() => pending.length > 0, '1 minute')))
    throw failure('InvalidInput', 'a delivery is begun by events, not by itself');

  const missed: Announcement[] = [];
  let reason = '';
  for (let event = pending.shift(); event; event = pending.shift())
    try {
      const summary = `Deliver ${event.event} ${event.step?.id ?? ''}`.trimEnd();
      await deliveringUntil(event.at).deliverEvent.executeWithOptions({ summary }, [
        { ...delivery, announcement: event },
      ]);
    } catch (error) {
      reason = understood(error).message;
      missed.push(event);
    }
  if (missed.length === 0) return known.size;
  throw ApplicationFailure.create({
    type: MISSED,
    message: `${missed.length} of ${known.size} events were not delivered to webhook ${delivery.webhookId}: ${reason}`,
    nonRetryable: true,
    details: [missed],
  });
}
