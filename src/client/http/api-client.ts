import { paths } from '../../model/api-paths.ts';
import type { StoredFile } from '../../model/artifacts.ts';
import type { ExecutionState, StepState } from '../../model/execution.ts';
import type { MessageName } from '../../model/messages.ts';
import type { Metric } from '../../model/gates.ts';
import type { Start } from '../../model/program.ts';
import { phaseOf, type StepId } from '../../model/steps.ts';
import type { ExecutionSummary } from '../../model/summary.ts';
import type { FairwayAccess } from '../access.ts';
import type { ExecutionFilter, ExecutionPage } from '../executions.ts';
import { cursorOf } from '../recorded-executions.ts';
import type { Body } from '../fairway-client.ts';
import { FairwayError } from '../fairway-error.ts';
import type { LeftFile } from '../files.ts';
import { logKey, stepIn, type ExecutionAddress } from '../one-execution.ts';
import { ReadFiles, type LogPiece, type StepResults } from '../read-files.ts';
import { findEnvironment, findExecution, findPipeline, findProgram, type Named } from '../resolve.ts';
import type { SetVariable } from '../variables.ts';
import { everythingWaiting } from '../waiting.ts';
import { ApiStorage, storedFile, type ApiArtifact } from './api-files.ts';
import { ApiPrograms } from './api-programs.ts';
import { decisionRequest } from './decision.ts';
import { stepsIn, summaryFrom, type ApiExecution, type Place } from './from-api.ts';
import { ApiRequests } from './request.ts';

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
export class ApiClient implements FairwayAccess {
  private readonly requests: ApiRequests;
  private readonly catalogue: ApiPrograms;
  private readonly storage: ApiStorage;
  private readonly files: ReadFiles;

  constructor(base: string, token: string) {
    this.requests = new ApiRequests(base, token);
    this.catalogue = new ApiPrograms(this.requests);
    this.storage = new ApiStorage(this.requests);
    this.files = new ReadFiles(() => this.storage);
  }

  async close(): Promise<void> {}

  programs() {
    return this.catalogue.all();
  }

  program(programId: string) {
    return this.catalogue.one(programId);
  }

  apply(definition: unknown, expectedRevision: number) {
    return this.catalogue.apply(definition, expectedRevision);
  }

  deleteProgram(programId: string) {
    return this.catalogue.remove(paths.program(programId));
  }

  deletePipeline(programId: string, pipelineId: string) {
    return this.catalogue.remove(paths.pipeline(programId, pipelineId));
  }

  deleteEnvironment(programId: string, environmentId: string) {
    return this.catalogue.remove(paths.environment(programId, environmentId));
  }

  setEmergency(programId: string, activated: boolean) {
    return this.catalogue.setEmergency(programId, activated);
  }

  variables(programId: string, pipelineId: string) {
    return this.catalogue.variables(programId, pipelineId);
  }

  setVariable(variable: SetVariable) {
    return this.catalogue.setVariable(variable);
  }

  deleteVariable({ name, ...pipeline }: Pick<SetVariable, 'programId' | 'pipelineId' | 'name'>) {
    return this.catalogue.changeVariable(pipeline, { name, value: '' });
  }

  webhooks(programId: string) {
    return this.catalogue.webhooks(programId);
  }

  replayEvents(programId: string, filter: { readonly webhookId?: string; readonly since?: string } = {}) {
    return this.catalogue.replayEvents(programId, filter);
  }

  async findProgram(nameOrId: string) {
    return { definition: findProgram(await this.catalogue.named(), nameOrId) };
  }

  async findPipeline(nameOrId: string, programId?: string) {
    return findPipeline(await this.namedOf(programId), nameOrId);
  }

  async findEnvironment(nameOrId: string, programId?: string) {
    const programs = await Promise.all(
      (await this.namedOf(programId)).map(async ({ id, name }) => ({
        ...{ id, name, environments: await this.catalogue.environments(id) },
      })),
    );
    return findEnvironment(programs, nameOrId);
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
    const pipelines = (await this.catalogue.named())
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
    const pipeline = paths.pipeline(programId, pipelineId);
    const id = executionId ?? (await this.requests.get<ApiExecution>(`${pipeline}/execution`)).id;
    return this.requests.get(paths.executionState(paths.execution(programId, pipelineId, id)));
  }

