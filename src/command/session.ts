import { userInfo } from 'node:os';
import { Command } from 'commander';
import type { Actor } from '../model/actor.ts';
import type { FairwayAccess } from '../client/access.ts';
import type { FairwayClient } from '../client/fairway-client.ts';
import { flushTraces } from '../systems/tracing/tracing.ts';
import { encoded, hasColours, painter, type Format, type Paint } from './output.ts';
import { Problem, type Exit } from './problem.ts';
import { readSettings, type Settings } from './settings.ts';

/** Options that every command takes. */
export interface GlobalOptions {
  readonly output: Format;
  readonly config?: string;
  readonly profile?: string;
  readonly as?: string;
  readonly api?: string;
}

/** What a command reads and writes: a process, or what stands for one. */
export type Surroundings = Pick<NodeJS.Process, 'env' | 'stdin' | 'stdout' | 'stderr' | 'cwd'>;

/** The whole command line, with what it runs in and what came of it. */
export class Root extends Command {
  readonly surroundings: Surroundings;
  exit: Exit = 'finished';

  constructor(name: string, surroundings: Surroundings) {
    super(name);
    this.surroundings = surroundings;
  }
}

/** One run of the command: where it connects, who acts, and what it writes where. */
export class Session {
  readonly format: Format;
  /** Colours of standard output. */
  readonly paint: Paint;
  readonly io: Surroundings;
  private readonly options: GlobalOptions;
  private known: Settings | undefined;
  private connected: Promise<FairwayClient> | undefined;

  constructor(options: GlobalOptions, io: Surroundings) {
    this.options = options;
    this.io = io;
    this.format = options.output;
    this.paint = painter(hasColours(io.stdout, io.env));
  }

  get settings(): Settings {
    return (this.known ??= readSettings(this.options.config, this.io.env, this.io.cwd()));
  }

  /** The user of this machine, or whom `--as` names; nothing proves either. */
  get by(): Actor {
    return { subject: this.options.as ?? userInfo().username, via: 'cli', verified: false };
  }

  /** Whether a person can be asked. */
  get canAsk(): boolean {
    return this.io.stdin.isTTY === true && this.io.stderr.isTTY === true;
  }

  /** Which Temporal Service the settings file names, unless the command line or the environment names another. */
  get temporal(): { readonly profile?: string; readonly address?: string; readonly namespace?: string } {
    const { profile } = this.options;
    if (profile !== undefined) return { profile };
    const { TEMPORAL_PROFILE, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE } = this.io.env;
    if (TEMPORAL_PROFILE) return { profile: TEMPORAL_PROFILE };
    const { address, namespace }: Settings = TEMPORAL_ADDRESS ? { address: TEMPORAL_ADDRESS } : this.settings;
    return { address, namespace: TEMPORAL_NAMESPACE || namespace };
  }

  get storage(): string | undefined {
    return this.io.env['FAIRWAY_STORAGE'] || this.settings.storage;
  }

  get secrets(): string | undefined {
    return this.io.env['FAIRWAY_SECRETS'] || this.settings.secrets;
  }

  /** The HTTP API to use instead of Temporal, where the command line or the environment names one. */
  private get api(): string | undefined {
    return this.options.api ?? (this.io.env['FAIRWAY_API'] || undefined);
  }

  /** Over the API where one is named, else as `direct`. @throws Problem `usage` without a token */
  async client(): Promise<FairwayAccess> {
    const { api } = this;
    if (api === undefined) return this.direct();
    if (this.options.as !== undefined)
      throw new Problem('usage', 'over the API the token says who acts', 'leave out --as');
    const token = this.io.env['FAIRWAY_TOKEN'];
    if (!token)
      throw new Problem(
        'usage',
        `there is no token for ${api}`,
        'set FAIRWAY_TOKEN to one: of fairway token create, or of the identity provider of that API',
      );
    const { ApiClient } = await import('../client/http/api-client.ts');
    return new ApiClient(api, token);
  }

