import { z } from 'zod';
import { httpUrl, secretName } from './fields.ts';

const embedded = z.strictObject({
  type: z.literal('embedded').describe('Analysers that the worker brings, without a server.'),
});

const sonarqube = z.strictObject({
  type: z.literal('sonarqube').describe('A SonarQube server.'),
  url: httpUrl.describe('Base URL of the server, as the workers that build reach it, and their containers.'),
  token: secretName.describe(
    'Name of the secret that holds a user token of SonarQube; its user may create projects, analyse them and browse them. The workers that build need it.',
  ),
});

export const codeScannerSchema = z.discriminatedUnion('type', [embedded, sonarqube]);

export type CodeScannerChoice = z.infer<typeof codeScannerSchema>;
export type SonarqubeServer = z.infer<typeof sonarqube>;
