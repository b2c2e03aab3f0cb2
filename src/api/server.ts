import { randomUUID } from 'node:crypto';
import Fastify, { LogController, type FastifyInstance, type FastifyRequest, type HTTPMethods } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { FairwayClient } from '../client/fairway-client.ts';
import { documentation } from './documentation.ts';
import { limiter } from './limits.ts';
import { monitoring } from './monitoring.ts';
import { Problem, problemOf, sendProblem } from './problem.ts';
import { permit, type Context } from './route.ts';
import { environmentRoutes } from './routes/environments.ts';
import { executionRoutes } from './routes/executions.ts';
import { fileRoutes } from './routes/files.ts';
import { pipelineRoutes } from './routes/pipelines.ts';
import { programRoutes } from './routes/programs.ts';
import { repositoryRoutes } from './routes/repositories.ts';
import { stepRoutes } from './routes/steps.ts';
import { variableRoutes } from './routes/variables.ts';
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
const REQUEST_MS = 30_000;
const headers = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** The Cloud Manager compatible API; the caller lets it listen, and closes it. */
export async function createApi(options: ApiOptions): Promise<FastifyInstance> {
  const {
    client,
    tokens,
    identity = {},
    linkSecret,
    publicUrl,
    requestsPerMinute = 1200,
    requestMs = REQUEST_MS,
    log,
  } = options;
  const authenticate = authenticator(tokens, identity);
  const app = Fastify({
    logger: log ? { stream: log } : false,
    bodyLimit: LARGEST_BODY,
    requestTimeout: requestMs,
    http: { connectionsCheckingInterval: requestMs / 10 },
    forceCloseConnections: 'idle',
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    // A proxy on this machine says whom it speaks for.
    trustProxy: 'loopback',
    // Its lines would have signed links in them.
    logController: new LogController({ disableRequestLogging: true }),
    // What is no address at all reaches neither hooks nor routes.
    frameworkErrors: (error, request, reply) => {
      reply.headers({ ...headers, 'x-request-id': request.id });
      void sendProblem(reply, problemOf(error));
    },
  });
  // The longer of the two would count for the body.
  app.server.headersTimeout = requestMs;
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  acceptEmptyJson(app);

  const limit = await limiter(app, requestsPerMinute);
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ ...headers, 'x-request-id': request.id });
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
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error);
    if (problem.status === 500) request.log.error({ err: error, requestId: request.id });
    return sendProblem(reply, problem);
  });
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, new Problem(404, 'there is no such thing')));

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
