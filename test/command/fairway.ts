import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { main } from '../../src/command/main.ts';
import type { Surroundings } from '../../src/command/session.ts';

const COMMAND = join(import.meta.dirname, '../../bin/fairway.mjs');

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What it has written to standard output so far. */
  readonly output: () => string;
  /** The same of standard error. */
  readonly errors: () => string;
}

export interface Given {
  /** Besides PATH; nothing of this process's environment reaches the command. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly cwd?: string;
}

const children = new Set<ChildProcess>();

/** Ends what a failed test has left running. */
export function endAll(): void {
  for (const child of children) child.kill('SIGKILL');
}

/** Starts the real command, as a process without a terminal. */
export function startFairway(args: readonly string[], { env, input, cwd }: Given = {}): Running {
  const child = spawn(process.execPath, [COMMAND, ...args], {
    cwd,
    env: { PATH: process.env['PATH'], HOME: '/nowhere', TZ: 'UTC', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  children.add(child);
  child.on('close', () => children.delete(child));
  child.stdin.end(input ?? '');
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => (written[name] += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? -1, ...written }));
  });
  return { process: child, ended, output: () => written.stdout, errors: () => written.stderr };
}

/** The same in this process, which takes a tenth of the time. */
export async function fairway(
  args: readonly string[],
  { env = {}, input = '', cwd = '/' }: Given = {},
): Promise<Ended> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written) =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        written[name] += chunk.toString();
        done();
      },
    });
  const surroundings = {
    env: { ...env },
    stdin: Readable.from(input === '' ? [] : [Buffer.from(input)]),
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    cwd: () => cwd,
  } as unknown as Surroundings;
  const code = await main(args, surroundings);
  return { code, ...written };
}
