import type { Actor } from './actor.ts';

/** Who may decide, where a program is stricter than usual. */
export interface DeciderRules {
  /** Only people whom a credential has proved. */
  readonly verifiedActors: boolean;
  /** Nobody approves the production deployment of an execution that they started. */
  readonly notByStarter: boolean;
}

/** Why somebody is not taken for who they say they are, where that matters; else undefined. */
export const unverifiedRefusal = (rules: DeciderRules | undefined, { subject, verified }: Actor) =>
  rules?.verifiedActors && !verified
    ? `nothing proves that this is ${subject}, and the program takes only people who are verified: use the API, with a token`
    : undefined;

/** Why somebody may not approve an execution; else undefined. */
export const starterRefusal = (rules: DeciderRules | undefined, by: Actor, startedBy: Actor) =>
  rules?.notByStarter && by.subject === startedBy.subject
    ? `${by.subject} started this execution: the program wants somebody else to approve it`
    : undefined;
