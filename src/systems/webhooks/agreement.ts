import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { Storage } from '../storage/storage.ts';

/**
 * Receivers that cannot repeat a challenge at once agree later, by an address that the challenge names and that the HTTP
 * API answers. What was asked and what was agreed to is in storage, where workers and the API meet.
 */

interface Asked {
  readonly url: string;
  /** ISO 8601. */
  readonly at: string;
}

/** As long as Adobe waits. */
export const AGREE_WITHIN_MS = 5 * 60_000;

const hash = (text: string) => createHash('sha256').update(text).digest('hex');
const folder = (programId: string, webhookId: string) => `${programId}/webhooks/${webhookId}`;
/** Of a challenge only its hash is kept: whoever reads storage cannot agree for somebody else. */
const askedKey = (programId: string, webhookId: string, challenge: string) =>
  `${folder(programId, webhookId)}/asked/${hash(challenge)}.json`;
const agreedKey = (programId: string, webhookId: string, urlHash: string) =>
  `${folder(programId, webhookId)}/agreed/${urlHash}`;

/** Notes down, before a challenge is sent, what it is for. */
export async function noteChallenge(
  storage: Storage,
  programId: string,
  webhook: { readonly id: string; readonly url: string },
  challenge: string,
  at = new Date(),
): Promise<void> {
  const asked: Asked = { url: hash(webhook.url), at: at.toISOString() };
  await storage.put(askedKey(programId, webhook.id, challenge), JSON.stringify(asked));
}

/** Whether the owner of this address has agreed to get events. */
export async function hasAgreed(
  storage: Storage,
  programId: string,
  { id, url }: { readonly id: string; readonly url: string },
): Promise<boolean> {
  return (await storage.size(agreedKey(programId, id, hash(url)))) !== undefined;
}

/** Whoever knows the challenge agrees to events at the address that it was sent to. @returns whether it is one, and in time */
export async function agree(
  storage: Storage,
  programId: string,
  webhookId: string,
  challenge: string,
): Promise<boolean> {
  const key = askedKey(programId, webhookId, challenge);
  if ((await storage.size(key)) === undefined) return false;
  const { url, at } = JSON.parse(await text(await storage.get(key))) as Asked;
  const now = Date.now();
  if (now > Date.parse(at) + AGREE_WITHIN_MS) return false;
  await storage.put(agreedKey(programId, webhookId, url), new Date(now).toISOString());
  return true;
}
