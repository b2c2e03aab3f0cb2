import { styleText } from 'node:util';

/** What is written where, and how it looks. */

export const formats = ['table', 'json', 'yaml'] as const;
export type Format = (typeof formats)[number];

export type Style = Parameters<typeof styleText>[0];
export type Paint = (style: Style, text: string) => string;

/** Colours only on a terminal, unless `FORCE_COLOR` says so; `NO_COLOR` says never (https://no-color.org). */
export function hasColours(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  if (env['NO_COLOR']) return false;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}

export const painter = (coloured: boolean): Paint =>
  coloured ? (style, text) => (text ? styleText(style, text) : text) : (_, text) => text;

const styles: Readonly<Record<string, Style>> = {
  FINISHED: 'green',
  RUNNING: 'cyan',
  WAITING: ['bold', 'yellow'],
  CANCELLING: 'yellow',
  CANCELLED: 'yellow',
  FAILED: ['bold', 'red'],
  ERROR: ['bold', 'red'],
  NOT_STARTED: 'dim',
  EMERGENCY: ['bold', 'red'],
};

/** A status or mode in its colour. */
export const status = (paint: Paint, value: string, shown = value): string =>
  styles[value] ? paint(styles[value], shown) : shown;

/** Control characters of a text that others wrote would reach the terminal: none does. */
export const clean = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ');

/** A cell of a table, with what it looks like when it is coloured. */
export interface Cell {
  readonly text: string;
  readonly style?: Style;
}

/** A status or mode as a cell. */
export const statusCell = (value: string): Cell => ({ text: value, style: styles[value] });

/** Columns aligned by spaces, as kubectl shows them; no lines around them, so that other programs can read them. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly (string | Cell)[])[],
  paint: Paint,
): string[] {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === 'string' ? { text: cell } : cell)));
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...cells.map((row) => width(row[column]?.text ?? ''))),
  );
  const line = (row: readonly Cell[]) =>
    row
      .map(({ text, style }, column) => {
        const shown = style ? paint(style, text) : text;
        const padding = column === row.length - 1 ? 0 : (widths[column] ?? 0) - width(text);
        return shown + ' '.repeat(Math.max(0, padding));
      })
      .join('  ')
      .trimEnd();
  return [paint('dim', line(headings.map((text) => ({ text })))), ...cells.map(line)];
}

const width = (text: string) => [...text].length;

/** The same value for programs; undefined for `table`. */
export async function encoded(value: unknown, format: Format): Promise<string | undefined> {
  if (format === 'json') return `${JSON.stringify(value, null, 2)}\n`;
  if (format === 'table') return undefined;
  const { stringify } = await import('yaml');
  // Through JSON, so that both hold the same fields.
  return stringify(JSON.parse(JSON.stringify(value)), { lineWidth: 0, aliasDuplicateObjects: false });
}
