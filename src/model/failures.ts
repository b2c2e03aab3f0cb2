/**
 * The kinds of failure that cross from the world into a workflow, as the `type` of an ApplicationFailure.
 * `status` is what the step becomes: FAILED when a gate, a person or an artifact is the cause, ERROR when
 * infrastructure is. `retry` says whether the same call may succeed later without anybody changing anything.
 */
export const failureTypes = {
  /** Wrong input: a definition, an option or a message. */
  InvalidInput: { status: 'FAILED', retry: false },
  /** A zip that cannot be deployed: damaged, incomplete, hostile, or of the wrong kind. */
  InvalidArtifact: { status: 'FAILED', retry: false },
  /** The build or its unit tests failed. */
  BuildFailed: { status: 'FAILED', retry: false },
  /** AEM, Apache or the load balancer understood the request and refused what it was given. */
  Rejected: { status: 'FAILED', retry: false },
  /** AEM took a part of what it was given: what is there now is neither old nor new. */
  Damaged: { status: 'FAILED', retry: false },
  /** A person or a gate said no. */
  Refused: { status: 'FAILED', retry: false },
  /** Nobody decided in time. */
  TimedOut: { status: 'FAILED', retry: false },
  /** Credentials were not accepted, or a permission is missing. */
  Denied: { status: 'ERROR', retry: false },
  /** Something that must exist does not: a branch, a node, a tool, a secret. */
  Missing: { status: 'ERROR', retry: false },
  /** The state found is not the state this operation continues from. */
  Conflict: { status: 'ERROR', retry: false },
  /** Not reachable, busy or restarting. */
  Unavailable: { status: 'ERROR', retry: true },
  /** A limit of time ran out while waiting for a system to become as it should be. */
  NotReady: { status: 'ERROR', retry: false },
} as const satisfies Record<string, { status: 'FAILED' | 'ERROR'; retry: boolean }>;

export type FailureType = keyof typeof failureTypes;

export const isFailureType = (type: string | null | undefined): type is FailureType =>
  type != null && Object.hasOwn(failureTypes, type);
