import type { Program } from '../../model/schema/definition.ts';
import { askSonarqube, sonarqubeRemedy } from '../../systems/code-scanner/sonarqube/ask.ts';
import { Failure, messageOf } from '../../systems/failure.ts';
import type { Secrets } from '../../systems/secrets.ts';
import type { Finding } from './finding.ts';

const TIME_OUT_MS = 15_000;

/** Whether the server that analyses a program's code answers this machine, and takes the token. */
export async function codeScannerFindings(
  { name, codeScanner }: Program,
  secret: Secrets,
): Promise<Finding[]> {
  if (codeScanner?.type !== 'sonarqube') return [];
  const common = {
    area: 'Code scanning',
    what: `${name}: ${codeScanner.url} (${codeScanner.token})`,
  } as const;
  try {
    await secret(codeScanner.token);
  } catch (error) {
    const remedy =
      'secrets may be on the hosts of the workers only; to look from here, name their folder in the settings file';
    return [{ ...common, state: 'note', found: messageOf(error), remedy }];
  }
  try {
    const version = await askSonarqube(codeScanner, secret, AbortSignal.timeout(TIME_OUT_MS));
    return [{ ...common, state: 'good', found: `SonarQube ${version}, accepts the token` }];
  } catch (error) {
    const away = error instanceof Failure && error.type === 'Unavailable';
    const remedy = `${sonarqubeRemedy(codeScanner)}${away ? '; the workers that build must reach it, this machine need not' : ''}`;
    return [{ ...common, state: 'bad', found: messageOf(error), remedy }];
  }
}
