import { z } from 'zod';
import { plainVariableProblem, variableNameProblem } from '../variables.ts';
import { isRefName, repositoryProblem } from '../git-names.ts';
import { contentPath, label, numericId } from './fields.ts';

/** Names and options are Cloud Manager's. */

const refName = z
  .string()
  .refine(isRefName, 'must be a name as git takes it, such as main or release/2024.1');

const repository = z
  .strictObject({
    url: z
      .string()
      .superRefine((url, context) => {
        // Whether a worker may read its own folders is the worker's setting.
        const message = repositoryProblem(url, true);
        if (message) context.addIssue({ code: 'custom', message });
      })
      .describe(
        "Address of the git repository, https or ssh; credentials come from the worker's git configuration.",
      ),
    branch: refName.optional().describe('The branch to build; either this or `tag`.'),
    tag: refName.optional().describe('The tag to build; either this or `branch`.'),
  })
  .refine(({ branch, tag }) => (branch === undefined) !== (tag === undefined), {
    error: 'needs either a branch or a tag',
    // Otherwise one that is wrong in itself would be said to be missing as well.
    when: ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value),
  });

const variableName = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]{0,99}$/,
    'must be letters, digits and underscores, not starting with a digit',
  );

const common = {
  id: numericId.describe('Unique within the program.'),
  name: label.describe('For people; unique names may be used instead of ids.'),
  repository: repository.describe('What is built.'),
  variables: z
    .record(variableName, z.string().max(2048, 'must have 2048 characters at most'))
    .default({})
    .refine((all) => Object.keys(all).length <= 200, 'at most 200 variables')
    .superRefine((all, context) => {
      for (const name of Object.keys(all)) {
        const message = variableNameProblem(name) ?? plainVariableProblem(name);
        if (message !== undefined) context.addIssue({ code: 'custom', path: [name], message });
      }
    })
    .describe(
      'Plain variables of the build and of the load test, 200 at most. Those set with `fairway variables set` count before them.',
    ),
};

const importantMetricsFailureBehavior = z
  .enum(['PAUSE', 'FAIL', 'CONTINUE'])
  .default('PAUSE')
  .describe('What a failing important metric does: ask a person, fail the execution, or nothing.');

const deploying = {
  skipDetachingDispatchers: z
    .boolean()
    .default(false)
    .describe(
      'Deploy to the dev or stage environment without taking its dispatchers out of the load balancer; never to production.',
    ),
  dispatcherCacheFlushPaths: z
    .array(contentPath)
    .max(100, 'at most 100 paths')
    .default([])
    .describe(
      'Removed from the caches of the dispatchers after a deployment (`CQ-Action: Delete`, this path only).',
    ),
  dispatcherCacheInvalidationPaths: z
    .array(contentPath)
    .max(100, 'at most 100 paths')
    .default([])
    .describe('Marked as stale after a deployment, with what depends on it (`CQ-Action: Activate`).'),
  importantMetricsFailureBehavior,
};

export const productionPipelineSchema = z
  .strictObject({
    ...common,
    type: z.literal('production').describe('Stage deployment, stage testing, production deployment.'),
    stageEnvironment: numericId.describe('The testing environment: of type stage.'),
    productionEnvironment: numericId.describe('Of type prod.'),
    approval: z
      .boolean()
      .default(true)
      .describe('Application for Approval before the production deployment.'),
    schedule: z.boolean().default(false).describe('Schedule Production Deployment.'),
    cse: z
      .enum(['ANY_CSE', 'MY_CSE'])
      .optional()
      .describe(
        'CSE Support: which Customer Success Engineer starts the production deployment; absent: no such step.',
      ),
    ...deploying,
  })
  .describe('A production pipeline.');

export const deploymentPipelineSchema = z
  .strictObject({
    ...common,
    type: z.literal('deployment').describe('Build, code scanning, deployment to a dev environment.'),
    devEnvironment: numericId.describe('Of type dev.'),
    ...deploying,
  })
  .describe('A non-production pipeline that deploys.');

export const codeQualityPipelineSchema = z
  .strictObject({
    ...common,
    type: z
      .literal('codeQuality')
      .describe('Build and code scanning; a failing important metric fails it, as nothing follows.'),
  })
  .describe('A pipeline that only judges the code.');

export const pipelineSchema = z.discriminatedUnion('type', [
  productionPipelineSchema,
  deploymentPipelineSchema,
  codeQualityPipelineSchema,
]);

export type ProductionPipeline = z.infer<typeof productionPipelineSchema>;
export type DeploymentPipeline = z.infer<typeof deploymentPipelineSchema>;
export type CodeQualityPipeline = z.infer<typeof codeQualityPipelineSchema>;
export type Pipeline = z.infer<typeof pipelineSchema>;
export type ProductionPipelineInput = z.input<typeof productionPipelineSchema>;
export type Repository = z.infer<typeof repository>;
