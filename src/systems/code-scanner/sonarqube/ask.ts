import type { SonarqubeServer } from '../../../model/schema/definition.ts';
import type { Secrets } from '../../secrets.ts';
import { sonarqubeServer, type SonarqubeAccess } from './server.ts';

const limits = { answerMs: 5_000, pollMs: 500, patienceMs: 0, taskMs: 0 };

/** How a server of a definition is entered. @throws Failure `Missing` for its secret */
export const sonarqubeAccess = async (
  { url, token }: SonarqubeServer,
  secret: Secrets,
): Promise<SonarqubeAccess> => ({ url: url.replace(/\/+$/, ''), secret: token, token: await secret(token) });

/**
 * Whether a server that a definition names could analyse now. @returns its version
 * @throws Failure as `sonarqubeServer` does, and `Missing` for its secret
 */
export const askSonarqube = async (
  server: SonarqubeServer,
  secret: Secrets,
  signal: AbortSignal,
): Promise<string> => sonarqubeServer(await sonarqubeAccess(server, secret), limits, signal).check();

/** What to do about a server that cannot. */
export const sonarqubeRemedy = ({ token }: SonarqubeServer): string =>
  `see to the server, to "codeScanner" in the definition, and to the secret ${token} where builds run`;
