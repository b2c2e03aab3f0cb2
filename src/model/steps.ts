import type { Environment, Flavour, Pipeline, ProductionPipeline } from './schema/definition.ts';

/** The steps of pipelines: names, order, stages and phases are Cloud Manager's. */

export type StepAction =
  | 'validate'
  | 'build'
  | 'codeQuality'
  | 'buildImage'
  | 'deploy'
  | 'securityTest'
  | 'loadTest'
  | 'assetsTest'
  | 'reportPerformanceTest'
  | 'productTest'
  | 'functionalTest'
  | 'uiTest'
  | 'approval'
  | 'schedule'
  | 'managed';

export type StepStatus =
  'NOT_STARTED' | 'RUNNING' | 'WAITING' | 'FINISHED' | 'FAILED' | 'ERROR' | 'CANCELLED';

export type ExecutionMode = 'NORMAL' | 'EMERGENCY';

type EnvironmentType = Environment['type'];

export interface StepDefinition {
  /** Unique within an execution; the action, or where a deployment goes. */
  readonly id: StepId;
  readonly action: StepAction;
  /** As the product's pages call it. */
  readonly title: string;
  readonly stage: Stage;
  readonly phase: 'VALIDATE' | 'BUILD' | 'DEPLOY';
  readonly environmentType?: EnvironmentType;
}

type Described = Omit<StepDefinition, 'id' | 'stage'> & {
  /** The environment that this step changes or tests: an execution holds it for all such steps in a row. */
  readonly holds?: EnvironmentType;
};

const described = {
  validate: { action: 'validate', title: 'Validation', phase: 'VALIDATE' },
  build: { action: 'build', title: 'Build & Unit Testing', phase: 'BUILD' },
  codeQuality: { action: 'codeQuality', title: 'Code Scanning', phase: 'BUILD' },
  buildImage: { action: 'buildImage', title: 'Build Images', phase: 'BUILD' },
  devDeploy: deployment('Deploy to Dev', 'dev'),
  stageDeploy: deployment('Deploy to Stage', 'stage'),
  securityTest: { action: 'securityTest', title: 'Security Testing', phase: 'DEPLOY', holds: 'stage' },
  loadTest: { action: 'loadTest', title: 'Performance Testing', phase: 'DEPLOY', holds: 'stage' },
  assetsTest: { action: 'assetsTest', title: 'Assets Testing', phase: 'DEPLOY', holds: 'stage' },
  reportPerformanceTest: {
    action: 'reportPerformanceTest',
    title: 'Performance Report',
    phase: 'DEPLOY',
    holds: 'stage',
  },
  productTest: {
    action: 'productTest',
    title: 'Product Functional Testing',
    phase: 'DEPLOY',
    holds: 'stage',
  },
  functionalTest: {
    action: 'functionalTest',
    title: 'Custom Functional Testing',
    phase: 'DEPLOY',
    holds: 'stage',
  },
  uiTest: { action: 'uiTest', title: 'Custom UI Testing', phase: 'DEPLOY', holds: 'stage' },
  approval: { action: 'approval', title: 'Application for Approval', phase: 'DEPLOY' },
  schedule: { action: 'schedule', title: 'Schedule Production Deployment', phase: 'DEPLOY' },
  managed: { action: 'managed', title: 'CSE Support', phase: 'DEPLOY' },
  prodDeploy: deployment('Deploy to Production', 'prod'),
} as const satisfies Record<string, Described>;

function deployment<T extends EnvironmentType>(title: string, type: T) {
  return { action: 'deploy', title, phase: 'DEPLOY', environmentType: type, holds: type } as const;
}

export type StepId = keyof typeof described;

/** Of all kinds of pipelines. */
export const allStepIds = Object.keys(described) as readonly StepId[];

export const stepTitle = (id: StepId | undefined, kind?: Kind): string | undefined =>
  id && (kind?.titles?.[id] ?? described[id].title);

export const isStepId = (text: string): text is StepId => Object.hasOwn(described, text);

