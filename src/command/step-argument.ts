import type { Command } from 'commander';
import { nearMatches } from '../model/near-matches.ts';
import { allStepIds, type StepId } from '../model/steps.ts';
import { Problem } from './problem.ts';

/** Adds `[execution] <step>`: of two arguments the first may be left out. */
export const withStep = (command: Command, steps: readonly string[] = allStepIds): Command =>
  command
    .usage('[execution] <step> [options]')
    .argument('[execution]', 'id, or pipeline; the only one that can be meant where it is left out')
    .argument('[step]', steps.join(', '));

/** What was meant by the two. @throws Problem `usage` naming similar steps */
export function executionAndStep<S extends StepId>(
  first: string | undefined,
  second: string | undefined,
  steps: readonly S[],
): { readonly reference?: string; readonly step: S } {
  const wanted = second ?? first;
  if (wanted === undefined) throw new Problem('usage', 'name the step', `one of ${steps.join(', ')}`);
  const step = steps.find((id) => id.toLowerCase() === wanted.toLowerCase());
  if (step) return { reference: second === undefined ? undefined : first, step };
  const near = nearMatches(wanted, steps);
  throw new Problem(
    'usage',
    `${JSON.stringify(wanted)} is not a step here`,
    near.length > 0 ? `did you mean ${near.join(', ')}?` : `name one of ${steps.join(', ')}`,
  );
}
