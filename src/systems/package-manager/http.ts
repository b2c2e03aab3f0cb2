import type { Readable } from 'node:stream';
import { Agent, request, type Dispatcher } from 'undici';
import { Failure, messageOf } from '../failure.ts';

/** An AEM instance and an account of it. */
export interface Endpoint {
  /** Base URL, without a slash at its end. */
  readonly url: string;
  /** `user:password` */
  readonly credentials: string;
  /**
   * Whether it may know a user before it knows what that user is allowed to, as Sling does that starts: a 403 then says
   * nothing yet. A wrong password is a 401 at any time.
   */
  readonly forbidsWhileStarting?: boolean;
}

export interface Question {
  readonly path: string;
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  /** A piece of it may change once the next one is asked for. */
  readonly body?: string | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
  /** AEM answers when it is done, however long that takes. */
  readonly unlimited?: boolean;
}

/** The request was sent and no whole answer came: AEM may have done what it asked. Ask it before repeating. */
export class LostAnswer extends Failure {
  constructor(message: string, cause?: unknown) {
    super('Unavailable', message, { cause });
  }
}

const READ_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** Nothing is sent over a connection that was used before: the other end may have been restarted meanwhile. */
const agent = new Agent({ pipelining: 0, connect: { timeout: CONNECT_TIMEOUT_MS } });
/** Not a browser's: Sling's ReferrerFilter would ask for a referrer. */
const USER_AGENT = 'fairway';
const neverSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** The text of an answer with status 200, piece by piece to `onText`. */
export async function ask(
  endpoint: Endpoint,
  question: Question,
  onText: (text: string) => void,
): Promise<void> {
  const { signal, method = 'GET' } = question;
  const lost = (error: unknown) => {
    signal?.throwIfAborted();
    const words = `${endpoint.url} does not answer: ${messageOf(error)}`;
    return method === 'GET' || neverSent.has(codeOf(error))
      ? new Failure('Unavailable', `${words}. Check that the instance runs.`, { cause: error })
      : new LostAnswer(words, error);
  };
  let answer: Dispatcher.ResponseData;
  try {
    answer = await send(endpoint, question);
  } catch (error) {
    throw lost(error);
  }
  try {
    if (answer.statusCode !== 200) await answer.body.dump();
    else {
      const decoder = new TextDecoder();
      for await (const chunk of answer.body as AsyncIterable<Uint8Array>)
        onText(decoder.decode(chunk, { stream: true }));
    }
  } catch (error) {
    throw lost(error);
  }
  refuseStatus(endpoint, question, answer);
}

/** The whole text of an answer with status 200. */
export async function askText(endpoint: Endpoint, question: Question): Promise<string> {
  let text = '';
  await ask(endpoint, question, (piece) => {
    text += piece;
  });
  return text;
}

function send({ url, credentials }: Endpoint, question: Question): Promise<Dispatcher.ResponseData> {
  const { path, method = 'GET', headers, body, signal, unlimited = false } = question;
  const timeout = unlimited ? 0 : READ_TIMEOUT_MS;
  return request(`${url}${path}`, {
    dispatcher: agent,
    method,
    // undici takes whatever can be iterated, and asks for a piece when the one before has left; its type does not say so.
    body: body as string | Readable | undefined,
    headers: {
      authorization: `Basic ${Buffer.from(credentials, 'utf8').toString('base64')}`,
      'user-agent': USER_AGENT,
      ...headers,
    },
    headersTimeout: timeout,
    bodyTimeout: timeout,
    signal,
  });
}

function refuseStatus(
  { url, credentials, forbidsWhileStarting = false }: Endpoint,
  { path, method }: Question,
  { statusCode: status, headers }: Dispatcher.ResponseData,
): void {
  if (status === 200) return;
  const asked = `${url}${path.replace(/\?.*$/, '')}`;
  const user = credentials.replace(/:.*$/s, '');
  if (status === 403 && forbidsWhileStarting)
    throw new Failure(
      'Unavailable',
      `${asked} refuses the user ${user} (status 403), as it does for a while when it starts. If it goes on, check the permissions of the user.`,
    );
  if (status === 401 || status === 403)
    throw new Failure(
      'Denied',
      `${asked} refuses the user ${user} (status ${status}). Check the secret that holds its password, and its permissions.`,
    );
  if (status >= 300 && status < 400)
    throw new Failure(
      'Denied',
      `${asked} sends the user ${user} to ${String(headers.location)} (status ${status}) instead of accepting its password. Check the secret and the URL of the instance.`,
    );
  // Sling answers 405 or 409 to a POST for as long as the servlet of that path is not there.
  if ([404, 405, 409, 429, 503].includes(status))
    throw new Failure(
      'Unavailable',
      `${asked} is not available (status ${status}): it is restarting, or no AEM.`,
    );
  if (status < 500) throw new Failure('Rejected', `${asked} does not accept the request (status ${status}).`);
  const words = `${asked} failed with status ${status}`;
  throw method === undefined || method === 'GET'
    ? new Failure('Unavailable', `${words}.`)
    : new LostAnswer(words);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
