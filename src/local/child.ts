import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { onPath } from './setup/on-path.ts';

export interface Child {
  readonly pid: number;
  /** Resolves once the process has ended, with how: `exit code 1`, `signal SIGKILL`, or why it never started. */
  readonly ended: Promise<string>;
  /** What `ended` resolved with; undefined while the process runs. */
  readonly end: () => string | undefined;
  /** SIGTERM, then SIGKILL after fifteen seconds, to its process group; returns when it has ended. */
  stop(): Promise<void>;
}

const KILL_AFTER_MS = 15_000;

/**
 * Starts a server that belongs to this process. A group of its own keeps Ctrl-C in a terminal from reaching it
 * before its owner stops it in good order; where `setpriv` exists (Linux) the kernel ends it should the owner be killed.
 * Its output is appended to `logFile`.
 */
export function startChild(
  program: string,
  args: readonly string[],
  options: { readonly logFile: string; readonly cwd?: string; readonly env?: NodeJS.ProcessEnv },
): Child {
  const setpriv = onPath('setpriv');
  const command = [...(setpriv ? [setpriv, '--pdeathsig', 'KILL', '--'] : []), program, ...args];
  const log = openSync(options.logFile, 'a');
  const child = spawn(command[0] as string, command.slice(1), {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);

  let end: string | undefined;
  const ended = new Promise<string>((resolve) => {
    const finish = (how: string) => resolve((end ??= how));
    child.once('error', (error) => finish(error.message));
    child.once('exit', (code, signal) => finish(signal ? `signal ${signal}` : `exit code ${code}`));
  });
  const kill = (signal: NodeJS.Signals) => {
    if (end !== undefined || child.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  return {
    pid: child.pid ?? 0,
    ended,
    end: () => end,
    async stop() {
      kill('SIGTERM');
      const escalation = setTimeout(() => kill('SIGKILL'), KILL_AFTER_MS);
      await ended;
      clearTimeout(escalation);
    },
  };
}
