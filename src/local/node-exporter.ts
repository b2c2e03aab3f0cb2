import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { interfaceFor, LOOPBACK } from './interface.ts';

export interface LocalExporter {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Stands for the Prometheus node exporters of the hosts of an environment: what `/proc` says of this machine, in the same
 * text. All nodes of the local platform run here, so that it measures all of them together, and whatever else runs.
 */
export async function startNodeExporter(port: number, host?: string): Promise<LocalExporter> {
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') return void response.writeHead(404).end();
    void metrics().then(
      (text) =>
        response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, interfaceFor(host), resolve);
  });
  return {
    url: `http://${host ?? LOOPBACK}:${(server.address() as AddressInfo).port}/metrics`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Of `/proc`, whatever the machine is set to: see proc(5). */
const TICKS_PER_SECOND = 100;
const MODES = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'] as const;

async function metrics(): Promise<string> {
  const [cpus, disks, network] = await Promise.all(
    ['/proc/stat', '/proc/diskstats', '/proc/net/dev'].map((file) => readFile(file, 'utf8')),
  );
  const lines = [
    ...fieldsOf(cpus!, /^cpu\d/).flatMap(([cpu = '', ...ticks]) =>
      MODES.map(
        (mode, index) =>
          `node_cpu_seconds_total{cpu="${cpu.slice(3)}",mode="${mode}"} ${Number(ticks[index]) / TICKS_PER_SECOND}`,
      ),
    ),
    ...fieldsOf(disks!, /\S/).map(
      ([, , device, ...numbers]) =>
        `node_disk_io_time_seconds_total{device="${device}"} ${Number(numbers[9]) / 1000}`,
    ),
    // A large number may follow the colon without a blank.
    ...fieldsOf(network!.replaceAll(':', ': '), /:/).flatMap(([name = '', ...numbers]) => [
      `node_network_receive_bytes_total{device="${name.slice(0, -1)}"} ${numbers[0]}`,
      `node_network_transmit_bytes_total{device="${name.slice(0, -1)}"} ${numbers[8]}`,
    ]),
    ...(await speeds()),
  ];
  return `${lines.join('\n')}\n`;
}

const fieldsOf = (text: string, wanted: RegExp): string[][] =>
  text
    .split('\n')
    .filter((line) => wanted.test(line))
    .map((line) => line.trim().split(/\s+/));

/** Interfaces that know no speed say -1, or cannot be asked. */
async function speeds(): Promise<string[]> {
  const devices = await readdir('/sys/class/net').catch(() => []);
  const known = devices.map(async (device) => {
    const mbits = await readFile(join('/sys/class/net', device, 'speed'), 'utf8').catch(() => '');
    return mbits === '' ? [] : [`node_network_speed_bytes{device="${device}"} ${Number(mbits) * 125_000}`];
  });
  return (await Promise.all(known)).flat();
}
