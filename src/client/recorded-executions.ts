import { indexEntry, indexMonth, indexPrefix, type IndexEntry } from '../model/summary.ts';
import type { ExecutionFilter } from './executions.ts';
import type { Files } from './files.ts';

/** The index of closed executions in storage, and the order of lists. */

/** An entry of the index, and where its file is. */
export type Recorded = IndexEntry & { readonly key: string };
type Placed = Pick<IndexEntry, 'programId' | 'executionId' | 'createdAt'>;

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
      const prefix = indexPrefix(id);
      const months = await files.storage.folders(prefix);
      for (const month of months.reverse()) {
        if (after !== undefined && month > indexMonth(after)) continue;
        // Keys are sorted, and begin with the time.
        for (const key of (await files.storage.list(`${prefix}${month}/`)).reverse()) {
          const entry = indexEntry(key);
          if (entry && fits(entry)) found.push({ ...entry, key });
          if (found.length >= most) return found;
        }
      }
      return found;
    }),
  );
  return ofPrograms.flat().sort(newestFirst).slice(0, most);
}

export const idOf = ({ programId, executionId }: Placed) => `${programId}/${executionId}`;
/** What `after` is for the executions that follow this one in a list. */
export const cursorOf = (found: Placed): string => `${found.createdAt}_${idOf(found)}`;
export const newestFirst = (a: Placed, b: Placed) => (cursorOf(a) < cursorOf(b) ? 1 : -1);
export const isAfter = (found: Placed, cursor: string | undefined) =>
  cursor === undefined || cursorOf(found) < cursor;
