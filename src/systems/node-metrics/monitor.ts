import type { NodeUsage } from '../../model/performance.ts';
import { messageOf } from '../failure.ts';
import { pause } from '../pause.ts';
import { askExporter } from './exporter.ts';
import { usageBetween, type Reading } from './usage.ts';

/** A node and where its host is measured. */
export interface MonitoredNode {
  readonly id: string;
  readonly metrics?: { readonly exporter: string; readonly networkMbits?: number };
}

/** How busy a node was. */
export interface NodeSeries {
  readonly node: string;
  /** From the beginning of the test to its end. */
  readonly usage: NodeUsage;
  /** From reading to reading; times in milliseconds since 1970. */
  readonly usages: readonly { readonly from: number; readonly to: number; readonly usage: NodeUsage }[];
  /** Why figures are missing, for people. */
  readonly problem?: string;
}

export interface Monitor {
  /** The last readings, and what follows from all of them. */
  end(): Promise<readonly NodeSeries[]>;
  stop(): void;
}

const TRIES = 3;
const BETWEEN_MS = 500;

/**
 * Reads the exporters of all nodes now, at every interval, and at the end. Counters only grow, so that a reading that
 * fails between leaves a gap in the series and nothing else; without the first or the last one the test has not been
 * measured, and the node's figures are unknown. Nothing is thrown for what an exporter does.
 */
export async function monitorNodes(
  nodes: readonly MonitoredNode[],
  everyMs: number,
  signal: AbortSignal,
): Promise<Monitor> {
  const stopped = new AbortController();
  const ended = AbortSignal.any([signal, stopped.signal]);
  const watched = nodes.map((node) => ({ node, readings: [] as Reading[], first: '', last: '' }));
  await Promise.all(
    watched.map(async (one) => {
      const found = await read(one.node, TRIES, signal);
      if (typeof found === 'string') one.first = found;
      else one.readings.push(found);
    }),
  );
  const between = watched.map(async ({ node, readings }) => {
    try {
      for (;;) {
        await pause(everyMs, ended);
        const found = await read(node, 1, ended);
        if (typeof found !== 'string') readings.push(found);
      }
    } catch (error) {
      if (!ended.aborted) throw error;
    }
  });
  return {
    stop: () => stopped.abort(),
    async end() {
      stopped.abort();
      await Promise.all(between);
      await Promise.all(
        watched.map(async (one) => {
          const found = await read(one.node, TRIES, signal);
          if (typeof found === 'string') one.last = found;
          else one.readings.push(found);
        }),
      );
      return watched.map(({ node, readings, first, last }) => summed(node, readings, first || last));
    },
  };
}

/** A reading, or why there is none. */
async function read(
  { metrics }: MonitoredNode,
  tries: number,
  signal: AbortSignal,
): Promise<Reading | string> {
  if (!metrics) return 'names no metrics exporter';
  for (let attempt = 1; ; attempt++) {
    try {
      const counters = await askExporter(metrics.exporter, signal);
      return { at: Date.now(), counters };
    } catch (error) {
      signal.throwIfAborted();
      if (attempt >= tries) return messageOf(error);
      await pause(BETWEEN_MS, signal);
    }
  }
}

function summed({ id, metrics }: MonitoredNode, readings: readonly Reading[], problem: string): NodeSeries {
  const between = (from: Reading, to: Reading) => usageBetween(from, to, metrics?.networkMbits);
  const usages = readings.slice(1).map((reading, index) => {
    const before = readings[index]!;
    return { from: before.at, to: reading.at, usage: between(before, reading) };
  });
  const [first, last] = [readings[0], readings.at(-1)];
  const usage = problem === '' && first && last ? between(first, last) : {};
  const missing = (['cpu', 'ioWait', 'disk', 'network'] as const).filter((of) => usage[of] === undefined);
  const names = { cpu: 'CPU', ioWait: 'I/O wait', disk: 'disk', network: 'network' };
  const why =
    missing.length > 0 ? `gives no figure for ${missing.map((of) => names[of]).join(', ')}` : undefined;
  return { node: id, usage, usages, problem: problem || why };
}
