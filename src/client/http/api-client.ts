import { paths } from '../../model/api-paths.ts';
import type { ExecutionState } from '../../model/execution.ts';
import { gateSteps, type MessageName } from '../../model/messages.ts';
import type { Metric } from '../../model/gates.ts';
import type { Start } from '../../model/program.ts';
import type { ExecutionSummary } from '../../model/summary.ts';
import type { ExecutionsClient } from '../executions-client.ts';
import type { ExecutionFilter, ExecutionPage } from '../executions.ts';
import { cursorOf } from '../recorded-executions.ts';
import type { Body, ExecutionAddress } from '../fairway-client.ts';
import { FairwayError } from '../fairway-error.ts';
import { findExecution, findPipeline, findProgram, type Named } from '../resolve.ts';
import { decisionRequest } from './decision.ts';
import { stateFrom, stepsIn, summaryFrom, type ApiExecution, type Place } from './from-api.ts';
import { ApiRequests } from './request.ts';

interface KnownProgram extends Named {
  readonly pipelines: readonly Named[];
}
interface Listed {
  readonly _embedded: { readonly executions: readonly ApiExecution[] };
  readonly _links: Readonly<Record<string, { readonly href: string }>>;
}
type ListOptions = ExecutionFilter & { readonly limit?: number; readonly after?: string };

const NEXT = 'next';
const PAGE = 20;
const LARGEST_PAGE = 100;
/** How far a list is read for those that fit a filter. */
const MOST = 1000;

/** Fairway through its HTTP API: what a token allows, without access to Temporal. */
export class ApiClient implements ExecutionsClient {
  private readonly requests: ApiRequests;
  private known: Promise<readonly KnownProgram[]> | undefined;

  constructor(base: string, token: string) {
    this.requests = new ApiRequests(base, token);
  }

  async close(): Promise<void> {}

  async findProgram(nameOrId: string) {
    return { definition: findProgram(await this.programs(), nameOrId) };
  }

  async findPipeline(nameOrId: string, programId?: string) {
    const programs = await this.programs();
    return findPipeline(
      programs.filter(({ id }) => programId === undefined || id === programId),
      nameOrId,
    );
  }

  findExecution(
    id: string | undefined,
    filter: Pick<ExecutionFilter, 'programId' | 'pipelineId' | 'waitingFor'> = {},
  ): Promise<ExecutionSummary> {
    return findExecution(id, filter, (options) => this.executions(options));
  }

  /** Of each pipeline those that fit, then the newest of all. */
  async executions({ limit = PAGE, ...options }: ListOptions = {}): Promise<ExecutionPage> {
    const { programId, pipelineId } = options;
    const pipelines = (await this.programs())
      .filter(({ id }) => programId === undefined || id === programId)
      .flatMap((program) => program.pipelines.map((pipeline) => ({ program, pipeline })))
      .filter(({ pipeline: { id } }) => pipelineId === undefined || id === pipelineId);
    const found = await Promise.all(
      pipelines.map(({ program, pipeline }) => this.ofPipeline(program, pipeline, limit + 1, options)),
    );
    const all = found.flat().sort((a, b) => (cursorOf(a) < cursorOf(b) ? 1 : -1));
    const page = all.slice(0, limit);
    const last = page.at(-1);
    return { executions: page, ...(all.length > limit && last ? { next: cursorOf(last) } : {}) };
  }

  async execution({ programId, pipelineId, executionId }: ExecutionAddress): Promise<ExecutionState> {
    const path = executionId
      ? paths.execution(programId, pipelineId, executionId)
      : `${paths.pipeline(programId, pipelineId)}/execution`;
    const execution = await this.requests.get<ApiExecution>(path);
    const gate = stepsIn(execution).find(
      ({ stepId, status }) => status === 'WAITING' && gateSteps.some((known) => known === stepId),
    );
    const metrics = gate
      ? await this.requests.get<{ readonly metrics: readonly Metric[] }>(
          `${stepPath(execution, gate)}/metrics`,
        )
      : undefined;
    return stateFrom(execution, await this.place(programId, pipelineId), metrics?.metrics);
  }

  async start({
    programId,
    pipelineId,
    mode,
    branch,
    tag,
    reExecutes,
  }: Start & { readonly programId: string }) {
    if (branch !== undefined || tag !== undefined)
      throw new FairwayError('refused', 'the API starts a pipeline with its own branch or tag only');
    const asked = new URLSearchParams({ pipelineExecutionMode: mode });
    if (reExecutes !== undefined) asked.set('stepId', `${reExecutes}-prodDeploy`);
    const path = `${paths.pipeline(programId, pipelineId)}/execution?${asked.toString()}`;
    const { id } = await this.requests.put<ApiExecution>(path);
    return { executionId: id };
  }

