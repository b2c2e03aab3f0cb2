import { z } from 'zod';

/**
 * The definition of a program as people write it (`fairway.yaml`) and as the program entity keeps it.
 * The single truth: validation, the types of the whole code base and the reference page derive from here.
 */

const numericId = z
  .string()
  .regex(/^[1-9][0-9]{0,17}$/, 'must be a number without leading zeros, as a string');
const nodeId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,40}$/, 'must be lower-case letters, digits and dashes, starting with a letter');
const label = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}]*$/u, 'must not contain control characters');
const httpUrl = z.string().refine((text) => {
  // The parser passes over blanks and control characters; whoever reads or uses the text later would not.
  const url = !/[\s\p{Cc}]/u.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  return url && /^https?:$/.test(url.protocol) && !url.username && !url.password;
}, 'must be an http or https URL without credentials');
/** The name of a secret; its value comes from `FAIRWAY_SECRET_<NAME>` or the secrets folder, where it is used. */
const secretName = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]{0,60}$/, 'must be upper-case letters, digits and underscores');
const contentPath = z
  .string()
  .max(1000)
  .regex(/^\/[^\p{Cc}?#]*$/u, 'must be an absolute path')
  .refine((path) => !path.split('/').includes('..'), 'must not contain ".."');

const instance = z.strictObject({
  id: nodeId,
  /** Base URL of the AEM instance, as Fairway's worker reaches it. */
  url: httpUrl,
  /** Secret that holds `user:password` of an account that may install packages. */
  credentials: secretName,
});

const dispatcher = z.strictObject({
  id: nodeId,
  /** Base URL of this dispatcher itself, not of the load balancer: probes go there. */
  url: httpUrl,
  /** The publish instance that this dispatcher renders from. */
  publish: nodeId,
  /** The name of this dispatcher in the load balancer's backend. */
  server: z.string().regex(/^[A-Za-z0-9_.:-]{1,100}$/),
});

const haproxy = z.strictObject({
  type: z.literal('haproxy'),
  /** Path of HAProxy's runtime API socket, `level admin`. */
  socket: z.string().min(1).max(100),
  backend: z.string().regex(/^[A-Za-z0-9_.:-]{1,100}$/),
  /** Where visitors reach the environment: load tests go there. */
  url: httpUrl,
});

const pagePath = contentPath.default('/');
const hostName = z.string().regex(/^[A-Za-z0-9._:[\]-]{1,253}$/, 'must be the name of a host');

export const environmentSchema = z.strictObject({
  id: numericId,
  name: label,
  type: z.enum(['dev', 'stage', 'prod']),
  author: z.array(instance).min(1).max(10),
  publish: z.array(instance).max(100),
  dispatchers: z.array(dispatcher).max(100),
  loadBalancer: haproxy.optional(),
  /** A page that every healthy dispatcher answers with 200, and the `Host` it answers it for. */
  probe: z.strictObject({ path: pagePath, host: hostName.optional() }).prefault({}),
});

const repository = z.strictObject({
  /** https, ssh or file URL; credentials come from git's own configuration or a secret. */
  url: z
    .string()
    .regex(/^[^\s\p{Cc}]{1,1000}$/u, 'must be an address without blanks')
    .refine(
      (url) => !/^https?:\/\/[^/]*@|^[^/]*:\/\/[^/@]*:[^/]*@/i.test(url),
      "must not contain credentials: they belong into git's own configuration",
    ),
  branch: z
    .string()
    .min(1)
    .max(255)
    .regex(/^[^\p{Cc}]*$/u, 'must not contain control characters'),
});

const important = z.enum(['PAUSE', 'FAIL', 'CONTINUE']);

export const productionPipelineSchema = z.strictObject({
  id: numericId,
  name: label,
  type: z.literal('production'),
  repository,
  /** The testing environment: of type stage. */
  stageEnvironment: numericId,
  productionEnvironment: numericId,
  /** Application for Approval before the production deployment. */
  approval: z.boolean().default(true),
  /** Schedule Production Deployment. */
  schedule: z.boolean().default(false),
  /** CSE Support; absent = no such step. */
  cse: z.enum(['ANY_CSE', 'MY_CSE']).optional(),
  /** Deploy to stage without taking its dispatchers out of the load balancer. */
  skipDetachingDispatchers: z.boolean().default(false),
  dispatcherCacheFlushPaths: z.array(contentPath).max(100).default([]),
  dispatcherCacheInvalidationPaths: z.array(contentPath).max(100).default([]),
  importantMetricsFailureBehavior: important.default('PAUSE'),
  /** Plain variables of the build. */
  variables: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/), z.string().max(2048))
    .default({})
    .refine((all) => Object.keys(all).length <= 200, 'at most 200 variables'),
});

