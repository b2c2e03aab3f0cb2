import { programSchema } from '../../src/model/schema/definition.ts';
import { definition } from '../support/definition.ts';

export type Path = readonly (string | number)[];

/** A good definition with one place replaced; `undefined` removes it. */
export function changed(path: Path, value: unknown): unknown {
  const copy = structuredClone(definition()) as unknown as Record<string | number, unknown>;
  let place = copy;
  for (const key of path.slice(0, -1)) place = place[key] as typeof place;
  const last = path.at(-1) ?? '';
  if (value === undefined) delete place[last];
  else place[last] = value;
  return copy;
}

/** What is wrong with a definition, as people are told it. */
export const problems = (value: unknown): string[] =>
  programSchema.safeParse(value).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ??
  [];
