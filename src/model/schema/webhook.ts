import { z } from 'zod';
import { isLoopback } from '../loopback.ts';
import { httpUrl, label, nodeId, secretName } from './fields.ts';

/** What executions announce: Adobe's five events. */
export const eventNames = [
  'executionStarted',
  'stepStarted',
  'stepWaiting',
  'stepEnded',
  'executionEnded',
] as const;

export type EventName = (typeof eventNames)[number];

/** Why an address is none that events are sent to; undefined when it is. */
export function webhookUrlProblem(text: string): string | undefined {
  if (!httpUrl.safeParse(text).success) return 'must be an https URL without credentials';
  const { protocol, hostname, hash } = new URL(text);
  if (hash) return 'must be a URL without a fragment';
  return protocol === 'https:' || isLoopback(hostname)
    ? undefined
    : 'must be an https URL; http is for loopback addresses only';
}

const events = (usual: readonly EventName[]) =>
  z
    .array(z.enum(eventNames))
    .min(1, 'name an event at least, or leave the field out')
    .default([...usual])
    .describe(`Which events it gets; ${usual.join(', ')} where nothing is said.`);

const id = nodeId.describe('Unique within the program.');

const adobe = z.strictObject({
  id,
  form: z.literal('adobe').describe("Adobe's events as JSON, signed."),
  url: z
    .string()
    .max(2000)
    .superRefine((text, context) => {
      const message = webhookUrlProblem(text);
      if (message) context.addIssue({ code: 'custom', message });
    })
    .describe('Where they are sent: https; http to a loopback address only.'),
  secret: secretName.describe(
    'Name of the secret that signs them: HMAC-SHA256 over the body, in `x-adobe-signature`. The workers need it.',
  ),
  clientId: label
    .default('fairway')
    .describe('What `recipient_client_id` says; receivers compare it with their own.'),
  imsOrgId: label.default('fairway@AdobeOrg').describe('The organisation that the events name.'),
  events: events(eventNames),
});

const slack = z.strictObject({
  id,
  form: z.literal('slack').describe('One line of text, as incoming webhooks of Slack and its likes take it.'),
  urlSecret: secretName.describe(
    'Name of the secret that holds the whole URL, since whoever knows it may post. The workers need it.',
  ),
  events: events(['executionStarted', 'stepWaiting', 'executionEnded']),
});

export const webhookSchema = z.discriminatedUnion('form', [adobe, slack]);

export type Webhook = z.infer<typeof webhookSchema>;
export type AdobeWebhook = z.infer<typeof adobe>;