const days = z.number().positive().max(90);

/** Overrides of the time-outs of the steps that wait for a person, in days. */
const timeouts = z.strictObject({
  codeQuality: days.optional(),
  securityTest: days.optional(),
  reportPerformanceTest: days.optional(),
  approval: days.optional(),
  schedule: days.optional(),
  managed: days.optional(),
});

const performance = z.strictObject({
  /** How long the load test lasts, in seconds; Cloud Manager's is 30 minutes. */
  durationSeconds: z.number().int().min(1).max(7200).default(1800),
  /** Page views per minute to produce. */
  viewsPerMinute: z.number().int().min(1).max(100_000).default(200),
  /** 95th percentile of the response time that may not be reached, in milliseconds. */
  responseTimeMs: z.number().positive().default(2000),
  /** Pages to load, besides the environment's probe page. */
  paths: z.array(contentPath).max(100).default([]),
});

export const programSchema = z
  .strictObject({
    id: numericId,
    name: label,
    type: z.literal('aem_managed_services'),
    environments: z.array(environmentSchema).min(1).max(50),
    pipelines: z.array(productionPipelineSchema).max(300),
    timeouts: timeouts.prefault({}),
    performance: performance.prefault({}),
  })
  .superRefine(checkReferences);

function checkReferences(
  program: {
    environments: z.infer<typeof environmentSchema>[];
    pipelines: z.infer<typeof productionPipelineSchema>[];
  },
  context: z.RefinementCtx,
): void {
  const problem = (path: (string | number)[], message: string) =>
    context.addIssue({ code: 'custom', path, message });
  const unique = (ids: string[], path: (string | number)[], what: string) =>
    ids.forEach((id, index) => {
      if (ids.indexOf(id) !== index) problem([...path, index, 'id'], `${what} ${id} is defined twice`);
    });
  unique(
    program.environments.map((environment) => environment.id),
    ['environments'],
    'environment',
  );
  unique(
    program.pipelines.map((pipeline) => pipeline.id),
    ['pipelines'],
    'pipeline',
  );

  program.environments.forEach((environment, e) => {
    const nodes = [...environment.author, ...environment.publish, ...environment.dispatchers].map(
      (n) => n.id,
    );
    const twice = nodes.find((id, index) => nodes.indexOf(id) !== index);
    if (twice) problem(['environments', e], `node ${twice} is defined twice`);
    const servers = environment.dispatchers.map(({ server }) => server);
    environment.dispatchers.forEach((dispatcher, d) => {
      if (servers.indexOf(dispatcher.server) !== d)
        problem(
          ['environments', e, 'dispatchers', d, 'server'],
          `server ${dispatcher.server} is another dispatcher's: taking one out of service would take out both`,
        );
      if (!environment.publish.some((publish) => publish.id === dispatcher.publish))
        problem(
          ['environments', e, 'dispatchers', d, 'publish'],
          `there is no publish instance ${dispatcher.publish} in environment ${environment.id}`,
        );
    });
    if (environment.type === 'prod' && environment.dispatchers.length > 0 && !environment.loadBalancer)
      problem(['environments', e, 'loadBalancer'], 'a production environment with dispatchers needs one');
  });

  program.pipelines.forEach((pipeline, p) => {
    const expectType = (field: 'stageEnvironment' | 'productionEnvironment', type: string) => {
      const id = pipeline[field];
      const found = program.environments.find((environment) => environment.id === id);
      if (!found) problem(['pipelines', p, field], `there is no environment ${id}`);
      else if (found.type !== type)
        problem(
          ['pipelines', p, field],
          `environment ${id} is of type ${found.type}; it must be of type ${type}`,
        );
    };
    expectType('stageEnvironment', 'stage');
    expectType('productionEnvironment', 'prod');
  });
}

export type Program = z.infer<typeof programSchema>;
export type ProgramInput = z.input<typeof programSchema>;
export type Environment = z.infer<typeof environmentSchema>;
export type Instance = z.infer<typeof instance>;
export type Dispatcher = z.infer<typeof dispatcher>;
export type LoadBalancer = z.infer<typeof haproxy>;
export type Pipeline = z.infer<typeof productionPipelineSchema>;
export type Timeouts = z.infer<typeof timeouts>;
export type PerformanceGoals = z.infer<typeof performance>;
