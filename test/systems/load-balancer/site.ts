import { freePorts } from '../../../src/local/ports.ts';
import { startHaproxy, type LocalHaproxy } from '../../../src/local/haproxy.ts';
import { haproxy } from '../../../src/systems/load-balancer/haproxy.ts';
import type { LoadBalancer } from '../../../src/systems/load-balancer/load-balancer.ts';
import { httpServer, type HttpServer } from '../../support/http-server.ts';

export interface Backend extends HttpServer {
  readonly name: string;
  /** False: the health check is answered with 503. */
  healthy: boolean;
  /** Requests of visitors so far: `/slow?ms=500` is answered after half a second. */
  visits: number;
}

export interface Site {
  readonly balancer: LocalHaproxy;
  readonly loadBalancer: LoadBalancer;
  readonly backends: readonly [Backend, Backend];
  stop(): Promise<void>;
}

/** A real HAProxy in front of two small web servers, `d1` and `d2`. */
export async function startSite(folder: string): Promise<Site> {
  const backends = [await startBackend('d1'), await startBackend('d2')] as const;
  const [port = 0] = await freePorts(1);
  const balancer = await startHaproxy({
    folder,
    port,
    servers: backends.map(({ name, url }) => ({ name, url })),
    probe: { path: '/health', host: 'www.example.com' },
  });
  return {
    balancer,
    loadBalancer: haproxy(balancer),
    backends,
    async stop() {
      await balancer.stop();
      await Promise.all(backends.map((backend) => backend.close()));
    },
  };
}

async function startBackend(name: string): Promise<Backend> {
  const server = await httpServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://site');
    if (url.pathname === '/health') {
      const good = backend.healthy && request.headers.host === 'www.example.com';
      response.writeHead(good ? 200 : 503).end();
      return;
    }
    backend.visits++;
    setTimeout(() => response.end(`from ${name}`), Number(url.searchParams.get('ms') ?? 2));
  });
  const backend: Backend = Object.assign(server, { name, healthy: true, visits: 0 });
  return backend;
}
