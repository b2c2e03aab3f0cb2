import { randomUUID } from 'node:crypto';
import Fastify, { LogController, type FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { Problem, problemOf, sendProblem } from './problem.ts';

export interface BareServerOptions {
  /** In bytes. */
  readonly largestBody: number;
  /** How long a request may take to arrive, in milliseconds; 30 seconds when absent. */
  readonly requestMs?: number;
  /** Where internal errors are logged, as lines of JSON; nowhere when absent. */
  readonly log?: NodeJS.WritableStream;
}

const REQUEST_MS = 30_000;
const headers = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** An HTTP server without routes: bounded, with schemas of zod, and problems as answers. */
export function bareServer({ largestBody, requestMs = REQUEST_MS, log }: BareServerOptions): FastifyInstance {
  const app = Fastify({
    logger: log ? { stream: log } : false,
    bodyLimit: largestBody,
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
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ ...headers, 'x-request-id': request.id });
  });
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error);
    if (problem.status === 500) request.log.error({ err: error, requestId: request.id });
    return sendProblem(reply, problem);
  });
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, new Problem(404, 'there is no such thing')));
  return app;
}
