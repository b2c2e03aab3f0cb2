import { z } from 'zod';
import { pipelineSchema, type Pipeline, type Program } from '../../model/schema/definition.ts';
import { link, links, paths } from '../hal.ts';
import { environmentIn, pipelineOf } from '../pipelines.ts';
import { Problem } from '../problem.ts';
import {
  expectedRevision,
  inPipeline,
  inProgram,
  pipelineAt,
  programAt,
  revised,
  withThing,
  type Routes,
} from '../route.ts';
import { nothing, pipeline as pipelineShown, pipelineList } from '../schemas.ts';

const page = z.object({
  start: z.coerce.number().int().min(0).max(10_000).default(0),
  limit: z.coerce.number().int().min(1).max(500).default(500),
});

/** Clients send whole phases as they read them, with what they change; what is known of a phase is read here. */
const update = z.object({
  phases: z
    .array(
      z.object({
        type: z.enum(['VALIDATE', 'BUILD', 'DEPLOY']),
        branch: z.string().max(255).optional(),
        repositoryId: z.undefined('a pipeline keeps its repository: change it with fairway apply').optional(),
        environmentType: z.enum(['dev', 'stage', 'prod']).optional(),
        environmentId: z.string().max(18).optional(),
      }),
    )
    .min(1)
    .max(20),
});

export const pipelineRoutes: Routes = (app, { client }) => {
  const read = { operation: 'read' } as const;
  const edit = { operation: 'editPipeline' } as const;
  const path = '/api/program/:programId/pipeline/:pipelineId';
  const shown = async (program: Program, pipeline: Pipeline) =>
    pipelineOf(program, pipeline, (await client.running(program.id, pipeline.id)) !== undefined);

  app.get(
    '/api/program/:programId/pipelines',
    { config: read, schema: { params: inProgram, querystring: page, response: { 200: pipelineList } } },
    async ({ params: { programId }, query: { start, limit } }) => {
      const { definition } = await programAt(client, { programId });
      const end = start + limit;
      const asked = definition.pipelines.slice(start, end);
      const self = paths.pipelines(programId);
      const onward = end < definition.pipelines.length && `${self}?start=${end}&limit=${limit}`;
      return {
        _totalNumberOfItems: definition.pipelines.length,
        _page: { start, limit, ...(onward ? { next: end } : {}) },
        _embedded: { pipelines: await Promise.all(asked.map((pipeline) => shown(definition, pipeline))) },
        _links: {
          ...links(self, { program: paths.program(programId) }),
          ...(onward ? { next: link(onward) } : {}),
        },
      };
    },
  );

  app.get(
    path,
    { config: read, schema: { params: inPipeline, response: { 200: pipelineShown } } },
    async ({ params }) => {
      const { program, pipeline } = await pipelineAt(client, params);
      return shown(program.definition, pipeline);
    },
  );

  app.patch(
    path,
    { config: edit, schema: { params: inPipeline, body: update, response: { 200: pipelineShown } } },
    async ({ params, body, caller }) => {
      const { program, pipeline } = await pipelineAt(client, params);
      const { definition, revision } = program;
      const changed = body.phases.reduce<Pipeline>(withPhase, pipeline);
      const pipelines = definition.pipelines.map((known) => (known === pipeline ? changed : known));
      await client.apply({ ...definition, pipelines }, revision, caller.actor);
      return shown(definition, changed);
    },
  );

  app.post(
    '/api/program/:programId/pipelines',
    { config: edit, schema: { params: inProgram, body: pipelineSchema, response: { 201: pipelineShown } } },
    async ({ params, body, caller }, reply) => {
      const program = await programAt(client, params);
      await client.apply(withThing(program, 'pipelines', body), program.revision, caller.actor);
      const location = paths.pipeline(params.programId, body.id);
      return reply
        .code(201)
        .header('location', location)
        .send(await shown(program.definition, body));
    },
  );

  app.put(
    path,
    {
      config: edit,
      schema: {
        params: inPipeline,
        headers: revised,
        body: pipelineSchema,
        response: { 200: pipelineShown },
      },
    },
    async ({ params, headers, body, caller }) => {
      const program = await programAt(client, params);
      const wanted = withThing(program, 'pipelines', body, params.pipelineId);
      await client.apply(wanted, expectedRevision(headers, program), caller.actor);
      return shown(program.definition, body);
    },
  );

  app.delete(
    path,
    { config: edit, schema: { params: inPipeline, response: { 204: nothing } } },
    async ({ params, caller }, reply) => {
      await client.deletePipeline(params.programId, params.pipelineId, caller.actor);
      return reply.code(204).send();
    },
  );

  // Every build begins in a fresh folder and keeps nothing for the next one: it is as good as done.
  app.delete(
    `${path}/cache`,
    { config: edit, schema: { params: inPipeline, response: { 204: nothing } } },
    async ({ params }, reply) => {
      await pipelineAt(client, params);
      return reply.code(204).send();
    },
  );
};

const TAGS = 'refs/tags/';

function withPhase(
  pipeline: Pipeline,
  { type, branch, environmentType, environmentId }: z.infer<typeof update>['phases'][number],
): Pipeline {
  if (type === 'BUILD' && branch !== undefined) {
    const { url } = pipeline.repository;
    const source = branch.startsWith(TAGS) ? { tag: branch.slice(TAGS.length) } : { branch };
    return { ...pipeline, repository: { url, ...source } };
  }
  if (type !== 'DEPLOY' || !environmentType || !environmentId) return pipeline;
  if (environmentIn(pipeline, environmentType) === undefined)
    throw new Problem(
      400,
      `pipeline ${pipeline.id} does not deploy to an environment of type ${environmentType}`,
    );
  if (pipeline.type === 'deployment') return { ...pipeline, devEnvironment: environmentId };
  const field = environmentType === 'stage' ? 'stageEnvironment' : 'productionEnvironment';
  return { ...pipeline, [field]: environmentId };
}