  waiting(filter: Pick<ExecutionFilter, 'programId' | 'pipelineId'> = {}) {
    return everythingWaiting(this, filter);
  }

  async start({
    programId,
    pipelineId,
    mode,
    branch,
    tag,
    reExecutes,
  }: Start & { readonly programId: string }) {
    const asked = new URLSearchParams({ pipelineExecutionMode: mode });
    if (branch !== undefined) asked.set('branch', branch);
    if (tag !== undefined) asked.set('tag', tag);
    if (reExecutes !== undefined) asked.set('stepId', `${reExecutes}-prodDeploy`);
    const path = `${paths.pipeline(programId, pipelineId)}/execution?${asked.toString()}`;
    const { id } = await this.requests.change<ApiExecution>('PUT', path);
    return { executionId: id };
  }

  /** Who decides is the subject of the token, whatever `by` says. */
  async send<N extends MessageName>(
    name: N,
    { programId, pipelineId, executionId }: Required<ExecutionAddress>,
    body: Body<N>,
    how: 'update' | 'signal' = 'update',
  ): Promise<string> {
    if (how === 'signal')
      throw new FairwayError(
        'refused',
        'the API answers decisions at once, as updates: leave out --signal, or use Temporal itself',
      );
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
    await this.requests.change('PUT', `${stepPath(execution, step)}/${way}`, sent);
    return accepted;
  }

  async log(address: Required<ExecutionAddress>, id: StepId, fromOffset = 0): Promise<LogPiece> {
    const { step, path } = await this.stepAt(address, id);
    const key = logKey(address, id);
    this.storage.isAt(key, `${path}/logs`);
    return this.files.log(key, fromOffset, step.hasEnded);
  }

  async results(address: Required<ExecutionAddress>, id: StepId): Promise<StepResults> {
    const { step, path } = await this.stepAt(address, id);
    const [{ metrics }, files] = await Promise.all([
      this.requests.get<{ readonly metrics: readonly Metric[] }>(`${path}/metrics`),
      this.artifactsAt(path),
    ]);
    const results = files.find(({ kind }) => kind === 'results');
    return this.files.results({
      ...{ ...step, metrics: metrics.map(withoutId) },
      results: results && storedFile(results),
      findings: files.filter(({ kind }) => kind === 'findings').map(storedFile),
    });
  }

  async leftFiles(address: Required<ExecutionAddress>): Promise<readonly LeftFile[]> {
    const state = await this.execution(address);
    const began = state.steps.filter(({ startedAt }) => startedAt !== undefined);
    const ofSteps = await Promise.all(began.map((step) => this.artifactsAt(pathOf(address, step))));
    const all = ofSteps.flat().flatMap((artifact): LeftFile[] => {
      const { kind, path, package: id } = artifact;
      if (kind === 'log') return [];
      const left = {
        kind: kind === 'findings' ? ('results' as const) : kind,
        path,
        file: storedFile(artifact),
      };
      return [{ ...left, ...(id ? { package: { id } } : {}) }];
    });
    return all.filter(({ file }, index) => all.findIndex((other) => other.file.key === file.key) === index);
  }

  download(left: { readonly file: StoredFile }, path: string): Promise<void> {
    return this.files.download(left, path);
  }

  private async stepAt(address: Required<ExecutionAddress>, id: StepId) {
    const step = stepIn(await this.execution(address), id);
    return { step, path: pathOf(address, step) };
  }

  private async artifactsAt(step: string): Promise<readonly ApiArtifact[]> {
    const { _embedded } = await this.requests.get<{
      readonly _embedded: { readonly artifacts: readonly ApiArtifact[] };
    }>(`${step}/artifacts`);
    for (const { key, _links } of _embedded.artifacts) this.storage.isAt(key, _links.self.href);
    return _embedded.artifacts;
  }

  private async namedOf(programId: string | undefined) {
    return (await this.catalogue.named()).filter(({ id }) => programId === undefined || id === programId);
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

const pathOf = (
  { programId, pipelineId, executionId }: Required<ExecutionAddress>,
  step: StepState,
): string => paths.step(paths.execution(programId, pipelineId, executionId), phaseOf(step), step.id);

/** The API numbers metrics, as Cloud Manager's does. */
const withoutId = ({ id: _, ...metric }: Metric & { readonly id?: string }): Metric => metric;
