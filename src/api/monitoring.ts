import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import type { FairwayClient } from '../client/fairway-client.ts';
import { Problem } from './problem.ts';

const SECONDS = [0.005, 0.02, 0.1, 0.5, 2, 10, 30];

/**
 * For who watches over the API: `/health/live` (this process answers), `/health/ready` (Temporal answers it too; a
 * balancer sends nothing to an instance that says 503) and `/metrics` for Prometheus, with a token.
 */
export function monitoring(app: FastifyInstance, client: FairwayClient): void {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const requests = new Histogram({
    name: 'fairway_api_request_seconds',
    help: 'How long requests took, by route, method and status',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
    registers: [register],
  });
  app.addHook('onResponse', async ({ method, routeOptions }, { statusCode, elapsedTime }) =>
    // The route, not the address: that has no end of different ones.
    requests.observe({ method, route: routeOptions.url ?? 'none', status: statusCode }, elapsedTime / 1000),
  );

  const everybody = { config: { operation: 'everybody' }, schema: { hide: true } } as const;
  app.get('/health/live', everybody, async () => ({ status: 'live' }));
  app.get('/health/ready', everybody, async () => {
    await client.ping().catch(() => {
      throw new Problem(503, 'Temporal does not answer');
    });
    return { status: 'ready' };
  });
  app.get('/metrics', { config: { operation: 'read' }, schema: { hide: true } }, async (_request, reply) =>
    reply.type(register.contentType).send(await register.metrics()),
  );
}
