import type { InstallOutcome } from './install-log.ts';

const KEPT_LINES = 2_000;
const KEPT_PROBLEMS = 200;

/**
 * Reads the text log of one of Composum's package jobs while it arrives: a line for each path, an `E` with the
 * exception in the line after it, and a Java trace where the job ended with an exception. Keeps the end of a long log.
 */
export class JobLog {
  readonly #errors: string[] = [];
  readonly #causes: string[] = [];
  #lines: string[] = [];
  #rest = '';
  #failed = false;
  #imported = false;
  #withErrors = false;

  push(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line.trimEnd());
  }

  get outcome(): InstallOutcome {
    if (this.#withErrors || this.#errors.length > 0) return 'with errors';
    if (this.#failed) return 'failed';
    return this.#imported ? 'imported' : 'unknown';
  }

  /** The end of the log. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** What went wrong: the paths with errors, then the exceptions of the trace, the innermost first. */
  get problems(): readonly string[] {
    return [...this.#errors, ...this.#causes.toReversed()];
  }

  #line(line: string): void {
    const [, path] = /^ *E +(.*)$/.exec(line) ?? [];
    const [, exception] = /^ *! +(.*)$/.exec(line) ?? [];
    const [, cause] = /^(?:Caused by: )?([\w.$]+(?:Exception|Error)\b.*)$/.exec(line) ?? [];
    if (path !== undefined && this.#errors.length < KEPT_PROBLEMS) this.#errors.push(path);
    else if (exception !== undefined && this.#errors.length > 0)
      this.#errors.push(`${this.#errors.pop()} (${exception})`);
    else if (cause !== undefined) {
      this.#failed = true;
      if (this.#causes.length < KEPT_PROBLEMS) this.#causes.push(cause);
    } else if (line.startsWith('Package imported (with errors')) this.#withErrors = true;
    else if (line.startsWith('Package imported')) this.#imported = true;
    if (line === '' || /^\s+(at |\.\.\. )/.test(line)) return;
    this.#lines.push(line.replace(/^ {2}/, ''));
    if (this.#lines.length > 2 * KEPT_LINES) this.#lines = this.#lines.slice(-KEPT_LINES);
  }
}