/** What an execution of one kind does. */
export interface Kind {
  /** For people: `a production pipeline of Managed Services`. */
  readonly title: string;
  readonly flavours: readonly Flavour[];
  readonly type: Pipeline['type'];
  /** It deploys again what an earlier execution has built. */
  readonly reExecutes?: boolean;
  /** Stage by stage, step by step. */
  readonly stages: readonly (readonly [stage: string, steps: readonly StepId[]])[];
  /** Of steps that do something else than in other kinds. */
  readonly titles?: Readonly<Partial<Record<StepId, string>>>;
  /** What emergency mode leaves out, and nothing else; absent: there is no emergency mode. */
  readonly notInEmergency?: readonly StepId[];
  /** Where a pipeline may deploy to without taking dispatchers out of the load balancer. */
  readonly mayKeepInBalancer?: EnvironmentType;
  /** Whether builds get a version of their own: "Dev builds are not versioned". */
  readonly versioned: boolean;
}

/** The kinds of executions, in Cloud Manager's order of steps. Adding a kind is adding a row. */
export const kinds = [
  {
    title: 'a production pipeline of Managed Services',
    flavours: ['aem_managed_services'],
    type: 'production',
    stages: [
      ['Stage Deployment', ['validate', 'build', 'codeQuality', 'stageDeploy']],
      ['Stage Testing', ['securityTest', 'loadTest', 'assetsTest', 'reportPerformanceTest']],
      ['Production Deployment', ['approval', 'schedule', 'managed', 'prodDeploy']],
    ],
    notInEmergency: ['securityTest', 'loadTest', 'assetsTest', 'reportPerformanceTest'],
    mayKeepInBalancer: 'stage',
    versioned: true,
  },
  {
    title: 'a production pipeline of Cloud Service',
    flavours: ['aem_cloud_service'],
    type: 'production',
    stages: [
      ['Stage Deployment', ['validate', 'build', 'codeQuality', 'buildImage', 'stageDeploy']],
      ['Stage Testing', ['productTest', 'functionalTest', 'uiTest']],
      ['Production Deployment', ['approval', 'schedule', 'prodDeploy']],
    ],
    mayKeepInBalancer: 'stage',
    versioned: true,
  },
  {
    title: 'a re-execution of a production deployment',
    flavours: ['aem_managed_services', 'aem_cloud_service'],
    type: 'production',
    reExecutes: true,
    stages: [['Production Deployment', ['validate', 'build', 'prodDeploy']]],
    // It copies artifacts.
    titles: { build: 'Build' },
    versioned: false,
  },
  {
    title: 'a deployment pipeline for dev of Managed Services',
    flavours: ['aem_managed_services'],
    type: 'deployment',
    stages: [['Dev Deployment', ['validate', 'build', 'codeQuality', 'devDeploy']]],
    mayKeepInBalancer: 'dev',
    versioned: false,
  },
  {
    title: 'a deployment pipeline for dev of Cloud Service',
    flavours: ['aem_cloud_service'],
    type: 'deployment',
    stages: [['Dev Deployment', ['validate', 'build', 'codeQuality', 'buildImage', 'devDeploy']]],
    mayKeepInBalancer: 'dev',
    versioned: false,
  },
  {
    title: 'a code quality pipeline',
    flavours: ['aem_managed_services', 'aem_cloud_service'],
    type: 'codeQuality',
    stages: [['Code Quality', ['validate', 'build', 'codeQuality']]],
    versioned: false,
  },
] as const satisfies readonly Kind[];

/** Where skipping the load balancer is allowed: "for dev environments in non-production pipelines, and for the stage environment of the production pipeline". */
export const skippingTheBalancer =
  'a deployment may leave dispatchers in the load balancer only in the dev environment of a deployment pipeline and ' +
  'in the stage environment of a production pipeline; in production visitors would meet a dispatcher that changes';

export type Stage = (typeof kinds)[number]['stages'][number][0];

/** What tells one kind from another. */
export interface KindChoice {
  readonly flavour: Flavour;
  readonly type: Pipeline['type'];
  readonly reExecutes?: boolean;
}

