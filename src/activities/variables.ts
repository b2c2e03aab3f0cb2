import { text } from 'node:stream/consumers';
import type { PerformanceGoals } from '../model/schema/definition.ts';
import {
  performanceSettings,
  type PerformanceSettings,
  type PerformanceVariables,
} from '../model/performance-variables.ts';
import { secretVariableKey, type SecretReference } from '../model/variables.ts';
import { Failure } from '../systems/failure.ts';
import { decryptVariable } from '../systems/secret-variables.ts';
import type { Deps } from './deps.ts';

interface Owner {
  readonly programId: string;
  readonly pipelineId: string;
}

/** The values of secret variables of a pipeline. @throws Failure saying which cannot be had, and why */
export async function secretValues(
  { storage, secret }: Deps,
  owner: Owner,
  references: readonly SecretReference[],
): Promise<Readonly<Record<string, string>>> {
  const values = await Promise.all(
    references.map(async (reference) => {
      const { programId, pipelineId } = owner;
      const content = await text(await storage.get(secretVariableKey(programId, pipelineId, reference)));
      return [reference.name, await decryptVariable(secret, { ...owner, ...reference }, content)] as const;
    }),
  );
  return Object.fromEntries(values);
}

/**
 * How a load test enters the site, and how far it looks: the variables of the pipeline count before the program's own.
 * @throws Failure for a secret that cannot be had, `InvalidInput` for variables that do not fit
 */
export async function siteSettings(
  deps: Deps,
  owner: Owner,
  { plain, secret }: PerformanceVariables,
  goals: Pick<PerformanceGoals, 'credentials' | 'crawl'>,
): Promise<PerformanceSettings> {
  const settings = performanceSettings({ ...plain, ...(await secretValues(deps, owner, secret)) });
  if ('problem' in settings) throw new Failure('InvalidInput', settings.problem);
  const credentials =
    settings.credentials ?? (goals.credentials ? await deps.secret(goals.credentials) : undefined);
  return { credentials, maxPages: settings.maxPages ?? goals.crawl?.maxPages };
}
