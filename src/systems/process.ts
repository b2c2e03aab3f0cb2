import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Failure } from './failure.ts';

export interface RunOptions {
  readonly cwd?: string;
  /** The whole environment of the process; nothing is inherited unless it stands here. */
  readonly env?: NodeJS.ProcessEnv;
  /** Written to standard input, which is empty otherwise. */
  readonly input?: string;
  /** Ends the process and everything it started. */
  readonly signal?: AbortSignal;
  /** Called for each line of standard output and standard error. */
  readonly onLine?: (line: string) => void;
}

export interface Finished {
  /** Exit code; -1 when a signal ended the process. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const KEPT = 1_000_000;
const KILL_AFTER_MS = 5_000;
const RELEASE_AFTER_MS = 2_000;

/**
 * Runs a program, without a shell, in a process group of its own, and waits for its end whatever its exit code.
 * Keeps the last megabyte of each output. When `signal` fires the whole group gets SIGTERM, then SIGKILL.
 * @throws Failure `Missing` when the program cannot be started; the signal's reason when it fired.
 */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const { signal, onLine } = options;
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] = (output[name] + text).slice(-KEPT);
      });
      if (onLine) createInterface({ input: child[name] }).on('line', onLine);
    }
    child.stdin.on('error', () => undefined); // the program may close its input early
    child.stdin.end(options.input ?? '');

    let escalation: NodeJS.Timeout | undefined;
    const stop = () => {
      killGroup(child.pid, 'SIGTERM');
      escalation = setTimeout(() => killGroup(child.pid, 'SIGKILL'), KILL_AFTER_MS);
    };
    signal?.addEventListener('abort', stop, { once: true });

    let release: NodeJS.Timeout | undefined;
    child.on('exit', () => {
      // Something that the program left behind may keep its output open for ever.
      release = setTimeout(
        () => [child.stdout, child.stderr].forEach((pipe) => pipe.destroy()),
        RELEASE_AFTER_MS,
      );
    });

    const settle = (end: () => void) => {
      signal?.removeEventListener('abort', stop);
      clearTimeout(escalation);
      clearTimeout(release);
      end();
    };
    child.on('error', (cause: NodeJS.ErrnoException) =>
      settle(() => reject(new Failure('Missing', `cannot start ${program}: ${cause.message}`, { cause }))),
    );
    child.on('close', (code) =>
      settle(() => {
        if (signal?.aborted) {
          killGroup(child.pid, 'SIGKILL'); // what the program left in its group
          reject(signal.reason as Error);
        } else resolve({ code: code ?? -1, ...output });
      }),
    );
  });
}

/** Signals a process group; one that is gone already is no error. */
export function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
