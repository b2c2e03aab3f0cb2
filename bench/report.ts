import { cpus, freemem, release, totalmem } from 'node:os';
import { run } from '../src/systems/process.ts';
import { databaseSettings, serverSettings } from '../src/local/temporal-server.ts';
import { percentile, type Measured } from './figure.ts';

/** A figure over its runs. */
export interface Row {
  readonly figure: string;
  readonly what: string;
  readonly unit: string;
  /** The median of the runs. */
  readonly measured: number;
  readonly spread: readonly [least: number, most: number];
  readonly runs: number;
  readonly goal?: string;
  readonly met?: boolean;
}

export interface Surroundings {
  readonly machine: string;
  readonly node: string;
  readonly temporal: string;
  readonly serverSettings: readonly string[];
  readonly loadBefore: number;
}

/** One row for each thing that was measured, in the order of the first run. */
export function rowsOf(figure: string, runs: readonly (readonly Measured[])[]): Row[] {
  return (runs[0] ?? []).map(({ what, unit, goal }) => {
    const values = runs.flatMap((run) => run.filter((one) => one.what === what).map(({ value }) => value));
    const measured = percentile(values, 0.5);
    return {
      ...{ figure, what, unit, measured, runs: values.length },
      spread: [Math.min(...values), Math.max(...values)] as const,
      ...(goal && { goal: inWords(goal), met: isMet(goal, measured) }),
    };
  });
}

type Goal = NonNullable<Measured['goal']>;
const inWords = (goal: Goal) => ('atMost' in goal ? `<= ${goal.atMost}` : `>= ${goal.atLeast}`);
const isMet = (goal: Goal, value: number) =>
  'atMost' in goal ? value <= goal.atMost : value >= goal.atLeast;

export async function surroundings(temporal: string, loadBefore: number): Promise<Surroundings> {
  const { stdout } = await run(temporal, ['--version'], {});
  const gib = (bytes: number) => Math.round(bytes / 2 ** 30);
  return {
    machine: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, ${gib(totalmem())} GiB (${gib(freemem())} free), Linux ${release()}`,
    node: process.version,
    temporal: stdout.trim(),
    serverSettings: [...databaseSettings, ...serverSettings],
    loadBefore,
  };
}

export function table(
  { machine, node, temporal, serverSettings: set, loadBefore }: Surroundings,
  rows: readonly Row[],
): string {
  const head = ['figure', 'what', 'measured', 'goal', 'met', 'spread', 'runs'];
  const lines = rows.map((row) => [
    row.figure,
    row.what,
    `${number(row.measured)} ${row.unit}`.trim(),
    row.goal ?? '',
    row.met === undefined ? '' : row.met ? 'yes' : 'NO',
    row.runs > 1 ? `${number(row.spread[0])} to ${number(row.spread[1])}` : '',
    String(row.runs),
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  const text = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [
    `Machine: ${machine}; load ${loadBefore.toFixed(2)} before`,
    `Node ${node}; ${temporal}; dev server with ${set.join(', ')}`,
    '',
    text(head),
    ...lines.map(text),
  ].join('\n');
}

const number = (value: number) =>
  Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(value < 10 ? 3 : 1);
