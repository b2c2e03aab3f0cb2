import { randomUUID } from 'node:crypto';
import type { Announcement } from '../../model/events.ts';
import type { Webhook } from '../../model/schema/definition.ts';
import { webhookUrlProblem } from '../../model/schema/webhook.ts';
import { Failure } from '../failure.ts';
import { askHttp, type Answer, type Question } from '../http-ask.ts';
import type { Secrets } from '../secrets.ts';
import { adobeBody, signatureOf, slackBody } from './bodies.ts';
import type { Destinations } from './destinations.ts';

export interface Sender {
  readonly secret: Secrets;
  readonly destinations: Destinations;
  /** Where receivers reach the HTTP API. */
  readonly apiUrl: string;
}

/** A receiver that takes longer may do its work after its answer. */
const ANSWER_MS = 10_000;
const JSON_TYPE = { 'content-type': 'application/json' };
/** Answers to GET that say: not in this way. */
const NOT_BY_GET = [404, 405, 501];

/** Sends events. A receiver in Adobe's form must first say, once to every process, that it wants them. */
export class EventSender {
  private readonly sender: Sender;
  private readonly verified = new Set<string>();

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
    await this.verify(webhook);
    const body = adobeBody(announcement, webhook, this.sender.apiUrl);
    const headers = { ...(await this.signed(webhook, body)), 'x-adobe-event-id': id };
    accepted(webhook, await this.ask(webhook, new URL(webhook.url), { body, headers }));
  }

  /**
   * Asks the receiver to repeat a challenge, by GET as Adobe does, or by POST where it does not take GET: nothing is sent
   * to an address whose owner did not agree to it.
   */
  private async verify(webhook: Extract<Webhook, { form: 'adobe' }>): Promise<void> {
    if (this.verified.has(webhook.url)) return;
    const challenge = randomUUID();
    const url = new URL(webhook.url);
    url.searchParams.set('challenge', challenge);
    let answer = await this.ask(webhook, url, { method: 'GET' });
    if (NOT_BY_GET.includes(answer.status)) {
      const body = JSON.stringify({ challenge });
      const headers = await this.signed(webhook, body);
      answer = await this.ask(webhook, new URL(webhook.url), { body, headers });
    }
    if (!echoes(answer, challenge))
      throw new Failure(
        'Unavailable',
        `webhook ${webhook.id} did not repeat the challenge (status ${answer.status}): nothing is sent to it`,
      );
    this.verified.add(webhook.url);
  }

  private async signed(
    { secret }: Extract<Webhook, { form: 'adobe' }>,
    body: string,
  ): Promise<Record<string, string>> {
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

function echoes({ status, body }: Answer, challenge: string): boolean {
  if (status < 200 || status > 299) return false;
  if (body.trim() === challenge) return true;
  try {
    return (JSON.parse(body) as { challenge?: unknown } | null)?.challenge === challenge;
  } catch {
    return false;
  }
}

const GONE = 410;

function accepted({ id }: Webhook, { status }: Answer): void {
  if (status >= 200 && status <= 299) return;
  throw new Failure(status === GONE ? 'Rejected' : 'Unavailable', `webhook ${id} answered ${status}`);
}
