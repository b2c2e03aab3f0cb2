import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { problem } from './schemas.ts';

const DOCUMENT = '/api/openapi.json';

/**
 * The OpenAPI document, made of the schemas that requests and answers are held against, and a page to read it. Called
 * before routes are added.
 */
export async function documentation(app: FastifyInstance, publicUrl: string | undefined): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Fairway',
        version: '1',
        description:
          "Runs deployment pipelines of Adobe Experience Manager, in the form of Adobe's Cloud Manager API. " +
          'Links are followed by their relations; lists that have more name it as `next`.',
      },
      ...(publicUrl ? { servers: [{ url: publicUrl }] } : {}),
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
      security: [{ token: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: withProblems,
  });
  app.get(DOCUMENT, { config: { operation: 'everybody' }, schema: { hide: true } }, async () =>
    app.swagger(),
  );
  await app.register(async (page) => {
    page.addHook('onRoute', (route) => {
      route.config = { ...route.config, operation: 'everybody' };
    });
    await page.register(swaggerUi, {
      routePrefix: '/api/docs',
      staticCSP: {
        'default-src': ["'self'"],
        'img-src': ["'self'", 'data:'],
        'style-src': ["'self'", "'unsafe-inline'"],
        'frame-ancestors': ["'none'"],
      },
      uiConfig: { url: DOCUMENT },
    });
  });
}

type Document = ReturnType<typeof jsonSchemaTransformObject>;

/** Every request may be answered with a problem, which no route says of itself. */
function withProblems(described: Parameters<typeof jsonSchemaTransformObject>[0]): Document {
  const document = jsonSchemaTransformObject(described) as {
    components?: { schemas?: Record<string, unknown> };
    paths?: Record<string, Record<string, { responses: object }>>;
  };
  const { $schema: _, ...schema } = z.toJSONSchema(problem);
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, Problem: schema },
  };
  const refused = {
    description: 'Why it was not done.',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
  for (const operation of Object.values(document.paths ?? {}).flatMap((path) => Object.values(path)))
    operation.responses = { ...operation.responses, '4XX': refused, '5XX': refused };
  return document;
}
