import type { NodeUsage } from '../../model/performance.ts';
import type { Stretch, TimeSeries } from '../load/series.ts';
import { drawPanel, escapeXml, HEIGHT, WIDTH, type Line, type Panel } from './panel.ts';

export interface PictureTexts {
  readonly title: string;
  /** What is asked for: `page views`, `uploads`. */
  readonly things: string;
  /** 95th percentile that must not be reached, in milliseconds. */
  readonly responseTimeMs?: number;
  /** Per minute, to be reached. */
  readonly perMinute: number;
  readonly durationSeconds: number;
}

const HEADER = 58;
const COLUMNS = 2;

/** The time series of a test as an SVG picture: what its visitors met, and how busy every node was. */
export function loadPicture(series: TimeSeries, nodes: readonly string[], texts: PictureTexts): string {
  const { durationSeconds, perMinute, responseTimeMs, things, title } = texts;
  const { stretches, stretchSeconds } = series;
  const middle = ({ second }: Stretch) => second + Math.min(stretchSeconds, durationSeconds - second) / 2;
  const line = (name: string, of: (stretch: Stretch) => number | undefined): Line => ({
    name,
    points: stretches.map((stretch) => ({ second: middle(stretch), value: of(stretch) })),
  });
  const rate = (of: (stretch: Stretch) => number) => (stretch: Stretch) =>
    (of(stretch) * 60) / Math.min(stretchSeconds, durationSeconds - stretch.second);
  const usage = (heading: string, of: keyof NodeUsage, limit: number): Panel => ({
    title: heading,
    unit: '%',
    atLeast: 100,
    limit: { value: limit, label: `${limit} %` },
    lines: nodes.map((node) => line(node, (stretch) => stretch.nodes[node]?.[of])),
  });
  const panels: Panel[] = [
    {
      title: 'Response time',
      unit: 'ms',
      lines: [line('95th percentile', ({ p95Ms }) => p95Ms), line('peak', ({ peakMs }) => peakMs)],
      limit:
        responseTimeMs === undefined
          ? undefined
          : { value: responseTimeMs, label: `KPI ${responseTimeMs} ms` },
    },
    {
      title: `${things[0]!.toUpperCase()}${things.slice(1)}`,
      unit: 'per minute',
      lines: [
        line(
          'answered',
          rate(({ requests, unanswered }) => requests - unanswered),
        ),
        line(
          'failed',
          rate(({ failed }) => failed),
        ),
      ],
      limit: { value: perMinute, label: `${perMinute} wanted` },
      atLeast: perMinute * 1.1,
    },
    usage('CPU utilisation', 'cpu', 80),
    usage('Disk I/O wait', 'ioWait', 50),
    usage('Disk bandwidth', 'disk', 90),
    usage('Network bandwidth', 'network', 90),
  ];
  const width = COLUMNS * WIDTH;
  const height = HEADER + Math.ceil(panels.length / COLUMNS) * HEIGHT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="Helvetica, Arial, sans-serif" font-size="11">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="24" y="28" font-size="18" font-weight="bold" fill="#222">${escapeXml(title)}</text>`,
    `<text x="24" y="47" fill="#666">${escapeXml(`began ${series.startedAt.slice(0, 19).replace('T', ' ')} UTC; each point stands for ${stretchSeconds} s; time in minutes and seconds`)}</text>`,
    ...panels.map(
      (panel, index) =>
        `<g transform="translate(${(index % COLUMNS) * WIDTH} ${HEADER + Math.floor(index / COLUMNS) * HEIGHT})">\n${drawPanel(panel, durationSeconds)}\n</g>`,
    ),
    '</svg>',
    '',
  ].join('\n');
}
