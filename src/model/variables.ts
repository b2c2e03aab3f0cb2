import type { Actor } from './actor.ts';
import { BASIC_PASSWORD, isPerformanceVariable } from './performance-variables.ts';
import { findKind, type KindChoice } from './steps.ts';

/** Variables of a pipeline that are set beside its definition; types are Cloud Manager's. */

interface Known {
  readonly name: string;
  /** Who set it, and when. */
  readonly by: Actor;
  readonly at: string;
}

export interface PlainVariable extends Known {
  readonly type: 'string';
  readonly value: string;
}

/** Its value lies in storage, encrypted; `version` says which of the values that it has had. */
export interface SecretVariable extends Known {
  readonly type: 'secretString';
  readonly version: string;
}

export type Variable = PlainVariable | SecretVariable;

/** What an activity needs to find and decrypt the value of a secret variable. */
export type SecretReference = Pick<SecretVariable, 'name' | 'version'>;

/** Cloud Manager's limits. */
export const MAX_VARIABLES = 200;
export const MAX_VALUE = 2048;
/** Cloud Manager says "less than 500 characters". */
export const MAX_SECRET = 499;

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,99}$/;
/** What the build itself sets. */
const RESERVED = /^(CM_.*|HOME|BRANCH|ARTIFACTS_VERSION|PATH)$/;

/** Why a variable may not have this name; undefined when it may. */
export function variableNameProblem(name: string): string | undefined {
  if (!NAME.test(name))
    return 'a variable has letters, digits and underscores in its name, 100 at most, and begins with no digit';
  if (RESERVED.test(name) && !isPerformanceVariable(name))
    return `${name} is set by the build itself; choose another name`;
  return undefined;
}

/** Why pipelines of this kind have no use for a variable; undefined when they have. */
export const uselessVariable = (name: string, { flavour, type }: KindChoice): string | undefined => {
  const kind = findKind({ flavour, type });
  const steps = kind?.stages.flatMap(([, ids]) => ids) ?? [];
  return isPerformanceVariable(name) && !steps.includes('loadTest')
    ? `${name} is for Performance Testing, which ${kind?.title ?? 'this pipeline'} has not`
    : undefined;
};

/** Why a variable may not be plain; undefined when it may. */
export const plainVariableProblem = (name: string): string | undefined =>
  name === BASIC_PASSWORD
    ? `${name} must be secret: fairway variables set PIPELINE --secret ${name}`
    : undefined;

/** Storage key of the encrypted value of a secret variable. */
export const secretVariableKey = (
  programId: string,
  pipelineId: string,
  { name, version }: SecretReference,
): string => `${programId}/${pipelineId}/variables/${name}/${version}.json`;
