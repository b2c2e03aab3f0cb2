import assert from 'node:assert/strict';
import { startNodeExporter } from '../../../src/local/node-exporter.ts';
import { countersOf, type Counters } from '../../../src/systems/node-metrics/exporter.ts';
import { monitorNodes } from '../../../src/systems/node-metrics/monitor.ts';
import { usageBetween } from '../../../src/systems/node-metrics/usage.ts';
import { httpServer, type HttpServer } from '../../support/http-server.ts';
import { until } from '../../support/until.ts';

/** Lines of a real node_exporter 1.5.0. */
const real = `# HELP node_cpu_seconds_total Seconds the CPUs spent in each mode.
# TYPE node_cpu_seconds_total counter
node_cpu_guest_seconds_total{cpu="0",mode="user"} 7
node_cpu_seconds_total{cpu="0",mode="idle"} 284.77
node_cpu_seconds_total{cpu="0",mode="iowait"} 1.05
node_cpu_seconds_total{cpu="0",mode="user"} 172.36
node_cpu_seconds_total{cpu="1",mode="idle"} 244.54
node_cpu_seconds_total{cpu="1",mode="iowait"} 6.12
node_cpu_seconds_total{cpu="1",mode="user"} 185.39
node_disk_io_time_seconds_total{device="vda"} 22.772000000000002
node_disk_io_time_seconds_total{device="zram0"} 0
node_disk_info{device="vda",major="254",model="x\\"} y",path=""} 1
node_network_receive_bytes_total{device="eth0"} 1.058329107e+09
node_network_receive_bytes_total{device="lo"} 5
node_network_speed_bytes{device="eth0"} -125000
node_network_transmit_bytes_total{device="eth0"} 2.617502e+06
node_network_transmit_bytes_total{device="lo"} 5
node_timex_maxerror_seconds NaN
go_gc_duration_seconds{quantile="0"} 1.2e-05
`;

const counters = (
  seconds: number,
  change: { busy?: number; wait?: number; disk?: number; bytes?: number } = {},
): Counters => {
  const { busy = 0, wait = 0, disk = 0, bytes = 0 } = change;
  return {
    cpu: { total: seconds * 2, idle: seconds * 2 - busy - wait, ioWait: wait },
    disks: new Map([['vda', disk]]),
    network: new Map([['eth0', { received: bytes, sent: 0, speed: 1_000 }]]),
  };
};
const usage = (before: Counters, after: Counters, networkMbits?: number) =>
  usageBetween({ at: 0, counters: before }, { at: 10_000, counters: after }, networkMbits);

describe('what a node exporter says', () => {
  it('is read as the real one writes it', () => {
    const { cpu, disks, network } = countersOf(real);
    assert.deepEqual(cpu, { total: 894.23, idle: 529.31, ioWait: 7.17 });
    assert.deepEqual([...disks], [['vda', 22.772000000000002]]);
    assert.deepEqual(
      [...network],
      [['eth0', { received: 1_058_329_107, sent: 2_617_502, speed: undefined }]],
    );
  });

  it('may be nonsense: then nothing is known', () => {
    for (const text of [
      '',
      '<html>login</html>',
      'node_cpu_seconds_total{cpu="0",mode="idle"} many',
      '\0{{{',
    ]) {
      const { cpu, disks, network } = countersOf(text);
      assert.deepEqual([cpu, disks.size, network.size], [undefined, 0, 0]);
    }
  });

  it('twice tells how busy the host was between', () => {
    const after = counters(10, { busy: 5, wait: 2, disk: 3, bytes: 4_000 });
    assert.deepEqual(usage(counters(0), after), { cpu: 25, ioWait: 10, disk: 30, network: 40 });
    // The definition's bandwidth counts before the host's: 4000 bytes of 125,000 a second.
    assert.equal(usage(counters(0), after, 1).network, 0.32);
  });

  it('leaves out what a host that restarted, or that has no figure, cannot tell', () => {
    assert.deepEqual(usage(counters(20, { busy: 3, disk: 5, bytes: 9 }), counters(10)), {
      disk: undefined,
      network: undefined,
    });
    const silent: Counters = { disks: new Map(), network: new Map([['eth0', { received: 1, sent: 1 }]]) };
    assert.deepEqual(usage(silent, silent), { disk: undefined, network: undefined });
  });

  it('comes from the local platform with real figures of this machine', async () => {
    const exporter = await startNodeExporter(0);
    try {
      const text = await (await fetch(exporter.url)).text();
      const { cpu, disks } = countersOf(text);
      assert.ok(cpu && cpu.total > cpu.idle && cpu.idle > 0, text);
      assert.ok(
        [...disks.values()].every((seconds) => seconds >= 0),
        text,
      );
      assert.match(text, /^node_network_receive_bytes_total\{device="lo"\} \d+$/m);
    } finally {
      await exporter.stop();
    }
  });
});

