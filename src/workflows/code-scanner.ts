import type { Problem } from '../model/activities.ts';
import { readingWhereBuildsRun } from './activities.ts';
import type { Run } from './run.ts';

/** D1: a server that analyses code is asked before there is any. */
export async function codeScannerProblems(run: Run, log: string): Promise<readonly Problem[]> {
  const scanner = run.input.codeScanner;
  if (scanner?.type !== 'sonarqube' || !run.plans('codeQuality')) return [];
  return readingWhereBuildsRun.checkCodeScanner.executeWithOptions(
    { summary: `Ask the SonarQube server ${scanner.url}` },
    [{ scanner, log }],
  );
}
