import type { FairwayClient } from '../../src/client/fairway-client.ts';
import { FairwayError } from '../../src/client/fairway-error.ts';
import type { ProgramInput } from '../../src/model/schema/definition.ts';
import { until } from './until.ts';

const ann = { subject: 'ann', via: 'test', verified: false };

/** Asks for what may be asked for again: on a busy machine the first answer of a worker may come too late. */
export const insist = (what: string, ask: () => Promise<unknown>): Promise<void> =>
  until(
    what,
    () =>
      ask().then(
        () => true,
        (error: unknown) => {
          const isLate =
            error instanceof FairwayError && ['unavailable', 'outcomeUnknown'].includes(error.kind);
          if (!isLate) throw error;
          return false;
        },
      ),
    60_000,
  );

/** Defines a program. */
export const applied = (client: FairwayClient, program: ProgramInput): Promise<void> =>
  insist('the program is applied', () => client.apply(program, 0, ann));
