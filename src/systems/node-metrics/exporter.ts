import { askHttp } from '../http-ask.ts';
import { Failure } from '../failure.ts';

/** What a host has counted since it started. Seconds and bytes; a part that its exporter does not tell is absent. */
export interface Counters {
  readonly cpu?: { readonly total: number; readonly idle: number; readonly ioWait: number };
  /** Seconds with something to do, by disk. */
  readonly disks: ReadonlyMap<string, number>;
  readonly network: ReadonlyMap<string, Interface>;
}

export interface Interface {
  readonly received: number;
  readonly sent: number;
  /** Bytes per second it can carry; absent where the host does not know, as most virtual machines. */
  readonly speed?: number;
}

const TIME_OUT_MS = 5_000;

/**
 * What a Prometheus node exporter says now.
 * @throws Failure `Unavailable` when there is no good answer
 */
export async function askExporter(url: string, signal: AbortSignal): Promise<Counters> {
  const { status, body } = await askHttp(new URL(url), {
    headers: { accept: 'text/plain;version=0.0.4' },
    signal,
    timeOutMs: TIME_OUT_MS,
  });
  if (status !== 200) throw new Failure('Unavailable', `${url} answered ${status}`);
  return countersOf(body);
}

/** Not disks and networks of their own. */
const noDisk = /^(loop|ram|zram|sr|fd)\d/;
const noNetwork = /^lo$/;

/**
 * Reads the text format of node_exporter 1.x (https://prometheus.io/docs/instrumenting/exposition_formats/): of all that
 * it holds, `node_cpu_seconds_total`, `node_disk_io_time_seconds_total` and `node_network_...`.
 */
export function countersOf(text: string): Counters {
  const cpu = { total: 0, idle: 0, ioWait: 0 };
  const modes = new Set<string>();
  const disks = new Map<string, number>();
  const [received, sent, speeds] = [
    new Map<string, number>(),
    new Map<string, number>(),
    new Map<string, number>(),
  ];
  for (const { name, labels, value } of samples(text)) {
    const { device = '', mode = '' } = labels;
    if (name === 'node_cpu_seconds_total') {
      modes.add(mode);
      cpu.total += value;
      if (mode === 'idle') cpu.idle += value;
      if (mode === 'iowait') cpu.ioWait += value;
    } else if (name === 'node_disk_io_time_seconds_total') {
      if (!noDisk.test(device)) disks.set(device, value);
    } else if (name.startsWith('node_network_') && !noNetwork.test(device)) {
      if (name === 'node_network_receive_bytes_total') received.set(device, value);
      if (name === 'node_network_transmit_bytes_total') sent.set(device, value);
      // Unknown is told as a negative speed.
      if (name === 'node_network_speed_bytes' && value > 0) speeds.set(device, value);
    }
  }
  const network = [...received].flatMap(([device, bytes]): [string, Interface][] => {
    const out = sent.get(device);
    return out === undefined ? [] : [[device, { received: bytes, sent: out, speed: speeds.get(device) }]];
  });
  return {
    cpu: modes.has('idle') && modes.has('iowait') ? cpu : undefined,
    disks,
    network: new Map(network),
  };
}

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string | undefined>>;
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{([^\n]*)\})?[ \t]+(\S+)/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g;

function* samples(text: string): Generator<Sample> {
  for (const line of text.split('\n')) {
    const [, name, inBraces = '', number] = LINE.exec(line) ?? [];
    if (name === undefined || !name.startsWith('node_')) continue;
    const value = Number(number);
    if (!Number.isFinite(value)) continue;
    const labels = [...inBraces.matchAll(LABEL)].map(([, label = '', content = '']) => [label, content]);
    yield { name, labels: Object.fromEntries(labels) as Sample['labels'], value };
  }
}
