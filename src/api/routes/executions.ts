import { z } from 'zod';
import type { Page, PageOptions } from '../../client/executions.ts';
import { FairwayError } from '../../client/fairway-error.ts';
import type { FairwayClient } from '../../client/fairway-client.ts';
import { cursorOf } from '../../client/recorded-executions.ts';
import { triggerOf, type ExecutionState } from '../../model/execution.ts';
import type { ExecutionSummary } from '../../model/summary.ts';
import { executionOf, executionOutline } from '../executions.ts';
import { link, links, paths } from '../hal.ts';
import { Problem } from '../problem.ts';
import { inExecution, inPipeline, pipelineAt, type Routes } from '../route.ts';
import { execution as executionShown, executionList, executionState } from '../schemas.ts';

const page = z.object({
  start: z.coerce.number().int().min(0).max(10_000).default(0),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  /** Ours, in `next` links: where this page begins, so that it need not be counted from the newest. */
  after: z.string().max(100).optional(),
});
/** The deployment to production that is done again, as the link `pipeline/reExecute` names it: `<execution id>-prodDeploy`. */
const reExecuted = z
  .string()
  .regex(
    /^[0-9]{1,10}-prodDeploy$/,
    'names the deployment to production of an execution: <execution id>-prodDeploy',
  )
  .transform((stepId) => (stepId.split('-')[0] ?? '').padStart(10, '0'));
const start = z.object({
  pipelineExecutionMode: z.enum(['NORMAL', 'EMERGENCY']).default('NORMAL'),
  stepId: reExecuted.optional(),
  /** Ours: what to build this time, instead of what the pipeline names. */
  branch: z.string().max(255).optional(),
  tag: z.string().max(255).optional(),
  sourceExecutionId: z.undefined('name the step that is done again instead: stepId').optional(),
});

type PipelineAddress = z.infer<typeof inPipeline>;

export const executionRoutes: Routes = (app, { client }) => {
  const read = { operation: 'read' } as const;
  const one = oneAtATime();
  const pipelinePath = '/api/program/:programId/pipeline/:pipelineId';

  app.put(
    `${pipelinePath}/execution`,
    {
      config: { operation: 'startExecution' },
      schema: { params: inPipeline, querystring: start, response: { 201: executionShown } },
    },
    async ({ params, query, caller }, reply) => {
      const { pipelineExecutionMode, stepId: reExecutes, branch, tag } = query;
      const { executionId } = await one(`${params.programId}/${params.pipelineId}`, async () => {
        await pipelineAt(client, params);
        return client
          .start({ ...params, mode: pipelineExecutionMode, branch, tag, reExecutes, by: caller.actor })
          .catch((error: unknown) => {
            const busy = error instanceof FairwayError && error.failureType === 'Conflict';
            throw busy ? new Problem(412, error.message) : error;
          });
      });
      const execution = executionOutline({
        ...{ ...params, executionId, mode: pipelineExecutionMode, status: 'RUNNING' },
        ...{ startedBy: caller.actor, createdAt: new Date().toISOString() },
        trigger: triggerOf(reExecutes),
      });
      const path = paths.execution(params.programId, params.pipelineId, executionId);
      return reply.code(201).header('location', path).send(execution);
    },
  );

  app.get(
    `${pipelinePath}/execution`,
    { config: read, schema: { params: inPipeline, response: { 200: executionShown } } },
    async ({ params }) => {
      await pipelineAt(client, params);
      const executionId = await client.running(params.programId, params.pipelineId);
      if (executionId !== undefined) return executionOf(await client.execution({ ...params, executionId }));
      throw new Problem(404, `no execution of pipeline ${params.pipelineId} is running`);
    },
  );

  app.get(
    `${pipelinePath}/execution/:executionId`,
    { config: read, schema: { params: inExecution, response: { 200: executionShown } } },
    async ({ params }) => executionOf(await client.execution(params)),
  );

  app.get(
    `${pipelinePath}/execution/:executionId/state`,
    { config: read, schema: { params: inExecution, response: { 200: executionState } } },
    async ({ params }) => ({ ...(await client.execution(params)) }),
  );

  app.get(
    `${pipelinePath}/executions`,
    { config: read, schema: { params: inPipeline, querystring: page, response: { 200: executionList } } },
    async ({ params, query: { start, limit, after } }) => {
      const skip = after === undefined ? start : 0;
      const { executions, next } = await listed(client, params, { limit, skip, after });
      // Executions of a pipeline that was removed remain: whether it is there matters where there are none.
      if (executions.length === 0) await pipelineAt(client, params);
      const self = `${paths.pipeline(params.programId, params.pipelineId)}/executions`;
      const end = start + executions.length;
      const onward = next && `${self}?start=${end}&limit=${limit}&after=${encodeURIComponent(next)}`;
      return {
        _page: { start, limit, ...(onward ? { next: end } : {}) },
        _embedded: { executions: executions.map(shownInList) },
        _links: {
          ...links(self, { pipeline: paths.pipeline(params.programId, params.pipelineId) }),
          ...(onward ? { next: link(onward) } : {}),
        },
      };
    },
  );
};

/**
 * Of many who start the same pipeline at once one asks its program, which would make the others wait longer than they can:
 * when it has started, the others have lost.
 */
function oneAtATime() {
  /** By pipeline: whether the start that is under way has left it running. */
  const underWay = new Map<string, Promise<boolean>>();
  return async <T>(pipeline: string, start: () => Promise<T>): Promise<T> => {
    for (let other = underWay.get(pipeline); other; other = underWay.get(pipeline))
      if (await other)
        throw new Problem(412, 'the pipeline has a running execution: wait for its end or cancel it');
    const starting = start();
    const runs = starting.then(
      () => true,
      (error: unknown) => error instanceof Problem && error.status === 412,
    );
    underWay.set(
      pipeline,
      runs.finally(() => underWay.delete(pipeline)),
    );
    return starting;
  };
}

/** One that has just been started is first, although Temporal's lists are a moment behind. */
async function listed(
  client: FairwayClient,
  { programId, pipelineId }: PipelineAddress,
  options: PageOptions,
): Promise<Page<ExecutionState | ExecutionSummary>> {
  const isFirst = options.after === undefined && options.skip === 0;
  const [page, executionId] = await Promise.all([
    client.executionStates({ programId, pipelineId, ...options }),
    isFirst ? client.running(programId, pipelineId) : undefined,
  ]);
  if (!executionId || page.executions.some((known) => known.executionId === executionId)) return page;
  const running = await client.execution({ programId, pipelineId, executionId });
  const executions = [running, ...page.executions].slice(0, options.limit);
  const last = executions.at(-1);
  return { executions, next: last && page.executions.length >= options.limit ? cursorOf(last) : page.next };
}

/** With its steps, where they are known. */
const shownInList = (found: ExecutionState | ExecutionSummary) =>
  'steps' in found ? executionOf(found) : { ...executionOutline(found), _embedded: { stepStates: [] } };
