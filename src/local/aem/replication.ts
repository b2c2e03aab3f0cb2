import { request } from 'undici';
import { z } from 'zod';
import { pause } from '../../systems/pause.ts';
import { json, text, type Answer } from './answer.ts';
import { docViewXml, parseDocView } from './docview.ts';
import type { Faults } from './faults.ts';
import type { Repository } from './repository.ts';

/** Where an instance sends what is replicated: to a publish instance, or to the cache of a dispatcher. */
export type Agent =
  | { readonly to: 'publish'; readonly url: string; readonly credentials: string }
  | { readonly to: 'dispatcher'; readonly url: string; readonly host: string };

const delivery = z.object({
  action: z.enum(['Activate', 'Deactivate', 'Delete']),
  path: z.string().startsWith('/content/'),
  /** Document view; absent where there is nothing to be any more. */
  node: z.string().optional(),
});
type Delivery = z.infer<typeof delivery>;

const AGAIN_MS = 100;

/**
 * Replication (AEM 6.5, "Replication"): the author's `/bin/replicate.json` answers when a request is queued; agents
 * deliver one after the other, and one that fails blocks its queue until it succeeds. What goes over the line is a
 * form of the stand-ins' own.
 */
export class Replication {
  /** May be added to while the instance runs. */
  readonly agents: Agent[] = [];
  readonly #queues = new Map<Agent, Promise<void>>();
  readonly #ended = new AbortController();
  readonly #repository: Repository;
  readonly #faults: Faults;

  constructor(repository: Repository, faults: Faults) {
    this.#repository = repository;
    this.#faults = faults;
  }

  /** `/bin/replicate.json` */
  async replicate(form: ReadonlyMap<string, string>): Promise<Answer> {
    const path = form.get('path') ?? '';
    const action = delivery.shape.action.safeParse(form.get('cmd'));
    const said = (code: number, message: string) =>
      json({ 'status.code': code, 'status.message': message, path }, code);
    if (!action.success || !path.startsWith('/content/')) return said(400, 'No command or path specified');
    if (this.agents.length === 0) return said(500, 'No active replication agents');
    const node = await this.#repository.node(path);
    if (action.data === 'Activate' && !node) return said(404, `Path does not exist: ${path}`);
    this.#queue({
      ...{ action: action.data, path },
      ...(action.data === 'Activate' && node && { node: docViewXml(node) }),
    });
    return said(200, `Replication started for ${path}`);
  }

  /** `/bin/receive` of a publish instance, which tells its dispatchers. */
  async receive(body: string | undefined): Promise<Answer> {
    const { action, path, node } = delivery.parse(JSON.parse(body ?? ''));
    if (node === undefined) await this.#repository.remove(path);
    else await this.#repository.write(path, parseDocView(node));
    this.#queue({ action, path });
    return text(200, `ReplicationAction ${action} ok.`);
  }

  /** Returns once everything that was queued has been delivered. */
  async delivered(): Promise<void> {
    await Promise.all(this.#queues.values());
  }

  end(): void {
    this.#ended.abort(new Error('the instance died'));
  }

  #queue(what: Delivery): void {
    for (const agent of this.agents) {
      const before = this.#queues.get(agent) ?? Promise.resolve();
      const next = before.then(() => this.#deliver(agent, what)).catch(() => undefined); // it ended
      this.#queues.set(agent, next);
    }
  }

  async #deliver(agent: Agent, what: Delivery): Promise<void> {
    const { signal } = this.#ended;
    for (;;) {
      await this.#faults.replications.pass();
      signal.throwIfAborted();
      const code = await send(agent, what, signal).catch(() => 0);
      if (code === 200) return;
      await pause(AGAIN_MS, signal);
    }
  }
}

async function send(agent: Agent, { action, path, node }: Delivery, signal: AbortSignal): Promise<number> {
  const { statusCode, body } =
    agent.to === 'publish'
      ? await request(`${agent.url}/bin/receive`, {
          method: 'POST',
          headers: {
            authorization: `Basic ${Buffer.from(agent.credentials).toString('base64')}`,
            'content-type': 'application/x-www-form-urlencoded',
            'user-agent': 'Apache-HttpClient/4.5 (stand-in)',
          },
          body: new URLSearchParams({ delivery: JSON.stringify({ action, path, node }) }).toString(),
          reset: true,
          signal,
        })
      : await request(`${agent.url}/dispatcher/invalidate.cache`, {
          method: 'POST',
          headers: { host: agent.host, 'CQ-Action': action, 'CQ-Handle': path, 'CQ-Path': path },
          body: '',
          reset: true,
          signal,
        });
  await body.dump();
  return statusCode;
}
