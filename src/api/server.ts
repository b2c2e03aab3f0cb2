import type { FastifyInstance, FastifyRequest, HTTPMethods } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { FairwayClient } from '../client/fairway-client.ts';
import { tracing } from '../systems/tracing/tracing.ts';
import { bareServer } from './bare-server.ts';
import { documentation } from './documentation.ts';
import { limiter } from './limits.ts';
import { monitoring } from './monitoring.ts';
import { Problem, sendProblem } from './problem.ts';
import { permit, type Context } from './route.ts';
import { environmentRoutes } from './routes/environments.ts';
import { executionRoutes } from './routes/executions.ts';
import { fileRoutes } from './routes/files.ts';
import { pipelineRoutes } from './routes/pipelines.ts';
import { programRoutes } from './routes/programs.ts';
import { repositoryRoutes } from './routes/repositories.ts';
import { stepRoutes } from './routes/steps.ts';
import { variableRoutes } from './routes/variables.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { SignedLinks } from './signed-links.ts';
import { authenticator, type IdentitySettings, type TokenSettings } from './tokens.ts';

export interface ApiOptions {
  readonly client: FairwayClient;
  readonly tokens: TokenSettings;
  readonly identity?: IdentitySettings;
  /** What signs links to logs and artifacts: 32 bytes at least, the same in every instance behind one address. */
  readonly linkSecret: Uint8Array;
  /** What clients use as base URL, where that is not the host that they name in requests. */
  readonly publicUrl?: string;
  /** How many requests one caller may send to this instance; 1200 when absent. */
  readonly requestsPerMinute?: number;
  /** How long a request may take to arrive, in milliseconds; 30 seconds when absent. */
  readonly requestMs?: number;
  /** Where changes and internal errors are logged, as lines of JSON; nowhere when absent. */
  readonly log?: NodeJS.WritableStream;
}

const LARGEST_BODY = 256 * 1024;

/** The Cloud Manager compatible API; the caller lets it listen, and closes it. */
export async function createApi(options: ApiOptions): Promise<FastifyInstance> {
  const {
    client,
    tokens,
    identity = {},
    linkSecret,
    publicUrl,
    requestsPerMinute = 1200,
    requestMs,
    log,
  } = options;
  const authenticate = authenticator(tokens, identity);
  const app = bareServer({ log, requestMs, largestBody: LARGEST_BODY });
  acceptEmptyJson(app);
  if (await tracing()) (await import('./traced.ts')).traceRequests(app);

  const limit = await limiter(app, requestsPerMinute);
  app.addHook('onRequest', async (request, reply) => {
    const { operation } = request.routeOptions.config;
    if (operation === 'everybody') return limit(request, reply);
    try {
      request.caller = await authenticate(request.headers);
    } finally {
      await limit(request, reply);
    }
    if (!request.is404) permit(request, operation);
  });
  app.addHook('onResponse', async ({ method, url, id, ip, caller, log }, { statusCode }) => {
    if (['GET', 'HEAD', 'OPTIONS'].includes(method)) return;
    const who = caller?.actor.subject ?? 'unknown';
    log.info(
      { audit: { who, method, url, from: ip, status: statusCode, requestId: id } },
      'change asked for',
    );
  });
  await documentation(app, publicUrl);
  monitoring(app, client);
  const refuseOtherMethods = otherMethodsOf(app);
  const absolute = (request: FastifyRequest, path: string) =>
    `${publicUrl?.replace(/\/$/, '') ?? `${request.protocol}://${request.host}`}${path}`;
  const context: Context = { client, signedLinks: new SignedLinks(linkSecret), absolute };
  const api = app.withTypeProvider<ZodTypeProvider>();
  for (const routes of [
    programRoutes,
    environmentRoutes,
    repositoryRoutes,
    pipelineRoutes,
    variableRoutes,
    executionRoutes,
    stepRoutes,
    fileRoutes,
    webhookRoutes,
  ])
    routes(api, context);
  refuseOtherMethods();
  return app;
}

/** Clients announce JSON where they send nothing. */
function acceptEmptyJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else void parse(request, body, done);
  });
}

const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE'];

/** Paths that exist answer other methods with 405. Called before routes are added; the result after. */
function otherMethodsOf(app: FastifyInstance): () => void {
  const known = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    known.set(url, new Set([...(known.get(url) ?? []), ...[method].flat()]));
  });
  return () => {
    for (const [url, has] of [...known]) {
      const method = METHODS.filter((other) => !has.has(other));
      app.route({
        ...{ url, method, config: { operation: 'everybody' }, schema: { hide: true } },
        handler: (_request, reply) =>
          sendProblem(
            reply.header('allow', [...has].join(', ')),
            new Problem(405, `this takes ${[...has].join(', ')}`),
          ),
      });
    }
  };
}
