import { spawn } from 'node:child_process';
import { Failure } from './failure.ts';

export interface RunOptions {
  readonly cwd?: string;
  /** The whole environment of the process; nothing is inherited unless it stands here. */
  readonly env?: NodeJS.ProcessEnv;
  /** Written to standard input, which is empty otherwise. */
  readonly input?: string;
  /** Ends the process and everything it started. */
  readonly signal?: AbortSignal;
  /** Called for each line of standard output and standard error; of one longer than 64 KiB, for its pieces. */
  readonly onLine?: (line: string) => void;
}

export interface Finished {
  /** Exit code; -1 when a signal ended the process. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const KEPT = 1_000_000;
const LONGEST_LINE = 64 * 1024;
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
    const splitters = (['stdout', 'stderr'] as const).map((name) => {
      const splitter = inLines(onLine);
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] += text;
        // Not each time: to cut a text is to copy it.
        if (output[name].length > 2 * KEPT) output[name] = output[name].slice(-KEPT);
        splitter.add(text);
      });
      return splitter;
    });
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
      splitters.forEach((splitter) => splitter.end());
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
        } else
          resolve({
            code: code ?? -1,
            stdout: output.stdout.slice(-KEPT),
            stderr: output.stderr.slice(-KEPT),
          });
      }),
    );
  });
}

/** Memory does not grow with what a program prints, lines or not. */
function inLines(onLine: (line: string) => void = () => undefined) {
  let rest = '';
  return {
    add(text: string) {
      // Whether a carriage return at the end belongs to a line feed is not known yet.
      const lines = (rest + text).split(/\r\n|\n|\r(?=[^\n])/);
      rest = lines.pop() ?? '';
      lines.forEach(onLine);
      for (; rest.length > LONGEST_LINE; rest = rest.slice(LONGEST_LINE)) onLine(rest.slice(0, LONGEST_LINE));
    },
    end() {
      if (rest !== '') onLine(rest.replace(/\r$/, ''));
      rest = '';
    },
  };
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
