import type { FairwayClient } from '../../src/client/fairway-client.ts';
import type { ProgramInput } from '../../src/model/schema/definition.ts';
import { until } from './until.ts';

/** Defines a program; on a busy machine the first answer of a worker may come late, and applying again changes nothing. */
export const applied = (client: FairwayClient, program: ProgramInput): Promise<void> =>
  until(
    'the program is applied',
    () =>
      client.apply(program, 0, { subject: 'ann', via: 'test', verified: false }).then(
        () => true,
        () => false,
      ),
    60_000,
  );