describe('monitoring nodes', () => {
  const servers: HttpServer[] = [];
  afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));
  const signal = new AbortController().signal;
  const lines = (asked: number) => [
    `node_cpu_seconds_total{cpu="0",mode="idle"} ${asked}`,
    'node_cpu_seconds_total{cpu="0",mode="iowait"} 0',
    `node_cpu_seconds_total{cpu="0",mode="user"} ${asked}`,
    `node_disk_io_time_seconds_total{device="vda"} 0`,
    'node_network_receive_bytes_total{device="eth0"} 0',
    'node_network_transmit_bytes_total{device="eth0"} 0',
  ];
  /** An exporter; `answer` gets the number of the question and may answer otherwise. */
  const exporter = async (
    answer: (asked: number) => string | number = (asked) => lines(asked).join('\n'),
  ) => {
    let asked = 0;
    const server = await httpServer((_, response) => {
      const said = answer(++asked);
      if (typeof said === 'number') response.writeHead(said).end();
      else response.end(said);
    });
    servers.push(server);
    return { url: `${server.url}/metrics`, asked: () => asked };
  };
  const node = (id: string, url: string) => ({ id, metrics: { exporter: url, networkMbits: 100 } });

  it('has figures of the whole time, and a series', async () => {
    const { url, asked } = await exporter();
    const monitor = await monitorNodes([node('publish1', url)], 20, signal);
    await until('three readings', () => asked() >= 3);
    const [series] = await monitor.end();
    assert.deepEqual(series?.usage, { cpu: 50, ioWait: 0, disk: 0, network: 0 });
    assert.equal(series?.problem, undefined);
    assert.ok(series.usages.length >= 2);
  });

  it('knows nothing of a node without an exporter, with a dead one, and with one that has no CPU figure, and says why', async () => {
    const withoutCpu = await exporter((asked) => lines(asked).slice(3).join('\n'));
    const monitor = await monitorNodes(
      [{ id: 'author' }, node('publish1', 'http://127.0.0.1:1/metrics'), node('publish2', withoutCpu.url)],
      1_000,
      signal,
    );
    const [none, dead, partly] = await monitor.end();
    assert.deepEqual([none?.usage, none?.problem], [{}, 'names no metrics exporter']);
    assert.deepEqual(dead?.usage, {});
    assert.match(dead?.problem ?? '', /no answer from http:\/\/127\.0\.0\.1:1/);
    assert.deepEqual(partly?.usage, { disk: 0, network: 0 });
    assert.equal(partly?.problem, 'gives no figure for CPU, I/O wait');
  });

  it('forgives an exporter that fails between, not one that is gone at the end', async () => {
    let gone = false;
    const { url, asked } = await exporter((n) => (gone || n === 2 || n === 3 ? 503 : lines(n).join('\n')));
    const monitor = await monitorNodes([node('publish1', url)], 10, signal);
    await until('it failed and is back', () => asked() > 4);
    const [good] = await monitor.end();
    assert.equal(good?.usage.cpu, 50);
    const again = await monitorNodes([node('publish1', url)], 60_000, signal);
    gone = true;
    const [bad] = await again.end();
    assert.deepEqual([bad?.usage, bad?.problem], [{}, `${url} answered 503`]);
  });

  it('ends when the test is cancelled', async () => {
    const { url } = await exporter();
    const cancel = new AbortController();
    const monitor = await monitorNodes([node('publish1', url)], 10, cancel.signal);
    cancel.abort(new Error('cancelled'));
    await assert.rejects(monitor.end(), /cancelled/);
  });
});
