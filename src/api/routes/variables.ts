import { z } from 'zod';
import type { Actor } from '../../model/actor.ts';
import { MAX_VALUE, MAX_VARIABLES } from '../../model/variables.ts';
import { links, paths } from '../hal.ts';
import { inPipeline, pipelineAt, type Routes } from '../route.ts';
import { nothing, variableList } from '../schemas.ts';

const changes = z
  .array(
    z.object({
      name: z.string().min(1).max(100),
      /** Empty: the variable is removed. */
      value: z.string().max(MAX_VALUE).default(''),
      type: z.enum(['string', 'secretString']).default('string'),
      service: z.literal('build', 'variables are for the build only').optional(),
    }),
  )
  .min(1)
  .max(MAX_VARIABLES);

/** Variables of pipelines. */
export const variableRoutes: Routes = (app, { client }) => {
  const path = '/api/program/:programId/pipeline/:pipelineId/variables';

  const shown = async ({ programId, pipelineId }: z.infer<typeof inPipeline>) => {
    const all = await client.variables(programId, pipelineId);
    const variables = all.map(({ name, type, value }) => ({
      name,
      type,
      value,
      service: 'build',
      status: 'ready' as const,
    }));
    const pipeline = paths.pipeline(programId, pipelineId);
    return {
      _totalNumberOfItems: variables.length,
      _embedded: { variables },
      _links: links(`${pipeline}/variables`, { pipeline, program: paths.program(programId) }),
    };
  };

  const change = (
    { programId, pipelineId }: z.infer<typeof inPipeline>,
    { name, value, type }: z.infer<typeof changes>[number],
    by: Actor,
  ) =>
    value === ''
      ? client.deleteVariable({ programId, pipelineId, name, by })
      : client.setVariable({ programId, pipelineId, name, value, secret: type === 'secretString', by });

  app.get(
    path,
    {
      config: { operation: 'readVariables' },
      schema: { params: inPipeline, response: { 200: variableList } },
    },
    async ({ params }) => {
      await pipelineAt(client, params);
      return shown(params);
    },
  );

  app.patch(
    path,
    {
      config: { operation: 'editVariables' },
      schema: { params: inPipeline, body: changes, response: { 204: nothing } },
    },
    async ({ params, body, caller }, reply) => {
      await pipelineAt(client, params);
      // One after the other: the first that is refused ends it, and those before it stay.
      for (const one of body) await change(params, one, caller.actor);
      return reply.code(204).send();
    },
  );
};
