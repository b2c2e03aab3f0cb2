import { z } from 'zod';
import { environmentSchema } from '../../model/schema/definition.ts';
import { links, paths } from '../hal.ts';
import { environmentsOf } from '../pipelines.ts';
import { Problem } from '../problem.ts';
import { expectedRevision, inProgram, programAt, revised, withThing, type Routes } from '../route.ts';
import { environment, environmentList, logList, variableList } from '../schemas.ts';

const inEnvironment = inProgram.extend({ environmentId: z.string().max(18) });
const ofType = z.object({ type: z.string().max(20).optional() });
const wantedLogs = z.object({
  service: z.string().max(100).optional(),
  name: z.string().max(100).optional(),
  days: z.coerce.number().int().min(0).max(365).optional(),
});

/** Environments. Creating and changing them is ours, in the schema of fairway.yaml. */
export const environmentRoutes: Routes = (app, { client }) => {
  const config = { operation: 'read' } as const;
  const edit = { operation: 'editEnvironment' } as const;
  const all = '/api/program/:programId/environments';
  const one = '/api/program/:programId/environment/:environmentId';

  /** @throws Problem 404 */
  const environmentAt = async (address: z.infer<typeof inEnvironment>) => {
    const program = await programAt(client, address);
    const found = environmentsOf(program).find(({ id }) => id === address.environmentId);
    if (found) return found;
    throw new Problem(404, `program ${address.programId} has no such environment`);
  };

  app.get(
    all,
    { config, schema: { params: inProgram, querystring: ofType, response: { 200: environmentList } } },
    async ({ params, query: { type } }) => {
      const known = environmentsOf(await programAt(client, params));
      const environments = known.filter((one) => type === undefined || one.type === type);
      return {
        _totalNumberOfItems: environments.length,
        _embedded: { environments },
        _links: links(paths.environments(params.programId), { program: paths.program(params.programId) }),
      };
    },
  );

  app.get(
    one,
    { config, schema: { params: inEnvironment, response: { 200: environment } } },
    async ({ params }) => environmentAt(params),
  );

  app.post(
    all,
    { config: edit, schema: { params: inProgram, body: environmentSchema, response: { 201: environment } } },
    async ({ params, body, caller }, reply) => {
      const program = await programAt(client, params);
      await client.apply(withThing(program, 'environments', body), program.revision, caller.actor);
      const location = paths.environment(params.programId, body.id);
      const made = await environmentAt({ ...params, environmentId: body.id });
      return reply.code(201).header('location', location).send(made);
    },
  );

  app.put(
    one,
    {
      config: edit,
      schema: {
        params: inEnvironment,
        headers: revised,
        body: environmentSchema,
        response: { 200: environment },
      },
    },
    async ({ params, headers, body, caller }) => {
      const program = await programAt(client, params);
      const wanted = withThing(program, 'environments', body, params.environmentId);
      await client.apply(wanted, expectedRevision(headers, program), caller.actor);
      return environmentAt(params);
    },
  );

  app.delete(
    one,
    { config: edit, schema: { params: inEnvironment, response: { 200: environment } } },
    async ({ params, caller }) => {
      const before = await environmentAt(params);
      await client.deleteEnvironment(params.programId, params.environmentId, caller.actor);
      return before;
    },
  );

  // Logs and variables of AEM itself stay where it runs: nothing is kept of them here.
  app.get(
    `${one}/logs`,
    { config, schema: { params: inEnvironment, querystring: wantedLogs, response: { 200: logList } } },
    async ({ params }) => {
      const { id, programId } = await environmentAt(params);
      const self = `${paths.environment(programId, id)}/logs`;
      return { _totalNumberOfItems: 0, _embedded: { downloads: [] }, _links: links(self) };
    },
  );
  app.get(
    `${one}/variables`,
    {
      config: { operation: 'readVariables' },
      schema: { params: inEnvironment, response: { 200: variableList } },
    },
    async ({ params }) => {
      const { id, programId } = await environmentAt(params);
      const self = `${paths.environment(programId, id)}/variables`;
      return { _totalNumberOfItems: 0, _embedded: { variables: [] }, _links: links(self) };
    },
  );
  app.patch(
    `${one}/variables`,
    { config: { operation: 'editVariables' }, schema: { params: inEnvironment } },
    async ({ params }) => {
      await environmentAt(params);
      throw new Problem(
        400,
        'environments of this flavour keep no variables: set those of the build at its pipeline, those of AEM where it runs',
      );
    },
  );
};