  /** Who decides is the subject of the token, whatever `by` says. */
  async send<N extends MessageName>(
    name: N,
    { programId, pipelineId, executionId }: Required<ExecutionAddress>,
    body: Body<N>,
    how: 'update' | 'signal' = 'update',
  ): Promise<string> {
    if (how === 'signal') throw new FairwayError('refused', 'the API answers decisions at once: no signals');
    const execution = await this.requests.get<ApiExecution>(
      paths.execution(programId, pipelineId, executionId),
    );
    const steps = stepsIn(execution);
    const { step: id, way, sent, accepted } = decisionRequest(name, body);
    const step = steps.find(({ stepId, status }) =>
      id === 'current' ? status === 'RUNNING' || status === 'WAITING' : stepId === id,
    );
    if (!step)
      throw new FairwayError(
        'refused',
        id === 'current'
          ? `execution ${executionId} has ended: it is ${execution.status}`
          : `execution ${executionId} has no step ${id}`,
      );
    await this.requests.put(`${stepPath(execution, step)}/${way}`, sent);
    return accepted;
  }

  /** Read once: a command is over in a moment. */
  private programs(): Promise<readonly KnownProgram[]> {
    return (this.known ??= this.readPrograms());
  }

  private async readPrograms(): Promise<readonly KnownProgram[]> {
    const { _embedded } = await this.requests.get<{
      readonly _embedded: { readonly programs: readonly Named[] };
    }>(paths.programs());
    return Promise.all(
      _embedded.programs.map(async ({ id, name }) => {
        const answer = await this.requests.get<{
          readonly _embedded: { readonly pipelines: readonly Named[] };
        }>(paths.pipelines(id));
        return { id, name, pipelines: answer._embedded.pipelines };
      }),
    );
  }

  private async place(programId: string, pipelineId: string): Promise<Place> {
    const program = (await this.programs()).find(({ id }) => id === programId);
    const pipeline = program?.pipelines.find(({ id }) => id === pipelineId);
    return { programName: program?.name ?? programId, pipelineName: pipeline?.name ?? pipelineId };
  }

  private async ofPipeline(
    program: Named,
    pipeline: Named,
    limit: number,
    { executionId, status, mode, waitingFor, after }: ListOptions,
  ): Promise<ExecutionSummary[]> {
    const place: Place = { programName: program.name, pipelineName: pipeline.name };
    if (executionId !== undefined) {
      const path = paths.execution(program.id, pipeline.id, executionId);
      const one = await this.requests.get<ApiExecution>(path).catch((error: unknown) => {
        if (error instanceof FairwayError && error.kind === 'notFound') return undefined;
        throw error;
      });
      return one ? [summaryFrom(one, place)] : [];
    }
    const fits = (found: ExecutionSummary) =>
      (!status || found.status === status) &&
      (!mode || found.mode === mode) &&
      (!waitingFor ||
        (waitingFor === 'anything' ? found.waitingFor !== undefined : found.waitingFor?.step === waitingFor));
    const found: ExecutionSummary[] = [];
    const begin = new URLSearchParams({ limit: String(Math.min(limit, LARGEST_PAGE)) });
    if (after !== undefined) begin.set('after', after);
    let path: string | undefined =
      `${paths.pipeline(program.id, pipeline.id)}/executions?${begin.toString()}`;
    for (let read = 0; path && found.length < limit && read < MOST;) {
      const page: Listed = await this.requests.get<Listed>(path);
      const { executions } = page._embedded;
      read += executions.length;
      found.push(...executions.map((one) => summaryFrom(one, place)).filter(fits));
      // Only one of a pipeline runs or waits, and it is the newest.
      const isOnlyOne = waitingFor !== undefined || status === 'RUNNING' || status === 'CANCELLING';
      path = isOnlyOne || executions.length === 0 ? undefined : page._links[NEXT]?.href;
    }
    return found;
  }
}

const stepPath = (
  { programId, pipelineId, id }: ApiExecution,
  { phaseId, stepId }: { readonly phaseId: string; readonly stepId: string },
) => paths.step(paths.execution(programId, pipelineId, id), phaseId, stepId);
