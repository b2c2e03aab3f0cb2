/** Shows lines at the same place of a terminal again and again. */
export class LiveView {
  private readonly terminal: NodeJS.WriteStream;
  private shown = 0;

  constructor(terminal: NodeJS.WriteStream) {
    this.terminal = terminal;
  }

  /** Replaces what was shown; lines are cut to the terminal's width, and to its height at the beginning. */
  draw(lines: readonly string[]): void {
    const { columns = 80, rows = 24 } = this.terminal;
    // More lines than the terminal has could not be replaced: the cursor does not reach them.
    const fitting = lines.slice(-Math.max(1, rows - 1)).map((line) => cut(line, columns));
    const up = this.shown > 0 ? `\x1b[${this.shown}A` : '';
    this.terminal.write(`${up}\r${fitting.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J`);
    this.shown = fitting.length;
  }
}

const STYLE = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'y');

/** The beginning of a line, styles not counted; a cut line ends in an ellipsis and without style. */
export function cut(line: string, columns: number): string {
  let width = 0;
  let kept = '';
  for (let at = 0; at < line.length;) {
    STYLE.lastIndex = at;
    const [style] = STYLE.exec(line) ?? [];
    const piece = style ?? String.fromCodePoint(line.codePointAt(at) ?? 0);
    if (!style && ++width > columns - 1 && !endsAt(line, at + piece.length)) return `${kept}…\x1b[0m`;
    kept += piece;
    at += piece.length;
  }
  return kept;
}

/** Whether nothing that is seen comes from here on. */
const endsAt = (line: string, at: number): boolean =>
  line.slice(at).replaceAll(new RegExp(STYLE.source, 'g'), '') === '';
