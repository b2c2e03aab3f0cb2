import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request } from 'undici';
import { messageOf } from '../systems/failure.ts';
import { fairwayVersion } from '../systems/version.ts';
import type { Workers } from './create-workers.ts';

export interface Health {
  readonly url: string;
  close(): Promise<void>;
}

const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * What supervisors ask a worker process over HTTP. `/livez`: it runs. `/readyz`: it takes tasks and the Temporal Service
 * answers; otherwise 503 with the reason. `/metrics`: ours, then those of the SDK, which it serves itself at `sdkMetrics`.
 */
export async function serveHealth(
  listen: { readonly host: string; readonly port: number },
  workers: Workers,
  sdkMetrics: string,
): Promise<Health> {
  const server = createServer(({ url }, response) => {
    const answering =
      url === '/livez'
        ? say(response, 200, 'ok')
        : url === '/readyz'
          ? ready(workers).then((reason) => say(response, reason ? 503 : 200, reason ?? 'ok'))
          : url === '/metrics'
            ? metrics(workers, sdkMetrics).then((text) => say(response, 200, text, PROMETHEUS))
            : say(response, 404, 'there are /livez, /readyz and /metrics');
    answering.catch((error: unknown) => say(response, 500, messageOf(error)));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(listen.port, listen.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function say(
  response: ServerResponse,
  status: number,
  text: string,
  type = 'text/plain; charset=utf-8',
) {
  response.writeHead(status, { 'content-type': type }).end(`${text.trimEnd()}\n`);
}

/** Why it is not ready; undefined when it is. */
async function ready(workers: Workers): Promise<string | undefined> {
  const idle = workers.status().filter(({ running }) => !running);
  if (idle.length > 0) return `no tasks are taken on ${idle.map(({ taskQueue }) => taskQueue).join(', ')}`;
  return workers.askTemporal().then(() => undefined, messageOf);
}

async function metrics(workers: Workers, sdkMetrics: string): Promise<string> {
  const states = workers.status();
  const gauge = (name: string, help: string, values: readonly (readonly [string, number])[]) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} gauge`,
    ...values.map(([labels, value]) => `${name}${labels} ${value}`),
  ];
  const byQueue = (value: (state: (typeof states)[number]) => number) =>
    states.map((state) => [`{task_queue="${state.taskQueue}"}`, value(state)] as const);
  const own = [
    ...gauge('fairway_worker_info', 'The version of Fairway that runs.', [
      [`{version="${fairwayVersion}"}`, 1],
    ]),
    ...gauge(
      'fairway_worker_running',
      'Whether tasks are taken.',
      byQueue(({ running }) => Number(running)),
    ),
    ...gauge(
      'fairway_worker_activities',
      'Activities in hand.',
      byQueue(({ activities }) => activities),
    ),
    ...gauge('fairway_worker_resident_bytes', 'Memory of this process.', [['', process.memoryUsage.rss()]]),
    ...gauge('fairway_worker_uptime_seconds', 'Since this process began.', [['', process.uptime()]]),
  ];
  const { body } = await request(sdkMetrics, { headersTimeout: 3_000 });
  return `${own.join('\n')}\n${await body.text()}`;
}
