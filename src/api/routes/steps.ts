import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { logKey } from '../../client/one-execution.ts';
import { pathInExecution } from '../../client/files.ts';
import type { Artifact, PackageId, StoredFile } from '../../model/artifacts.ts';
import type { ExecutionState, StepState } from '../../model/execution.ts';
import { resultFile, type ResultFileKind } from '../../model/result-files.ts';
import { phaseOf } from '../../model/steps.ts';
import { advancing, cancelling, messageBody } from '../decisions.ts';
import { metricsOf, stepsIn, stepStateOf } from '../executions.ts';
import { links, paths } from '../hal.ts';
import { Problem } from '../problem.ts';
import { inExecution, permit, type Routes } from '../route.ts';
import { artifactList, metrics, nothing, redirect as redirectShown, sentOn, stepState } from '../schemas.ts';
import type { LinkedFile } from '../signed-links.ts';

const inStep = inExecution.extend({ phaseId: z.string().max(20), stepId: z.string().max(40) });
const inArtifact = inStep.extend({ artifactId: z.string().max(10) });
type StepAddress = z.infer<typeof inStep>;

/** Steps of executions: state, metrics, log, artifacts, decisions. */
export const stepRoutes: Routes = (app, { client, signedLinks, absolute }) => {
  const config = { operation: 'read' } as const;
  const path =
    '/api/program/:programId/pipeline/:pipelineId/execution/:executionId/phase/:phaseId/step/:stepId';
  const schema = { params: inStep };

  /** @throws Problem 404 */
  const stepAt = async (address: StepAddress): Promise<{ state: ExecutionState; step: StepState }> => {
    const state = await client.execution(address);
    const step = stepsIn(state).find((known) => known.id === address.stepId);
    if (step && phaseOf(step) === address.phaseId) return { state, step };
    throw new Problem(404, `execution ${address.executionId} has no such step`);
  };

  /** Adobe's Java library asks for anything and expects JSON; browsers name what they want. */
  const redirect = async (request: FastifyRequest, reply: FastifyReply, file: LinkedFile) => {
    const url = absolute(request, await signedLinks.make(file));
    const wanted = request.headers.accept ?? '*/*';
    return wanted.includes('application/json') || wanted === '*/*'
      ? { redirect: url }
      : reply.redirect(url, 307);
  };

  app.get(path, { config, schema: { ...schema, response: { 200: stepState } } }, async ({ params }) => {
    const { state, step } = await stepAt(params);
    return stepStateOf(state, step);
  });

  app.get(
    `${path}/metrics`,
    { config, schema: { ...schema, response: { 200: metrics } } },
    async ({ params }) => metricsOf((await stepAt(params)).step),
  );

  app.get(
    `${path}/logs`,
    {
      config,
      schema: {
        ...schema,
        querystring: z.object({ file: z.string().max(100).optional() }),
        response: { 200: redirectShown, 307: sentOn },
      },
    },
    async (request, reply) => {
      const { params, query } = request;
      const { step } = await stepAt(params);
      if (query.file !== undefined) throw new Problem(404, `step ${step.id} has one log; leave out ?file=`);
      return redirect(request, reply, logOf(params, step));
    },
  );

  app.get(
    `${path}/artifacts`,
    { config, schema: { ...schema, response: { 200: artifactList } } },
    async ({ params }) => {
      const { state, step } = await stepAt(params);
      const execution = paths.execution(params.programId, params.pipelineId, params.executionId);
      const self = paths.step(execution, params.phaseId, step.id);
      const artifacts = artifactsOf(params, state, step).map(({ name, stored, ...artifact }) => ({
        ...{ ...artifact, stepName: step.action, file: name, format: name.split('.').at(-1) },
        ...{ sha256: stored?.sha256, size: stored?.size },
        _links: links(`${self}/artifact/${artifact.id}`),
      }));
      return {
        _totalNumberOfItems: artifacts.length,
        _embedded: { artifacts },
        _links: links(`${self}/artifacts`),
      };
    },
  );

  app.get(
    `${path}/artifact/:artifactId`,
    { config, schema: { params: inArtifact, response: { 200: redirectShown, 307: sentOn } } },
    async (request, reply) => {
      const { state, step } = await stepAt(request.params);
      const found = artifactsOf(request.params, state, step).find(
        ({ id }) => id === request.params.artifactId,
      );
      if (!found) throw new Problem(404, `step ${step.id} has no such artifact`);
      return redirect(request, reply, { key: found.key, name: found.name });
    },
  );

  for (const way of ['advance', 'cancel'] as const)
    app.put(
      `${path}/${way}`,
      { config, schema: { ...schema, response: { 202: nothing } } },
      async (request, reply) => {
        const { params, body, caller } = request;
        const { state, step } = await stepAt(params);
        const decision = way === 'advance' ? advancing(step, body) : cancelling(state, step, body);
        permit(request, decision.operation);
        await client.send(decision.message, params, messageBody(decision, caller.actor));
        return reply.code(202).send();
      },
    );
};

const logOf = (address: StepAddress, step: StepState): LinkedFile => ({
  key: step.log ?? logKey(address, step.id),
  name: `${address.executionId}-${step.id}.log`,
});

interface Listed extends LinkedFile {
  readonly id: string;
  /** Cloud Manager's word; its clients know no others. */
  readonly type?: string;
  readonly kind: 'log' | Artifact['kind'] | 'results' | 'findings';
  readonly path: string;
  readonly package?: PackageId;
  readonly stored?: StoredFile;
}

const builtTypes: Partial<Record<Artifact['kind'], string>> = {
  aem: 'CONTENT_PACKAGE',
  dispatcher: 'DISPATCHER_CONFIGURATION',
};
const foundTypes: Partial<Record<ResultFileKind, string>> = {
  findings: 'SCAN_ISSUES',
  'slow pages': 'LOAD_SLOW_PAGES',
  'failing pages': 'LOAD_ERROR_PAGES',
  'test report': 'UI_TEST_RESULTS',
};

/** Its log, then what it built, what it found and its results; what came later has the later numbers. */
function artifactsOf(address: StepAddress, state: ExecutionState, step: StepState): Listed[] {
  if (step.startedAt === undefined) return [];
  const log = logOf(address, step);
  const built = (step.id === 'build' ? state.artifacts : []).map((artifact) => ({
    ...{ type: builtTypes[artifact.kind], kind: artifact.kind, path: artifact.path },
    ...(artifact.kind === 'aem' ? { package: artifact.package.id } : {}),
    ...{ key: artifact.file.key, name: lastPart(artifact.path), stored: artifact.file },
  }));
  const left = (kind: 'results' | 'findings', stored: StoredFile) => ({
    ...{ type: foundTypes[resultFile(stored).kind], kind, path: pathInExecution(stored.key) },
    ...{ key: stored.key, name: lastPart(stored.key), stored },
  });
  const all: Omit<Listed, 'id'>[] = [
    { type: 'LOG_FILE', kind: 'log', path: pathInExecution(log.key), ...log },
    ...built,
    ...(step.findings ?? []).map((file) => left('findings', file)),
    ...(step.results ? [left('results', step.results)] : []),
  ];
  return all.map((artifact, index) => ({ id: String(index + 1), ...artifact }));
}

const lastPart = (path: string): string => path.split('/').at(-1) ?? path;
