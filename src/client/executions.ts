import type { ExecutionStatus } from '../model/execution.ts';
import type { ExecutionMode, StepId } from '../model/steps.ts';
import { indexEntry, indexPrefix, type ExecutionSummary, type IndexEntry } from '../model/summary.ts';
import type { Calls } from './calls.ts';
import { FairwayError } from './fairway-error.ts';
import type { Files } from './files.ts';
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

/** One page of a list of executions. */
export interface ExecutionPage {
  /** Newest first. */
  readonly executions: readonly ExecutionSummary[];
  /** For `after`, to get the next page; absent on the last one. */
  readonly next?: string;
}

type Placed = Pick<IndexEntry, 'programId' | 'executionId' | 'createdAt'>;
type Recorded = IndexEntry & { readonly key: string };

/**
 * Executions of Temporal's visibility and of the index in storage, as one list. Those that Temporal's retention has
 * removed are in the index only; those that run, and those that were terminated, in visibility only.
 * @throws FairwayError `refused` for an `after` that no page ends with
 * @param programIds whose index is read when the filter names no program
 */
export async function listExecutions(
  calls: Calls,
  files: Files,
  programIds: () => Promise<readonly string[]>,
  { limit, after, ...filter }: ExecutionFilter & { readonly limit: number; readonly after?: string },
): Promise<ExecutionPage> {
  if (after !== undefined && Number.isNaN(Date.parse(after.split('_')[0] ?? '')))
    throw new FairwayError(
      'refused',
      `"${after}" is no place in a list: give what the page before ends with`,
    );
  const programs = async () => (filter.programId ? [filter.programId] : await programIds());
  const onward =
    filter.waitingFor || !files.isThere
      ? []
      : await recordedExecutions(files, await programs(), filter, { after, most: limit + 1 });
  // Of visibility only what belongs on this page, as far as the index tells where the page ends.
  const window = { before: after?.split('_')[0], after: onward[limit]?.createdAt };
  const known = new Set(onward.map(idOf));
  const others = (await visibleExecutions(calls, filter, windowOf(window))).filter(
    (found) => !known.has(idOf(found)) && isAfter(found, after),
  );
  const merged = [...onward, ...others].sort(newestFirst);
  const page = merged.slice(0, limit);
  const last = page.at(-1);
  const executions = await Promise.all(
    page.map(async (found) => ('key' in found ? summaryAt(files, found) : found)),
  );
  return { executions, ...(merged.length > limit && last ? { next: cursorOf(last) } : {}) };
}

/** Of the index, newest first: the first `most` that come after the cursor `after`. */
export async function recordedExecutions(
  files: Files,
  programIds: readonly string[],
  { pipelineId, executionId, status, mode }: ExecutionFilter,
  { after, most = Infinity }: { readonly after?: string; readonly most?: number } = {},
): Promise<Recorded[]> {
  const fits = (entry: IndexEntry) =>
    (!pipelineId || entry.pipelineId === pipelineId) &&
    (!executionId || entry.executionId === executionId) &&
    (!status || entry.status === status) &&
    (!mode || entry.mode === mode) &&
    isAfter(entry, after);
  const ofPrograms = await Promise.all(
    programIds.map(async (id) => {
      const found: Recorded[] = [];
      // Keys are sorted, and begin with the time: an index of many thousands is not read further than the page.
      for (const key of (await files.storage.list(indexPrefix(id))).reverse()) {
        const entry = indexEntry(key);
        if (entry && fits(entry)) found.push({ ...entry, key });
        if (found.length >= most) break;
      }
      return found;
    }),
  );
  return ofPrograms.flat().sort(newestFirst).slice(0, most);
}

const idOf = ({ programId, executionId }: Placed) => `${programId}/${executionId}`;
/** What `after` is for the executions that follow this one in a list. */
export const cursorOf = (found: Placed): string => `${found.createdAt}_${idOf(found)}`;
const newestFirst = (a: Placed, b: Placed) => (cursorOf(a) < cursorOf(b) ? 1 : -1);
const isAfter = (found: Placed, cursor: string | undefined) =>
  cursor === undefined || cursorOf(found) < cursor;

/** The server's times have more digits than ours: what started within the same millisecond is in the window. */
const windowOf = ({ before, after }: { before?: string; after?: string }) => ({
  after,
  before: before && new Date(Date.parse(before) + 1).toISOString(),
});

/** The entry says enough where its file cannot be read. */
async function summaryAt(files: Files, { key, ...entry }: Recorded): Promise<ExecutionSummary> {
  const text = await files.text(key);
  if (text !== undefined) return JSON.parse(text) as ExecutionSummary;
  const startedBy = { subject: 'unknown', via: 'unknown', verified: false };
  return { ...entry, programName: '', pipelineName: '', pipelineType: 'production', branch: '', startedBy };
}
