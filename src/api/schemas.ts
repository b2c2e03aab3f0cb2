import { z } from 'zod';

/** What the API answers, in the form of Cloud Manager's: answers are held against it, and the OpenAPI document is made of it. */

const link = z.object({ href: z.string(), templated: z.boolean() });
const links = z
  .record(z.string(), link)
  .describe('By relation: `self`, `next`, or one that begins with http://ns.adobe.com/adobecloud/rel/.');
const time = z.string().describe('2019-05-23T13:49:47.688+0000');
const page = z.object({
  start: z.number(),
  limit: z.number(),
  next: z.number().optional().describe('Where the next page starts; absent on the last one.'),
});

/** A list, named as its things are. */
const list = <N extends string, T extends z.ZodType>(name: N, item: T) =>
  z.object({
    _totalNumberOfItems: z.number().optional(),
    _page: page.optional(),
    _embedded: z.object({ [name]: z.array(item).readonly() } as Record<N, z.ZodReadonly<z.ZodArray<T>>>),
    _links: links,
  });

const embeddedProgram = z.object({
  id: z.string(),
  name: z.string(),
  enabled: z.boolean(),
  tenantId: z.string(),
  status: z.literal('ready'),
  _links: links,
});
export const program = embeddedProgram
  .extend({
    type: z.enum(['aem_managed_services', 'aem_cloud_service']),
    capabilities: z.object({ sandbox: z.boolean() }),
    revision: z.number().describe('Counts changes of the definition; `If-Match` of a change takes it.'),
    emergency: z.boolean().describe('Whether executions may be started in emergency mode.'),
  })
  .meta({ id: 'Program' });
export const programList = list('programs', embeddedProgram);

export const tenant = z
  .object({ id: z.string(), description: z.string(), _links: links })
  .meta({ id: 'Tenant' });
export const tenantList = list('tenants', tenant);

export const environment = z
  .object({
    id: z.string(),
    programId: z.string(),
    name: z.string(),
    type: z.enum(['dev', 'stage', 'prod']),
    status: z.literal('ready'),
    availableLogOptions: z.array(z.object({ service: z.string(), name: z.string() })),
    _links: links,
  })
  .meta({ id: 'Environment' });
export const environmentList = list('environments', environment);
export const logList = list(
  'downloads',
  z.object({ service: z.string(), name: z.string(), date: z.string(), _links: links }),
);

export const repository = z
  .object({
    id: z.string(),
    programId: z.string(),
    repo: z.string(),
    status: z.literal('ready'),
    repositoryUrl: z.string(),
    _links: links,
  })
  .meta({ id: 'Repository' });
export const repositoryList = list('repositories', repository);
export const branchList = list(
  'branches',
  z.object({ programId: z.string(), repositoryId: z.string(), name: z.string() }),
);

const step = z.object({ name: z.string(), options: z.record(z.string(), z.unknown()) });
const phase = z.object({
  name: z.string(),
  type: z.enum(['VALIDATE', 'BUILD', 'DEPLOY']),
  repositoryId: z.string().optional(),
  branch: z.string().optional(),
  environmentId: z.string().optional(),
  environmentType: z.enum(['dev', 'stage', 'prod']).optional(),
  steps: z.array(step),
});
export const pipeline = z
  .object({
    id: z.string(),
    programId: z.string(),
    name: z.string(),
    type: z.literal('CI_CD'),
    trigger: z.literal('MANUAL'),
    status: z.enum(['IDLE', 'BUSY']),
    phases: z.array(phase),
    _links: links,
  })
  .meta({ id: 'Pipeline' });
export const pipelineList = list('pipelines', pipeline);

const variable = z.object({
  name: z.string(),
  type: z.enum(['string', 'secretString']),
  value: z.string().optional().describe('Absent of a secret one.'),
  service: z.string().optional(),
  status: z.literal('ready'),
});
export const variableList = list('variables', variable);

