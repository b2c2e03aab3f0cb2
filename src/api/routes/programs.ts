import { z } from 'zod';
import { programSchema } from '../../model/schema/definition.ts';
import { links, paths } from '../hal.ts';
import { embeddedProgram, programOf, TENANT, tenantOf } from '../pipelines.ts';
import { Problem } from '../problem.ts';
import { expectedRevision, inProgram, programAt, revised, type Routes } from '../route.ts';
import { nothing, program, programList, tenant, tenantList } from '../schemas.ts';

const inTenant = z.object({ tenantId: z.string().max(18) });
const emergency = z.object({ activated: z.boolean() });

/** Programs and the one tenant. Creating, changing and defining them is ours, in the schema of fairway.yaml. */
export const programRoutes: Routes = (app, { client }) => {
  const config = { operation: 'read' } as const;
  const edit = { operation: 'editProgram' } as const;

  const listed = async (self: string) => {
    const programs = (await client.programs()).map(embeddedProgram);
    return { _totalNumberOfItems: programs.length, _embedded: { programs }, _links: links(self) };
  };
  const tenantAt = ({ tenantId }: z.infer<typeof inTenant>) => {
    if (tenantId !== TENANT) throw new Problem(404, `there is no tenant ${tenantId}`);
    return tenantOf();
  };

  app.get('/api/tenants', { config, schema: { response: { 200: tenantList } } }, async () => ({
    _embedded: { tenants: [tenantOf()] },
    _links: links('/api/tenants'),
  }));
  app.get(
    '/api/tenant/:tenantId',
    { config, schema: { params: inTenant, response: { 200: tenant } } },
    async ({ params }) => tenantAt(params),
  );
  app.get(
    '/api/tenant/:tenantId/programs',
    { config, schema: { params: inTenant, response: { 200: programList } } },
    async ({ params }) => {
      tenantAt(params);
      return listed(`/api/tenant/${TENANT}/programs`);
    },
  );

  app.get('/api/programs', { config, schema: { response: { 200: programList } } }, async () =>
    listed(paths.programs()),
  );

  app.get(
    '/api/program/:programId',
    { config, schema: { params: inProgram, response: { 200: program } } },
    async ({ params }) => programOf(await programAt(client, params)),
  );

  app.get(
    '/api/program/:programId/definition',
    {
      config: { operation: 'readDefinition' },
      schema: { params: inProgram, response: { 200: z.looseObject({}) } },
    },
    async ({ params }, reply) => {
      const { definition, revision } = await programAt(client, params);
      return reply.header('etag', `"${revision}"`).send(definition);
    },
  );

  app.post(
    '/api/programs',
    { config: edit, schema: { body: programSchema, response: { 201: program } } },
    async ({ body, caller }, reply) => {
      if (await client.program(body.id)) throw new Problem(409, `program ${body.id} is there already`);
      const state = await client.apply(body, 0, caller.actor);
      return reply
        .code(201)
        .header('location', paths.program(body.id))
        .send(programOf({ ...state, definition: body }));
    },
  );

  app.put(
    '/api/program/:programId',
    {
      config: edit,
      schema: { params: inProgram, headers: revised, body: programSchema, response: { 200: program } },
    },
    async ({ params, headers, body, caller }) => {
      if (body.id !== params.programId)
        throw new Problem(400, { field: 'id', message: `must be ${params.programId}` });
      const before = await programAt(client, params);
      const state = await client.apply(body, expectedRevision(headers, before), caller.actor);
      return programOf({ ...state, definition: body });
    },
  );

  app.delete(
    '/api/program/:programId',
    { config: edit, schema: { params: inProgram, response: { 200: program } } },
    async ({ params, caller }) => {
      const before = await programAt(client, params);
      await client.deleteProgram(params.programId, caller.actor);
      return programOf(before);
    },
  );

  app.put(
    '/api/program/:programId/emergency',
    {
      config: { operation: 'setEmergency' },
      schema: { params: inProgram, body: emergency, response: { 204: nothing } },
    },
    async ({ params, body, caller }, reply) => {
      await programAt(client, params);
      await client.setEmergency(params.programId, body.activated, caller.actor);
      return reply.code(204).send();
    },
  );
};
