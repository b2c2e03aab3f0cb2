import type { NodeUsage } from '../../model/performance.ts';
import type { Counters, Interface } from './exporter.ts';

/** What a host said, and when, in milliseconds since 1970. */
export interface Reading {
  readonly at: number;
  readonly counters: Counters;
}

const BYTES_PER_MBIT = 125_000;

/**
 * How busy a host was between two readings, in percent. A counter that is missing in one of them or ran backwards, as
 * after a restart, leaves its figure out.
 * @param networkMbits the bandwidth of the network, for hosts that do not know it
 */
export function usageBetween(before: Reading, after: Reading, networkMbits?: number): NodeUsage {
  const seconds = (after.at - before.at) / 1000;
  if (seconds <= 0) return {};
  return {
    ...processors(before.counters.cpu, after.counters.cpu),
    disk: busiest(before.counters.disks, after.counters.disks, (from, to) => (to - from) / seconds),
    network: busiest(before.counters.network, after.counters.network, (from, to) =>
      ofBandwidth(from, to, seconds, networkMbits),
    ),
  };
}

/** Time that a processor waits for a disk is time that it has nothing to do. */
function processors(before: Counters['cpu'], after: Counters['cpu']): Pick<NodeUsage, 'cpu' | 'ioWait'> {
  if (!before || !after) return {};
  const total = after.total - before.total;
  const [idle, ioWait] = [after.idle - before.idle, after.ioWait - before.ioWait];
  if (total <= 0 || idle < 0) return {};
  // Linux may take back a little of the time it counted as waiting.
  const waited = Math.max(0, ioWait);
  return { cpu: percent((total - idle - waited) / total), ioWait: percent(waited / total) };
}

function ofBandwidth(
  from: Interface,
  to: Interface,
  seconds: number,
  networkMbits?: number,
): number | undefined {
  const speed = networkMbits === undefined ? to.speed : networkMbits * BYTES_PER_MBIT;
  const [received, sent] = [to.received - from.received, to.sent - from.sent];
  return speed === undefined || received < 0 || sent < 0
    ? undefined
    : Math.max(received, sent) / seconds / speed;
}

/** Of the devices that both readings have and whose share can be told: virtual interfaces often have no speed. */
function busiest<T>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
  shareOf: (from: T, to: T) => number | undefined,
): number | undefined {
  const shares: number[] = [];
  for (const [device, to] of after) {
    const from = before.get(device);
    if (from === undefined) continue;
    const share = shareOf(from, to);
    if (share === undefined) continue;
    if (share < 0) return undefined;
    shares.push(share);
  }
  return shares.length > 0 ? percent(Math.max(...shares)) : undefined;
}

const percent = (share: number) => Math.min(100, Math.max(0, share * 100));
