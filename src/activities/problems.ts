import type { Problem } from '../model/activities.ts';
import { Failure, messageOf } from '../systems/failure.ts';
import { untilAnswered } from './until-answered.ts';

/** What a check finds wrong with a thing; a Failure of the check, also after it was repeated, is a problem too. */
export async function problems(
  thing: string,
  remedy: string,
  signal: AbortSignal,
  check: () => Promise<string[]>,
): Promise<Problem[]> {
  try {
    return (await untilAnswered(check, signal)).map((problem) => ({ thing, problem, remedy }));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [{ thing, problem: messageOf(error), remedy, unavailable: error.type === 'Unavailable' }];
  }
}
