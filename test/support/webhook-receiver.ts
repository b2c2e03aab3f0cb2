import type { IncomingHttpHeaders } from 'node:http';
import { httpServer, type HttpServer } from './http-server.ts';

export interface Received {
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

/** What a receiver does with an event; undefined: it never answers. */
export type Answer = number | undefined;

/** A receiver of events: repeats challenges, and answers events as it is told. */
export class WebhookReceiver {
  /** Every request with an event, also one that was refused. */
  readonly received: Received[] = [];
  /** Methods of the requests with a challenge. */
  readonly challenges: string[] = [];
  /** What becomes of the next event. */
  answer: (attempt: number) => Answer = () => 200;
  /** How it repeats a challenge; by the methods that it takes. */
  challenge: 'text' | 'json' | 'by POST' | 'later' | 'wrong' = 'text';
  /** Addresses that challenges named, to be opened later. */
  readonly validationUrls: string[] = [];
  private server: HttpServer | undefined;

  /** Listens, at the same address every time. */
  async start(): Promise<void> {
    const port = this.server ? Number(new URL(this.server.url).port) : 0;
    this.server = await httpServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        const asked = new URL(request.url ?? '', 'http://receiver').searchParams.get('challenge');
        const posted = (body === '' ? {} : JSON.parse(body)) as {
          challenge?: string;
          validationUrl?: string;
        };
        if (asked !== null || posted.challenge !== undefined) {
          this.challenges.push(request.method ?? '');
          if (posted.validationUrl) this.validationUrls.push(posted.validationUrl);
          const [status, text] = this.repeated(asked, posted.challenge);
          return void response.writeHead(status).end(text);
        }
        this.received.push({ body, headers: request.headers });
        const status = this.answer(this.received.length);
        if (status !== undefined) response.writeHead(status).end();
      });
    }, port);
  }

  private repeated(asked: string | null, posted: string | undefined): [number, string] {
    switch (this.challenge) {
      case 'text':
        return [200, asked ?? ''];
      case 'json':
        return [200, JSON.stringify({ challenge: asked })];
      case 'by POST':
        return posted === undefined ? [405, ''] : [200, JSON.stringify({ challenge: posted })];
      case 'later':
        return [200, ''];
      case 'wrong':
        return [200, 'hello'];
    }
  }

  get url(): string {
    return `${this.server?.url}/hook`;
  }

  /** Nobody answers at its address any more. */
  async stop(): Promise<void> {
    await this.server?.close();
  }
}
