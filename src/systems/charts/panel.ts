/** One chart: lines over time, with axes, a legend and a limit. */
export interface Panel {
  readonly title: string;
  /** Of the vertical axis. */
  readonly unit: string;
  readonly lines: readonly Line[];
  /** What must not be reached, or must be reached: drawn across. */
  readonly limit?: { readonly value: number; readonly label: string };
  /** The vertical axis goes so far at least. */
  readonly atLeast?: number;
}

export interface Line {
  readonly name: string;
  /** Undefined where nothing was measured: the line has a gap there. */
  readonly points: readonly { readonly second: number; readonly value: number | undefined }[];
}

export const WIDTH = 560;
export const HEIGHT = 250;
const PLOT = { left: 58, top: 34, right: WIDTH - 24, bottom: HEIGHT - 52 };
const MOST_IN_LEGEND = 6;
/** Told apart also by those who see no red and green (https://jfly.uni-koeln.de/color/). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#7f7f7f', '#000000'];

export const escapeXml = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');

/** The inside of an SVG, `WIDTH` by `HEIGHT`. */
export function drawPanel({ title, unit, lines, limit, atLeast = 1 }: Panel, seconds: number): string {
  const values = lines.flatMap(({ points }) => points.map(({ value }) => value ?? 0));
  const steps = ticks(Math.max(atLeast, limit?.value ?? 0, ...values));
  const top = steps.at(-1)!;
  const x = (second: number) => PLOT.left + ((PLOT.right - PLOT.left) * second) / Math.max(1, seconds);
  const y = (value: number) => PLOT.bottom - ((PLOT.bottom - PLOT.top) * value) / top;
  return [
    text(PLOT.left, 20, `${title}`, 'font-weight="bold" font-size="13"'),
    text(PLOT.right, 20, unit, 'text-anchor="end" fill="#666"'),
    ...steps.map(
      (value) =>
        `<path d="M${PLOT.left} ${at(y(value))}H${PLOT.right}" stroke="${value === 0 ? '#444' : '#ddd'}"/>` +
        text(PLOT.left - 6, y(value) + 4, shortNumber(value), 'text-anchor="end" fill="#444"'),
    ),
    ...ticks(seconds).map((second) =>
      second > seconds
        ? ''
        : `<path d="M${at(x(second))} ${PLOT.bottom}v4" stroke="#444"/>` +
          text(x(second), PLOT.bottom + 16, clock(second), 'text-anchor="middle" fill="#444"'),
    ),
    ...lines.map(({ points }, index) => drawLine(points, colour(index), x, y)),
    ...(limit ? [drawLimit(limit, y(limit.value))] : []),
    values.length === 0 || lines.every(({ points }) => points.every(({ value }) => value === undefined))
      ? text(
          (PLOT.left + PLOT.right) / 2,
          (PLOT.top + PLOT.bottom) / 2,
          'not measured',
          'text-anchor="middle" fill="#999"',
        )
      : '',
    legend(lines),
  ].join('\n');
}

const colour = (index: number) => COLOURS[index % COLOURS.length]!;

const at = (position: number) => Number(position.toFixed(1));

const text = (x: number, y: number, content: string, attributes: string) =>
  `<text x="${at(x)}" y="${at(y)}" ${attributes}>${escapeXml(content)}</text>`;

function drawLimit({ label }: { label: string }, y: number): string {
  return (
    `<path d="M${PLOT.left} ${at(y)}H${PLOT.right}" stroke="#c00" stroke-dasharray="5 4"/>` +
    text(
      PLOT.right - 4,
      y - 4,
      label,
      'text-anchor="end" fill="#c00" stroke="#fff" stroke-width="3" paint-order="stroke"',
    )
  );
}

function drawLine(
  points: Line['points'],
  stroke: string,
  x: (second: number) => number,
  y: (value: number) => number,
): string {
  let path = '';
  let isDrawing = false;
  for (const { second, value } of points) {
    if (value !== undefined) path += `${isDrawing ? 'L' : 'M'}${at(x(second))} ${at(y(value))}`;
    isDrawing = value !== undefined;
  }
  const dots =
    points.length <= 40
      ? points
          .filter(({ value }) => value !== undefined)
          .map(
            ({ second, value }) =>
              `<circle cx="${at(x(second))}" cy="${at(y(value!))}" r="2" fill="${stroke}"/>`,
          )
          .join('')
      : '';
  return `<path d="${path}" fill="none" stroke="${stroke}" stroke-width="1.8"/>${dots}`;
}

function legend(lines: readonly Line[]): string {
  const shown = lines.slice(0, MOST_IN_LEGEND);
  const slot = (PLOT.right - PLOT.left) / Math.max(3, shown.length);
  const more = lines.length - shown.length;
  return (
    shown
      .map(({ name }, index) => {
        const left = PLOT.left + index * slot;
        const short = name.length > slot / 7 ? `${name.slice(0, Math.floor(slot / 7))}…` : name;
        return (
          `<path d="M${at(left)} ${HEIGHT - 18}h16" stroke="${colour(index)}" stroke-width="3"/>` +
          text(left + 21, HEIGHT - 14, short, 'fill="#222"')
        );
      })
      .join('') +
    (more > 0 ? text(PLOT.right, HEIGHT - 2, `and ${more} more`, 'text-anchor="end" fill="#666"') : '')
  );
}

/** About five round numbers from 0 to at least `max`. */
export function ticks(max: number): number[] {
  const rough = Math.max(max, 1e-9) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough)!;
  return Array.from({ length: Math.ceil(max / step - 1e-9) + 1 }, (_, index) =>
    Number((index * step).toPrecision(12)),
  );
}

const shortNumber = (value: number) => (value >= 10_000 ? `${value / 1000}k` : String(value));

/** `12:30`, minutes and seconds. */
const clock = (second: number) =>
  `${Math.floor(second / 60)}:${String(Math.round(second % 60)).padStart(2, '0')}`;
