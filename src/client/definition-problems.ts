import type { z } from 'zod';
import { nearMatches } from '../model/near-matches.ts';
import { skippingTheBalancer } from '../model/steps.ts';
import { fieldNames } from './json-schema.ts';

/** One thing that is wrong with a definition. */
export interface DefinitionProblem {
  /** Where: `pipelines.0.repository.branch`; empty for the definition as a whole. */
  readonly path: string;
  /** What is written there, shortened; absent when nothing is. */
  readonly value?: string;
  /** What is wrong with it, and what to write instead. */
  readonly problem: string;
  /** Line and column in the file it was read from, both from 1. */
  readonly line?: number;
  readonly column?: number;
}

const LONGEST = 80;

/** Everything that the schema finds wrong with `value`, for people. */
export const problemsOf = (
  error: z.ZodError,
  value: unknown,
): (DefinitionProblem & { at: PropertyKey[] })[] =>
  error.issues.map((issue) => {
    const found = at(value, issue.path);
    return {
      at: issue.path,
      path: issue.path.join('.'),
      ...(found === undefined ? {} : { value: shown(found) }),
      problem: inWords(issue, found),
    };
  });

/** A problem as one line: `line 12, pipelines.0.name: must not be empty (it is "")`. */
export function problemLine({ path, value, problem, line, column }: DefinitionProblem): string {
  const place = [
    line === undefined ? '' : `line ${line}${column === undefined ? '' : `:${column}`}`,
    path,
  ].filter(Boolean);
  return `${place.join(', ') || 'definition'}: ${problem}${value === undefined ? '' : ` (it is ${value})`}`;
}

function inWords(issue: z.core.$ZodIssue, found: unknown): string {
  if (issue.code === 'unrecognized_keys') {
    const [all, kinds] = [fieldNames(), issue.keys.length > 1 ? 'fields' : 'field'];
    const near = issue.keys.flatMap((key) => (all.includes(key) ? [] : nearMatches(key, all)));
    if (issue.keys.includes('skipDetachingDispatchers'))
      return `skipDetachingDispatchers is not for this: ${skippingTheBalancer}`;
    const elsewhere = issue.keys.filter((key) => all.includes(key));
    const hints = [
      near.length > 0 ? `did you mean ${near.join(', ')}?` : 'remove it',
      elsewhere.length > 0
        ? `${elsewhere.join(', ')} belongs elsewhere (docs/reference-fairway-yaml.md)`
        : '',
    ];
    return `unknown ${kinds} ${issue.keys.join(', ')}; ${hints.filter(Boolean).join('; ')}`;
  }
  if (issue.code === 'invalid_type' && found === undefined)
    return `is missing; it must be a ${issue.expected}`;
  if (issue.code === 'invalid_type' && issue.expected === 'string' && typeof found === 'number')
    return `must be text: write '${found}', in quotes`;
  return issue.message;
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  let place = value;
  for (const key of path) {
    if (typeof place !== 'object' || place === null) return undefined;
    place = (place as Record<PropertyKey, unknown>)[key];
  }
  return place;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}