  /** Temporal itself; connects at the first call. @throws FairwayError `unavailable`, Problem `usage` where the API is to be used */
  direct(): Promise<FairwayClient> {
    if (this.api !== undefined)
      throw new Problem(
        'usage',
        'the API cannot do this: the command needs Temporal itself',
        'leave out --api and FAIRWAY_API, and name the Temporal Service: TEMPORAL_ADDRESS, --profile, or "temporal" in the settings file',
      );
    return (this.connected ??= this.connect());
  }

  private async connect(): Promise<FairwayClient> {
    const { temporal, storage, secrets } = this;
    const { FairwayClient } = await import('../client/fairway-client.ts');
    return FairwayClient.connect({ ...temporal, storage, secrets });
  }

  async close(): Promise<void> {
    await (await this.connected?.catch(() => undefined))?.close();
    await flushTraces();
  }

  write(...lines: string[]): void {
    this.io.stdout.write(lines.map((line) => `${line}\n`).join(''));
  }

  /** For people, beside the answer: goes to standard error. */
  note(...lines: string[]): void {
    this.io.stderr.write(lines.map((line) => `${line}\n`).join(''));
  }

  /** The answer: the whole value for programs, or lines for people. */
  async answer(value: unknown, lines: () => readonly string[]): Promise<void> {
    const text = await encoded(value, this.format);
    if (text === undefined) this.write(...lines());
    else this.io.stdout.write(text);
  }

  /** Asks a question on the terminal; the empty answer is ''. */
  async ask(question: string): Promise<string> {
    const { createInterface } = await import('node:readline/promises');
    const terminal = createInterface({ input: this.io.stdin, output: this.io.stderr });
    // Ctrl-C and Ctrl-D are no answer.
    const gone = new Promise<never>((_, reject) =>
      terminal.once('close', () => reject(new Problem('refused', 'no answer: nothing was changed'))),
    );
    try {
      return (await Promise.race([terminal.question(question), gone])).trim();
    } finally {
      gone.catch(() => undefined);
      terminal.close();
    }
  }

  /** As `ask`, without showing what is typed. */
  async askHidden(question: string): Promise<string> {
    this.io.stderr.write(question);
    this.io.stdin.setRawMode(true).resume();
    let typed = '';
    try {
      for await (const chunk of this.io.stdin.setEncoding('utf8') as AsyncIterable<string>)
        for (const key of chunk) {
          if (key === '\r' || key === '\n') return typed;
          if (key === '\x03' || key === '\x04')
            throw new Problem('refused', 'no answer: nothing was changed');
          typed = key === '\x7f' ? typed.slice(0, -1) : typed + key;
        }
      return typed;
    } finally {
      this.io.stdin.setRawMode(false).pause();
      this.io.stderr.write('\n');
    }
  }

  /** @throws Problem `refused` when the person says no, `usage` when nobody can be asked and `--yes` is not there */
  async confirm(question: string, yes: boolean | undefined): Promise<void> {
    if (yes) return;
    if (!this.canAsk)
      throw new Problem('usage', `${question} Nobody can be asked here`, 'add --yes to do it without asking');
    if (!/^y(es)?$/i.test(await this.ask(`${question} [y/N] `)))
      throw new Problem('refused', 'nothing was changed');
  }
}

/** A command's action: its arguments, then its options. What it answers becomes the exit code. */
export const action =
  <A extends readonly unknown[]>(body: (session: Session, ...args: A) => Promise<Exit | void>) =>
  async (...all: unknown[]): Promise<void> => {
    const command = all.at(-1) as Command;
    const root = rootOf(command);
    const session = new Session(command.optsWithGlobals<GlobalOptions>(), root.surroundings);
    try {
      root.exit = (await body(session, ...(all.slice(0, -1) as unknown as A))) ?? 'finished';
    } finally {
      await session.close();
    }
  };

function rootOf(command: Command): Root {
  if (command instanceof Root) return command;
  if (command.parent) return rootOf(command.parent);
  throw new Error(`the command ${command.name()} belongs to no command line`);
}

/** Text below the help of a command. */
export const examples = (...lines: string[]): string =>
  `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
