import type { FunctionalTestOutcome } from '../model/activities.ts';
import type { KeptArtifact } from '../model/artifacts.ts';
import type { Storage } from '../systems/storage/storage.ts';
import { boundedLog } from './bounded-log.ts';
import { nothingRun } from './functional-test-outcome.ts';
import { whileSpeaking, type Spoken } from './spoken-log.ts';

/**
 * Runs the tests that a build has brought, under heartbeats and with a log; a build without any passes, and says so.
 * @param name what the build is without, for people
 */
export const projectTests = (
  storage: Storage,
  log: string,
  tests: KeptArtifact | undefined,
  name: string,
  run: (tests: KeptArtifact, spoken: Spoken) => Promise<FunctionalTestOutcome>,
): Promise<FunctionalTestOutcome> =>
  whileSpeaking(
    storage,
    log,
    async (spoken) => {
      const outcome = tests ? await run(tests, spoken) : nothingRun(`passed: no ${name} in the build`);
      spoken.say(outcome.result);
      return outcome;
    },
    boundedLog,
  );
