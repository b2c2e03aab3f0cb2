import type { Program } from '../model/schema/definition.ts';

/** One thing in which two definitions differ. */
export interface Difference {
  readonly change: 'added' | 'changed' | 'removed';
  /** Where: `pipelines[2001].repository.branch`; things with an id are told apart by it, not by their place. */
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/**
 * In what `after` differs from `before` (undefined: there was no definition), in the order of the definition. Something
 * that is new or gone as a whole is one difference. Both have their defaults filled in: `Program` as the schema gives it.
 */
export const difference = (before: Program | undefined, after: Program | undefined): Difference[] =>
  compare(before, after, '');

function compare(before: unknown, after: unknown, path: string): Difference[] {
  if (before === undefined && after === undefined) return [];
  if (before === undefined) return [{ change: 'added', path, after }];
  if (after === undefined) return [{ change: 'removed', path, before }];
  const [old, now] = [parts(before), parts(after)];
  if (!old || !now)
    return JSON.stringify(before) === JSON.stringify(after)
      ? []
      : [{ change: 'changed', path, before, after }];
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((key) =>
    compare(old.get(key), now.get(key), key.startsWith('[') || !path ? `${path}${key}` : `${path}.${key}`),
  );
}

/** The parts of an object, or of a list of things with ids; undefined for what is compared as a whole. */
function parts(value: unknown): Map<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!Array.isArray(value)) return new Map(Object.entries(value));
  const ids = value.map((item: unknown) => (item as { id?: unknown } | null)?.id);
  return ids.every((id) => typeof id === 'string')
    ? new Map(value.map((item: unknown, index) => [`[${String(ids[index])}]`, item]))
    : undefined;
}
