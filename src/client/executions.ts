import type { ExecutionState, ExecutionStatus } from '../model/execution.ts';
import type { ExecutionMode, StepId } from '../model/steps.ts';
import type { ExecutionSummary } from '../model/summary.ts';
import type { Calls } from './calls.ts';
import { FairwayError, isUnanswerable } from './fairway-error.ts';
import type { Files } from './files.ts';
import type { OneExecution } from './one-execution.ts';
import {
  cursorOf,
  idOf,
  isAfter,
  newestFirst,
  recordedExecutions,
  type Recorded,
} from './recorded-executions.ts';
import { visibleExecutions } from './visibility.ts';

/** Which executions to list; what is left out does not matter. */
export interface ExecutionFilter {
  readonly programId?: string;
  readonly pipelineId?: string;
  readonly executionId?: string;
  readonly status?: ExecutionStatus;
  readonly mode?: ExecutionMode;
  /** Only those that wait for a person: in this step, or in any. */
  readonly waitingFor?: StepId | 'anything';
}

/** Which part of a list to give. */
export interface PageOptions {
  readonly limit: number;
  /** How many to leave out before. */
  readonly skip?: number;
  /** What the page before ends with: its `next`. */
  readonly after?: string;
}

/** One page of a list of executions. */
export interface Page<T> {
  /** Newest first. */
  readonly executions: readonly T[];
  /** For `after`, to get the next page; absent on the last one. */
  readonly next?: string;
}
export type ExecutionPage = Page<ExecutionSummary>;

/** Lists executions of Temporal's visibility and of the index in storage, as one. */
export class ExecutionLists {
  private readonly calls: Calls;
  private readonly files: Files;
  private readonly one: OneExecution;
  private readonly programIds: () => Promise<readonly string[]>;

  /** @param programIds whose index is read where a filter names no program */
  constructor(calls: Calls, files: Files, one: OneExecution, programIds: () => Promise<readonly string[]>) {
    this.calls = calls;
    this.files = files;
    this.one = one;
    this.programIds = programIds;
  }

  /** @throws FairwayError `refused` for an `after` that no page ends with */
  async summaries(options: ExecutionFilter & PageOptions): Promise<ExecutionPage> {
    const { executions, next } = await this.page(options);
    return { next, executions: await Promise.all(executions.map((found) => this.summary(found))) };
  }

  /** Whole states; of one that nobody can tell more about, what the list says. @throws FairwayError as `summaries` */
  async states(options: ExecutionFilter & PageOptions): Promise<Page<ExecutionState | ExecutionSummary>> {
    const { executions, next } = await this.page(options);
    return { next, executions: await Promise.all(executions.map((found) => this.state(found))) };
  }

  /**
   * Without reading a file of any of them. Those that Temporal's retention has removed are in the index only; those that
   * run, and those that were terminated, in visibility only.
   */
  private async page({
    limit,
    skip = 0,
    after,
    ...filter
  }: ExecutionFilter & PageOptions): Promise<Page<Recorded | ExecutionSummary>> {
    if (after !== undefined && Number.isNaN(Date.parse(after.split('_')[0] ?? '')))
      throw new FairwayError(
        'refused',
        `"${after}" is no place in a list: give what the page before ends with`,
      );
    const end = skip + limit;
    const programs = async () => (filter.programId ? [filter.programId] : await this.programIds());
    const onward =
      filter.waitingFor || !this.files.isThere
        ? []
        : await recordedExecutions(this.files, await programs(), filter, { after, most: end + 1 });
    // Of visibility only what belongs on this page, as far as the index tells where the page ends.
    const window = { before: after?.split('_')[0], after: onward[end]?.createdAt };
    const known = new Set(onward.map(idOf));
    const others = (await visibleExecutions(this.calls, filter, windowOf(window))).filter(
      (found) => !known.has(idOf(found)) && isAfter(found, after),
    );
    const merged = [...onward, ...others].sort(newestFirst);
    const last = merged[end - 1];
    return {
      executions: merged.slice(skip, end),
      ...(merged.length > end && last ? { next: cursorOf(last) } : {}),
    };
  }

  /** The entry says enough where its file cannot be read. */
  private async summary(found: Recorded | ExecutionSummary): Promise<ExecutionSummary> {
    if (!('key' in found)) return found;
    const { key, ...entry } = found;
    const text = await this.files.text(key);
    if (text !== undefined) return JSON.parse(text) as ExecutionSummary;
    const startedBy = { subject: 'unknown', via: 'unknown', verified: false };
    const unknown = { programName: '', pipelineName: '', pipelineType: 'production', branch: '' } as const;
    return { ...entry, ...unknown, trigger: 'MANUAL', startedBy };
  }

  private async state(found: Recorded | ExecutionSummary): Promise<ExecutionState | ExecutionSummary> {
    if ('key' in found) return (await this.files.record(found)) ?? this.summary(found);
    try {
      return await this.one.state(found);
    } catch (error) {
      const isGone = error instanceof FairwayError && error.kind === 'notFound';
      if (isGone || isUnanswerable(error)) return found;
      throw error;
    }
  }
}

/** The server's times have more digits than ours: what started within the same millisecond is in the window. */
const windowOf = ({ before, after }: { before?: string; after?: string }) => ({
  after,
  before: before && new Date(Date.parse(before) + 1).toISOString(),
});
