/**
 * Who may do what, in all programs, as Cloud Manager's `permissions.json` has it for the same operations; starting a deployment with CSE
 * Support is for Customer Success Engineers alone.
 */

export const roles = [
  'business-owner',
  'program-manager',
  'deployment-manager',
  'developer',
  'customer-success-engineer',
] as const;
export type Role = (typeof roles)[number];

const owner = 'business-owner';
const manager = 'program-manager';
const deployer = 'deployment-manager';
const engineer = 'customer-success-engineer';

/** The one table: by operation, the roles that may do it. */
export const permissions = {
  read: roles,
  readVariables: [owner, manager, deployer, 'developer'],
  startExecution: [owner, manager, deployer],
  /** Approve, schedule, accept failing metrics. */
  advanceStep: [owner, manager, deployer],
  startManagedDeployment: [engineer],
  refuseManagedDeployment: [owner, manager, deployer, engineer],
  cancelWaitingStep: [owner, manager, deployer],
  cancelRunningStep: [owner, deployer],
  /** With addresses of nodes, names of secrets and variables. */
  readDefinition: [owner, manager, deployer],
  editProgram: [owner],
  editEnvironment: [owner, deployer],
  editPipeline: [deployer],
  setEmergency: [engineer],
  editVariables: [deployer],
  editWebhook: [owner, deployer],
} as const satisfies Record<string, readonly Role[]>;

export type Operation = keyof typeof permissions;

export const isRole = (text: unknown): text is Role => roles.some((role) => role === text);

export const isAllowed = (operation: Operation, has: readonly Role[]): boolean =>
  permissions[operation].some((role) => has.includes(role));
