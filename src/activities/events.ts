import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { AnnounceActivities, DeliveryActivities } from '../model/activities.ts';
import { deliveryStart, deliveryWorkflowId } from '../model/events.ts';
import { programWorkflowId } from '../model/execution.ts';
import type { ProgramState } from '../model/program.ts';
import type { Webhook } from '../model/schema/definition.ts';
import { Failure } from '../systems/failure.ts';
import { EventSender, type Sender } from '../systems/webhooks/send.ts';

const QUERY_MS = 5_000;

export const announceActivities = ({ client }: { readonly client: Client }): AnnounceActivities => ({
  async announce({ listeners, announcements }) {
    for (const { id, events } of listeners) {
      const wanted = announcements.filter(({ event }) => events.includes(event));
      const [first] = wanted;
      if (!first) continue;
      const delivery = deliveryStart(deliveryWorkflowId(first, id), id, wanted);
      await client.workflow.signalWithStart('eventDelivery', delivery);
    }
  },
});

export function deliveryActivities({
  client,
  ...sender
}: Sender & { readonly client: Client }): DeliveryActivities {
  const events = new EventSender(sender);
  return {
    async deliverEvent({ programId, webhookId, announcement }) {
      await events.send(await webhookOf(client, programId, webhookId), announcement);
    },
  };
}

/** As the program defines it now: who corrects an address must not wait for the next execution. */
async function webhookOf(client: Client, programId: string, webhookId: string): Promise<Webhook> {
  const program = client.workflow.getHandle(programWorkflowId(programId));
  const { definition } = await client.connection
    .withDeadline(Date.now() + QUERY_MS, () => program.query<ProgramState>('program'))
    .catch((error: unknown): Partial<ProgramState> => {
      if (error instanceof WorkflowNotFoundError) return {};
      throw error;
    });
  const webhook = definition?.webhooks?.find(({ id }) => id === webhookId);
  if (webhook) return webhook;
  throw new Failure('Missing', `program ${programId} has no webhook ${webhookId} any more`);
}
