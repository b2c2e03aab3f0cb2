import cors from '@fastify/cors';
import { ValueError, type Payload, type PayloadCodec } from '@temporalio/common';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { bareServer } from './bare-server.ts';
import { Problem } from './problem.ts';
import { permit } from './route.ts';
import { authenticator, type TokenSettings } from './tokens.ts';

export interface CodecServerOptions {
  readonly codec: PayloadCodec;
  /** Where the Web UI is, as its browser sees it: `https://temporal.example.com`. Pages from elsewhere get nothing. */
  readonly origins: readonly string[];
  /** Whose tokens are asked for; nobody is asked for one when absent: only for a loopback address. */
  readonly tokens?: TokenSettings;
  /** Where internal errors are logged, as lines of JSON; nowhere when absent. */
  readonly log?: NodeJS.WritableStream;
}

/** A page of the Web UI's history: what Temporal answers at once is 4 MiB at most, here in base64. */
const LARGEST_BODY = 8 * 1024 * 1024;

const bytes = z.base64().transform((text) => Buffer.from(text, 'base64'));
/** `temporal.api.common.v1.Payloads` in the JSON of protobuf. */
const question = z.object({
  payloads: z
    .array(z.object({ metadata: z.record(z.string(), bytes).default({}), data: bytes.optional() }))
    .max(10_000),
});

/** The remote codec that Temporal's Web UI asks to show what is encrypted; the caller lets it listen, and closes it. */
export async function createCodecServer(options: CodecServerOptions): Promise<FastifyInstance> {
  const { codec, origins, tokens, log } = options;
  const app = bareServer({ largestBody: LARGEST_BODY, log });
  // Browsers name the page that asks, also where a name was bent to a loopback address; what names none is no browser.
  app.addHook('onRequest', async ({ headers: { origin } }) => {
    if (origin !== undefined && !origins.includes(origin))
      throw new Problem(403, `pages from ${origin.slice(0, 200)} get nothing here, only the Web UI does`);
  });
  await app.register(cors, {
    origin: [...origins],
    methods: ['POST'],
    allowedHeaders: ['authorization', 'content-type', 'x-namespace'],
    maxAge: 600,
  });
  if (tokens) {
    const authenticate = authenticator(tokens, {});
    app.addHook('onRequest', async (request) => {
      request.caller = await authenticate(request.headers);
      // A history has all that a definition has.
      permit(request, 'readDefinition');
    });
  }

  for (const work of ['decode', 'encode'] as const)
    app
      .withTypeProvider<ZodTypeProvider>()
      .post(`/${work}`, { schema: { body: question } }, async ({ body }) => {
        try {
          return { payloads: (await codec[work](body.payloads)).map(asJson) };
        } catch (error) {
          if (error instanceof ValueError) throw new Problem(400, error.message);
          throw error;
        }
      });
  return app;
}

const base64 = (data: Uint8Array) => Buffer.from(data).toString('base64');

const asJson = ({ metadata, data }: Payload) => ({
  metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([key, value]) => [key, base64(value)])),
  ...(data && { data: base64(data) }),
});