const statuses = ['NOT_STARTED', 'RUNNING', 'WAITING', 'FINISHED', 'FAILED', 'ERROR', 'CANCELLED'] as const;
export const stepState = z
  .object({
    id: z.string(),
    stepId: z.string(),
    phaseId: z.string(),
    executionId: z.string(),
    pipelineId: z.string(),
    programId: z.string(),
    action: z.string(),
    status: z.enum(statuses),
    environmentType: z.enum(['dev', 'stage', 'prod']).optional(),
    branch: z.string().optional(),
    commitId: z.string().optional(),
    startedAt: time.optional(),
    finishedAt: time.optional(),
    updatedAt: time.optional(),
    details: z
      .object({
        description: z.string(),
        waitingUntil: time.optional().describe('When it ends as FAILED if nobody answers.'),
      })
      .optional(),
    _links: links,
  })
  .meta({ id: 'StepState' });
export const execution = z
  .object({
    id: z.string(),
    programId: z.string(),
    pipelineId: z.string(),
    artifactsVersion: z.string().optional(),
    user: z.string().describe('Who started it.'),
    status: z.enum(['RUNNING', 'CANCELLING', 'CANCELLED', 'FINISHED', 'FAILED', 'ERROR']),
    trigger: z.string(),
    pipelineExecutionMode: z.enum(['NORMAL', 'EMERGENCY']),
    pipelineType: z.string(),
    createdAt: time.optional(),
    updatedAt: time.optional(),
    finishedAt: time.optional(),
    _embedded: z.object({ stepStates: z.array(stepState) }).optional(),
    _links: links,
  })
  .meta({ id: 'PipelineExecution' });
export const executionList = list('executions', execution);
/** Ours: what Cloud Manager's form has no place for. */
export const executionState = z
  .looseObject({ executionId: z.string() })
  .describe('All that is known of an execution: decisions, what emergency mode leaves out, every node.')
  .meta({ id: 'ExecutionState' });

export const metrics = z.object({
  metrics: z.array(
    z.object({
      id: z.string(),
      kpi: z.string(),
      severity: z.enum(['critical', 'important', 'informational']),
      comparator: z.enum(['GT', 'GTE', 'LT', 'LTE', 'EQ', 'NEQ']),
      expectedValue: z.string(),
      actualValue: z.string(),
      passed: z.boolean(),
      override: z.boolean(),
    }),
  ),
});
export const artifactList = list(
  'artifacts',
  z.object({
    id: z.string(),
    type: z.string().optional().describe('Absent of what Cloud Manager has no word for.'),
    stepName: z.string(),
    file: z.string(),
    format: z.string().optional(),
    kind: z.enum(['log', 'aem', 'dispatcher', 'kept', 'results', 'findings']),
    key: z.string().describe('Where storage keeps it.'),
    path: z.string().describe('Inside the build, or below the folder of the execution.'),
    package: z.object({ group: z.string(), name: z.string(), version: z.string() }).optional(),
    sha256: z.string().optional(),
    size: z.number().optional(),
    _links: links,
  }),
);
export const deliveryList = list(
  'webhooks',
  z.object({
    id: z.string(),
    form: z.string(),
    events: z.array(z.string()),
    url: z.string().describe('Or `secret <name>` of the secret that holds it.'),
    underWay: z.number().describe('Executions whose events are being delivered.'),
    missed: z.number().describe('Executions of which events were given up.'),
  }),
);
export const replayed = z.object({
  replayed: z
    .array(z.object({ executionId: z.string(), webhookId: z.string(), events: z.number() }))
    .readonly(),
});
export const redirect = z
  .object({ redirect: z.string() })
  .describe('Where it is, for whoever has this link.');
export const sentOn = z.undefined().describe('A client that takes no JSON is sent there.');
/** As fairway.yaml has it. */
export const webhook = z.looseObject({ id: z.string(), form: z.string() }).meta({ id: 'Webhook' });
export const webhookList = list('webhooks', webhook);

export const nothing = z.undefined().describe('Done.');

export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  errors: z.array(
    z.object({ field: z.string().optional(), message: z.string(), invalidValue: z.string().optional() }),
  ),
});
