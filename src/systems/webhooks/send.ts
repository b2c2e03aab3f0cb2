import { randomUUID } from 'node:crypto';
import { paths } from '../../model/api-paths.ts';
import type { Announcement } from '../../model/events.ts';
import type { AdobeWebhook, Webhook } from '../../model/schema/definition.ts';
import { webhookUrlProblem } from '../../model/schema/webhook.ts';
import { Failure } from '../failure.ts';
import { askHttp, type Answer, type Question } from '../http-ask.ts';
import type { Secrets } from '../secrets.ts';
import type { Storage } from '../storage/storage.ts';
import { AGREE_WITHIN_MS, hasAgreed, noteChallenge } from './agreement.ts';
import { adobeBody, signatureOf, slackBody } from './bodies.ts';
import type { Destinations } from './destinations.ts';

export interface Sender {
  readonly secret: Secrets;
  readonly storage: Storage;
  readonly destinations: Destinations;
  /** Where receivers reach the HTTP API. */
  readonly apiUrl: string;
}

/** A receiver that takes longer may do its work after its answer. */
const ANSWER_MS = 10_000;
const JSON_TYPE = { 'content-type': 'application/json' };
/** Answers to GET that say: not in this way. */
const NOT_BY_GET = [404, 405, 501];
const isGood = ({ status }: Answer) => status >= 200 && status <= 299;

/** Sends events. A receiver in Adobe's form must first say that it wants them: at once, to every process anew, or later. */
export class EventSender {
  private readonly sender: Sender;
  private readonly verified = new Set<string>();
  /** When an address was asked that may yet agree. */
  private readonly asked = new Map<string, number>();

  constructor(sender: Sender) {
    this.sender = sender;
  }

  /**
   * One attempt.
   * @throws Failure `Unavailable` when it may be repeated, `Rejected` when the receiver says 410: it is gone for good.
   */
  async send(webhook: Webhook, announcement: Announcement): Promise<void> {
    const { id } = announcement;
    if (webhook.form === 'slack') {
      const url = await this.secret(webhook.urlSecret);
      const problem = webhookUrlProblem(url);
      if (problem) throw new Failure('Unavailable', `the secret ${webhook.urlSecret} ${problem}`);
      return accepted(webhook, await this.ask(webhook, new URL(url), { body: slackBody(announcement) }));
    }
    await this.verify(webhook, announcement.programId);
    const body = adobeBody(announcement, webhook, this.sender.apiUrl);
    const headers = { ...(await this.signed(webhook, body)), 'x-adobe-event-id': id };
    accepted(webhook, await this.ask(webhook, new URL(webhook.url), { body, headers }));
  }

  /**
   * Asks the receiver to repeat a challenge, by GET as Adobe does; by POST where it does not take GET, or does not repeat
   * it: that names an address, too, to be opened later. Nothing is sent to an address whose owner did not agree to it.
   */
  private async verify(webhook: AdobeWebhook, programId: string): Promise<void> {
    const { id, url } = webhook;
    if (this.verified.has(url)) return;
    const isWaitedFor = Date.now() < (this.asked.get(url) ?? -Infinity) + AGREE_WITHIN_MS;
    const agrees =
      (await hasAgreed(this.sender.storage, programId, webhook)) ||
      (!isWaitedFor && (await this.challenged(webhook, programId)));
    if (!agrees)
      throw new Failure(
        'Unavailable',
        `webhook ${id} has neither repeated its challenge nor opened the address in it: nothing is sent to it`,
      );
    this.verified.add(url);
  }

  /** Whether it repeats a challenge at once. */
  private async challenged(webhook: AdobeWebhook, programId: string): Promise<boolean> {
    const challenge = randomUUID();
    const url = new URL(webhook.url);
    url.searchParams.set('challenge', challenge);
    const answer = await this.ask(webhook, url, { method: 'GET' });
    if (echoes(answer, challenge)) return true;
    if (!isGood(answer) && !NOT_BY_GET.includes(answer.status)) return false;
    const { storage, apiUrl } = this.sender;
    await noteChallenge(storage, programId, webhook, challenge);
    const path = paths.webhook(programId, webhook.id);
    const validationUrl = `${apiUrl}${path}/validation?challenge=${challenge}`;
    const body = JSON.stringify({ challenge, validationUrl });
    const posted = await this.ask(webhook, new URL(webhook.url), {
      body,
      headers: await this.signed(webhook, body),
    });
    if (isGood(posted)) this.asked.set(webhook.url, Date.now());
    return echoes(posted, challenge);
  }

  private async signed({ secret }: AdobeWebhook, body: string): Promise<Record<string, string>> {
    return { 'x-adobe-signature': signatureOf(body, await this.secret(secret)) };
  }

  /** One that is missing may be there when it is tried again. */
  private async secret(name: string): Promise<string> {
    try {
      return await this.sender.secret(name);
    } catch (error) {
      throw error instanceof Failure ? new Failure('Unavailable', error.message) : error;
    }
  }

  /** The address may be a secret, so that it is in no message. */
  private async ask({ id }: Webhook, url: URL, question: Question): Promise<Answer> {
    const refusal = this.sender.destinations.refusal(url);
    if (refusal) throw new Failure('Unavailable', `webhook ${id}: ${refusal}`);
    const { dispatcher } = this.sender.destinations;
    try {
      return await askHttp(url, {
        ...{ method: 'POST', timeOutMs: ANSWER_MS, most: 10_000, dispatcher, ...question },
        headers: { ...JSON_TYPE, ...question.headers },
      });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const message = error.message.replace(`${url.origin}${url.pathname}`, `webhook ${id}`);
      throw new Failure('Unavailable', message);
    }
  }
}

function echoes(answer: Answer, challenge: string): boolean {
  const { body } = answer;
  if (!isGood(answer)) return false;
  if (body.trim() === challenge) return true;
  try {
    return (JSON.parse(body) as { challenge?: unknown } | null)?.challenge === challenge;
  } catch {
    return false;
  }
}

const GONE = 410;

function accepted({ id }: Webhook, answer: Answer): void {
  const { status } = answer;
  if (isGood(answer)) return;
  throw new Failure(status === GONE ? 'Rejected' : 'Unavailable', `webhook ${id} answered ${status}`);
}
