/** What an installation came to. `unknown`: the log ends without saying. */
export type InstallOutcome = 'imported' | 'with errors' | 'failed' | 'unknown';

const KEPT_LINES = 2_000;
const KEPT_ERRORS = 200;
const KEPT_TRACE = 64_000;
const LONGEST_SPAN = 1_000_000;

const LINE = /<span class="[^"]*"><b>([^<]*)<\/b>(?:&nbsp;)?([^]*?)<\/span>/g;
const FAILED = '<span class="error">';

/**
 * Reads the HTML log of an installation while it arrives. AEM answers with status 200 whatever happened: the markers
 * in the log say it (as recorded from AEM 6). Keeps the end of a long log, and the errors.
 */
export class InstallLog {
  readonly errors: string[] = [];
  #lines: string[] = [];
  #rest = '';
  #trace: string | undefined;
  #imported = false;
  #withErrors = false;

  push(text: string): void {
    if (this.#trace !== undefined) {
      this.#trace = (this.#trace + text).slice(0, KEPT_TRACE);
      return;
    }
    this.#rest += text;
    const failed = this.#rest.indexOf(FAILED);
    if (failed >= 0) {
      this.#trace = this.#rest.slice(failed + FAILED.length);
      this.#rest = this.#rest.slice(0, failed);
    }
    let end = 0;
    for (const match of this.#rest.matchAll(LINE)) {
      this.#line(plain(match[1]!), plain(match[2]!));
      end = match.index + match[0].length;
    }
    this.#rest = this.#rest.slice(end).slice(-LONGEST_SPAN);
  }

  get outcome(): InstallOutcome {
    if (this.#trace !== undefined) return 'failed';
    if (this.#withErrors || this.errors.length > 0) return 'with errors';
    return this.#imported ? 'imported' : 'unknown';
  }

  /** The end of the log, as text. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** What AEM says went wrong: the exception with its trace, or the paths with errors. */
  get problems(): readonly string[] {
    const [, trace = this.#trace ?? ''] = /<pre>([^]*?)(?:<\/pre>|$)/.exec(this.#trace ?? '') ?? [];
    return [...plain(trace).split('\n'), ...this.errors]
      .map((line) => line.trimEnd())
      .filter((line) => line !== '');
  }

  #line(mark: string, text: string): void {
    if (mark.startsWith('Package imported (with errors')) this.#withErrors = true;
    else if (mark.startsWith('Package imported')) this.#imported = true;
    if (mark === 'E' && this.errors.length < KEPT_ERRORS) this.errors.push(text);
    this.#lines.push(`${mark} ${text}`.trimEnd());
    if (this.#lines.length > 2 * KEPT_LINES) this.#lines = this.#lines.slice(-KEPT_LINES);
  }
}

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
  nbsp: ' ',
};

/** Text of a piece of HTML. */
const plain = (html: string): string =>
  html.replace(/<[^>]*>/g, '').replace(/&(amp|lt|gt|quot|#39|nbsp);/g, (_, name: string) => entities[name]!);
