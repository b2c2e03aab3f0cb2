import type { Environment, Pipeline } from './schema/definition.ts';

/** The steps of a pipeline: names, order, stages and phases are Cloud Manager's. */

export type StepAction =
  | 'validate'
  | 'build'
  | 'codeQuality'
  | 'deploy'
  | 'securityTest'
  | 'loadTest'
  | 'reportPerformanceTest'
  | 'approval'
  | 'schedule'
  | 'managed';

export type StepStatus =
  'NOT_STARTED' | 'RUNNING' | 'WAITING' | 'FINISHED' | 'FAILED' | 'ERROR' | 'CANCELLED';

export type Stage = 'Stage Deployment' | 'Stage Testing' | 'Production Deployment';

export type ExecutionMode = 'NORMAL' | 'EMERGENCY';

export interface StepDefinition {
  /** Unique within an execution; the action, or where a deployment goes. */
  readonly id: StepId;
  readonly action: StepAction;
  /** As the product's pages call it. */
  readonly title: string;
  readonly stage: Stage;
  readonly phase: 'VALIDATE' | 'BUILD' | 'DEPLOY';
  readonly environmentType?: Environment['type'];
}

const production = [
  { id: 'validate', action: 'validate', title: 'Validation', stage: 'Stage Deployment', phase: 'VALIDATE' },
  { id: 'build', action: 'build', title: 'Build & Unit Testing', stage: 'Stage Deployment', phase: 'BUILD' },
  {
    id: 'codeQuality',
    action: 'codeQuality',
    title: 'Code Scanning',
    stage: 'Stage Deployment',
    phase: 'BUILD',
  },
  {
    id: 'stageDeploy',
    action: 'deploy',
    title: 'Deploy to Stage',
    stage: 'Stage Deployment',
    phase: 'DEPLOY',
    environmentType: 'stage',
  },
  {
    id: 'securityTest',
    action: 'securityTest',
    title: 'Security Testing',
    stage: 'Stage Testing',
    phase: 'DEPLOY',
  },
  {
    id: 'loadTest',
    action: 'loadTest',
    title: 'Performance Testing',
    stage: 'Stage Testing',
    phase: 'DEPLOY',
  },
  {
    id: 'reportPerformanceTest',
    action: 'reportPerformanceTest',
    title: 'Performance Report',
    stage: 'Stage Testing',
    phase: 'DEPLOY',
  },
  {
    id: 'approval',
    action: 'approval',
    title: 'Application for Approval',
    stage: 'Production Deployment',
    phase: 'DEPLOY',
  },
  {
    id: 'schedule',
    action: 'schedule',
    title: 'Schedule Production Deployment',
    stage: 'Production Deployment',
    phase: 'DEPLOY',
  },
  { id: 'managed', action: 'managed', title: 'CSE Support', stage: 'Production Deployment', phase: 'DEPLOY' },
  {
    id: 'prodDeploy',
    action: 'deploy',
    title: 'Deploy to Production',
    stage: 'Production Deployment',
    phase: 'DEPLOY',
    environmentType: 'prod',
  },
] as const satisfies readonly (Omit<StepDefinition, 'id'> & { id: string })[];

export type StepId = (typeof production)[number]['id'];

/** Exactly what emergency mode leaves out; every other step runs (approvals, schedule and CSE included). */
const notInEmergency: readonly StepId[] = ['securityTest', 'loadTest', 'reportPerformanceTest'];

export interface PlannedStep extends StepDefinition {
  /** Why this step does not run in this execution; absent when it does. */
  readonly notRun?: string;
}

/** The steps of a production pipeline in order; optional ones only where they are configured. */
export function stepsOf(
  pipeline: Pick<Pipeline, 'approval' | 'schedule' | 'cse'>,
  mode: ExecutionMode,
): readonly PlannedStep[] {
  const configured: Partial<Record<StepId, boolean>> = {
    approval: pipeline.approval,
    schedule: pipeline.schedule,
    managed: pipeline.cse !== undefined,
  };
  return production
    .filter(({ id }) => configured[id] ?? true)
    .map((step) =>
      mode === 'EMERGENCY' && notInEmergency.includes(step.id) ? { ...step, notRun: 'emergency mode' } : step,
    );
}