/** The kind of an execution; undefined where there is none, as for a re-execution of a pipeline that is not for production. */
export const findKind = ({ flavour, type, reExecutes = false }: KindChoice): Kind | undefined =>
  (kinds as readonly Kind[]).find(
    (kind) =>
      kind.type === type && kind.flavours.includes(flavour) && (kind.reExecutes ?? false) === reExecutes,
  );

/** @throws TypeError for a kind that there is not: programs refuse to start one */
export function kindOf(choice: KindChoice): Kind {
  const found = findKind(choice);
  if (!found) throw new TypeError(`there is no kind of execution for ${JSON.stringify(choice)}`);
  return found;
}

export interface PlannedStep extends StepDefinition {
  /** Why this step does not run in this execution; absent when it does. */
  readonly notRun?: string;
}

/** What decides about the optional steps of a pipeline. */
export type StepOptions =
  | ({ readonly type: 'production' } & Pick<ProductionPipeline, 'approval' | 'schedule' | 'cse'>)
  | { readonly type: Exclude<Pipeline['type'], 'production'> };

/** The steps of an execution in order; optional ones only where its pipeline is configured so. */
export function stepsOf(
  of: Omit<KindChoice, 'type'> & { readonly pipeline: StepOptions; readonly mode: ExecutionMode },
): readonly PlannedStep[] {
  const { pipeline, mode } = of;
  const kind = kindOf({ ...of, type: pipeline.type });
  const leftOut = mode === 'EMERGENCY' ? kind.notInEmergency : undefined;
  return kind.stages.flatMap(([stage, steps]) =>
    steps
      .filter((id) => isConfigured(id, pipeline))
      .map((id): PlannedStep => {
        const planned = within(stage as Stage, id, kind);
        return leftOut?.includes(id) ? { ...planned, notRun: 'emergency mode' } : planned;
      }),
  );
}

function within(stage: Stage, id: StepId, { titles }: Kind): StepDefinition {
  const { holds, ...step }: Described = described[id];
  return { id, ...step, ...(titles?.[id] && { title: titles[id] }), stage };
}

/** The smallest kind that has all of these steps. */
export function kindWith(ids: readonly StepId[]): Kind {
  const stepsIn = ({ stages }: Kind) => stages.flatMap(([, steps]) => steps);
  const fit = (kinds as readonly Kind[]).filter((kind) => ids.every((id) => stepsIn(kind).includes(id)));
  return fit.sort((a, b) => stepsIn(a).length - stepsIn(b).length)[0] ?? kinds[0];
}

function isConfigured(id: StepId, pipeline: StepOptions): boolean {
  if (pipeline.type !== 'production') return true;
  if (id === 'approval' || id === 'schedule') return pipeline[id];
  return id !== 'managed' || pipeline.cse !== undefined;
}

/** The steps that any kind of a flavour has. */
export const stepsOfFlavour = (flavour: Flavour): readonly StepId[] =>
  allStepIds.filter((id) =>
    (kinds as readonly Kind[]).some(
      ({ flavours, stages }) => flavours.includes(flavour) && stages.some(([, steps]) => steps.includes(id)),
    ),
  );

/** The environment that a step changes or tests. */
export const environmentOf = (id: StepId): EnvironmentType | undefined => (described[id] as Described).holds;

/** Whether anything but a deployment uses environments of this type: then one must be held for longer than a deployment. */
export const isTested = (type: EnvironmentType): boolean =>
  Object.values<Described>(described).some(({ holds, action }) => holds === type && action !== 'deploy');

/** Cloud Manager's name of the phase that a step belongs to. */
export function phaseOf({ phase, stage }: Pick<PlannedStep, 'phase' | 'stage'>): string {
  if (phase === 'VALIDATE') return phase;
  if (phase === 'BUILD') return 'BUILD_1';
  return stage === 'Production Deployment' ? 'DEPLOY_2' : 'DEPLOY_1';
}
