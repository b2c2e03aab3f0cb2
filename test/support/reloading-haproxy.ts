import { readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { LocalHaproxy } from '../../src/local/haproxy.ts';
import { startChild } from '../../src/local/child.ts';
import { haproxy } from '../../src/systems/load-balancer/haproxy.ts';
import { until } from './until.ts';

/**
 * HAProxy as an operator runs it, under a master that reloads it without losing a connection: in place of the one of a
 * local environment, at the same addresses.
 */
export class ReloadingHaproxy {
  readonly #local: LocalHaproxy;
  readonly #folder: string;
  #config = '';
  #running: ReturnType<typeof startChild> | undefined;

  constructor(local: LocalHaproxy, folder: string) {
    this.#local = local;
    this.#folder = folder;
  }

  get #states(): string {
    return join(this.#folder, 'states');
  }

  /** Takes the place of the local one. */
  async takeOver(): Promise<void> {
    const config = await readFile(join(this.#folder, 'haproxy.cfg'), 'utf8');
    this.#config = config
      .replace(/^global\n/m, `global\n  server-state-file ${this.#states}\n`)
      .replace(/^defaults\n/m, 'defaults\n  load-server-state-from-file global\n')
      .replace('level admin', 'level admin expose-fd listeners');
    await this.#local.stop();
    await this.start();
  }

  /** With the states that are kept, if any. */
  async start(): Promise<void> {
    const file = join(this.#folder, 'reloading.cfg');
    await writeFile(file, this.#config);
    this.#running = startChild('haproxy', ['-W', '-db', '-f', file], {
      logFile: join(this.#folder, 'reloading.log'),
    });
    const balancer = haproxy(this.#local);
    await until('HAProxy has checked its servers', () =>
      balancer.servers().then(
        (servers) => servers.every(({ status }) => status !== 'uncertain'),
        () => false,
      ),
    );
  }

  async kill(): Promise<void> {
    if (this.#running) process.kill(-this.#running.pid, 'SIGKILL');
    await this.stop();
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }

  /** Writes down, for the next start or reload, which servers are out. */
  async keepStates(): Promise<void> {
    await writeFile(this.#states, await this.#ask('show servers state'));
  }

  /** As `systemctl reload haproxy`: the states are written down before, or are those of an earlier time, or none. */
  async reload(states: 'kept' | 'earlier' | 'lost'): Promise<void> {
    if (states === 'kept') await this.keepStates();
    if (states === 'lost') await rm(this.#states, { force: true });
    const before = await this.#worker();
    process.kill(this.#running!.pid, 'SIGUSR2');
    await until('a new worker of HAProxy answers', async () => {
      const worker = await this.#worker().catch(() => before);
      return worker !== before;
    });
  }

  async #worker(): Promise<string> {
    return /^Pid: (\d+)/m.exec(await this.#ask('show info'))?.[1] ?? '';
  }

  async #ask(words: string): Promise<string> {
    const socket = connect(this.#local.socket);
    socket.end(`${words}\n`);
    return text(socket);
  }
}
