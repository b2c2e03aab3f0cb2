import type { BuildActivities } from '../model/activities.ts';
import { askSonarqube, sonarqubeRemedy } from '../systems/code-scanner/sonarqube/ask.ts';
import type { Deps } from './deps.ts';
import { whileHeartbeating } from './heartbeat.ts';
import { problems } from './problems.ts';
import { stepLog } from './step-log.ts';

/** D1: what scans the code answers, before anything is built. Asked where builds run, which have its secret. */
export const checkCodeScannerActivities = ({
  storage,
  secret,
}: Deps): Pick<BuildActivities, 'checkCodeScanner'> => ({
  checkCodeScanner: ({ scanner, log }) =>
    whileHeartbeating(async (signal) => {
      const say = stepLog(storage, log, 'validate');
      const thing = `SonarQube server ${scanner.url}`;
      const found = await problems(thing, sonarqubeRemedy(scanner), signal, async () => {
        const version = await askSonarqube(scanner, secret, signal);
        await say(`${thing} has version ${version} and takes the token of the secret ${scanner.token}`);
        return [];
      });
      for (const { problem, remedy } of found) await say(`${thing}: ${problem} (${remedy})`);
      return found;
    }),
});
