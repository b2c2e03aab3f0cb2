import { Failure } from '../failure.ts';
import { run, type Finished } from '../process.ts';
import type { Command, ConfigurationSettings } from './settings.ts';

const LIMIT_MS = 60_000;

/**
 * Runs one of the host's commands for a server root, at most a minute.
 * @throws Failure `Missing` when it cannot be started, `NotReady` when it does not end.
 */
export async function runCommand(
  settings: ConfigurationSettings,
  command: Command,
  root: string,
  signal?: AbortSignal,
): Promise<Finished> {
  const limit = AbortSignal.timeout(LIMIT_MS);
  try {
    return await run(
      command.program,
      command.args.map((arg) => arg.replaceAll('{root}', root)),
      {
        cwd: root,
        env: { PATH: process.env.PATH, ...settings.environment },
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
      },
    );
  } catch (cause) {
    signal?.throwIfAborted();
    if (!limit.aborted) throw cause;
    throw new Failure('NotReady', `${command.program} did not end within ${LIMIT_MS / 1000} s`, { cause });
  }
}

/** What a command said, line by line. */
export const linesOf = ({ stdout, stderr }: Finished): string[] =>
  `${stderr}\n${stdout}`
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/**
 * Apache's config test of a server root. `translate` turns the paths of a copy into those that a person knows.
 * @returns Apache's warnings.
 * @throws Failure `Rejected` with Apache's own lines, `what` naming the configuration.
 */
export async function configTest(
  settings: ConfigurationSettings,
  root: string,
  what: string,
  signal?: AbortSignal,
  translate = (line: string): string => line,
): Promise<string[]> {
  const finished = await runCommand(settings, settings.configTest, root, signal);
  const lines = linesOf(finished).map(translate);
  if (finished.code !== 0)
    throw new Failure('Rejected', `Apache's config test refuses ${what}: ${summary(lines)}`, {
      details: lines,
    });
  return lines.filter((line) => line !== 'Syntax OK');
}

/** The lines that say what is wrong, without the warnings that precede them. */
export function summary(lines: readonly string[]): string {
  const first = lines.findIndex((line) => /syntax error|AH00526/i.test(line));
  return lines.slice(Math.max(first, 0)).slice(0, 5).join(' ') || 'without a word';
}
