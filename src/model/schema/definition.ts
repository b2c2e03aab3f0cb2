import { z } from 'zod';
import { checkClusters } from './clusters.ts';
import { codeScannerSchema } from './code-scanner.ts';
import { environmentSchema } from './environment.ts';
import { label, numericId } from './fields.ts';
import { pipelineSchema } from './pipeline.ts';
import { checkFlavour } from './flavour.ts';
import { performanceSchema } from './performance.ts';
import { qualityGatesSchema } from './quality-gates.ts';
import { checkReferences } from './references.ts';
import { webhookSchema } from './webhook.ts';

/**
 * The definition of a program as people write it (`fairway.yaml`) and as the program entity keeps it. The single truth:
 * validation, the types of the whole code base, the JSON Schema and the reference page derive from this folder.
 */

export { environmentSchema } from './environment.ts';
export { pipelineSchema } from './pipeline.ts';
export type { CodeScannerChoice, SonarqubeServer } from './code-scanner.ts';
export type { Dispatcher, Environment, Instance, LoadBalancer, TargetGroup } from './environment.ts';
export type { QualityGates } from './quality-gates.ts';
export type { PerformanceGoals } from './performance.ts';
export type { AdobeWebhook, EventName, Webhook } from './webhook.ts';
export type {
  CodeQualityPipeline,
  DeploymentPipeline,
  Pipeline,
  ProductionPipeline,
  ProductionPipelineInput,
  Repository,
} from './pipeline.ts';

const days = z.number().positive().max(90);

const timeouts = z.strictObject({
  codeQuality: days.optional().describe('Accepting failing important metrics of Code Scanning.'),
  securityTest: days
    .optional()
    .describe('Accepting failing important metrics of Security Testing; Managed Services only.'),
  reportPerformanceTest: days
    .optional()
    .describe('Accepting failing important metrics of Performance Testing; Managed Services only.'),
  approval: days.optional().describe('Application for Approval.'),
  schedule: days.optional().describe('Saying when the production deployment begins.'),
  managed: days.optional().describe('CSE Support; Managed Services only.'),
});

const deciders = z.strictObject({
  verifiedActors: z
    .boolean()
    .default(false)
    .describe(
      'Only people whom a token has proved start, decide, cancel and change the program: through the API. Others are refused by the workflows.',
    ),
  notByStarter: z
    .boolean()
    .default(false)
    .describe('Nobody approves the production deployment of an execution that they started.'),
});

export const programSchema = z
  .strictObject({
    id: numericId.describe('Unique among all programs.'),
    name: label.describe('For people; unique names may be used instead of ids.'),
    type: z
      .enum(
        ['aem_managed_services', 'aem_cloud_service'],
        'must be aem_managed_services or aem_cloud_service',
      )
      .describe('The flavour: Managed Services or Cloud Service.'),
    environments: z
      .array(environmentSchema)
      .min(1, 'a program needs an environment')
      .max(50)
      .describe('Where AEM runs.'),
    pipelines: z.array(pipelineSchema).max(300).describe('What brings code there.'),
    timeouts: timeouts
      .prefault({})
      .describe(
        'How long the steps that wait for a person wait, in days; 7 where nothing is said, 90 at most.',
      ),
    performance: performanceSchema
      .prefault({})
      .describe('The tests of Performance Testing; Managed Services only.'),
    qualityGates: qualityGatesSchema
      .prefault({})
      .describe("Thresholds and severities instead of Cloud Manager's, by KPI."),
    codeScanner: codeScannerSchema
      .optional()
      .describe('What analyses the code in Code Scanning; the embedded analysers where nothing is said.'),
    deciders: deciders.optional().describe('Who may decide, where the program is stricter than usual.'),
    webhooks: z
      .array(webhookSchema)
      .max(20)
      .optional()
      .describe('Who is told what executions do (docs/events.md).'),
  })
  .superRefine(checkReferences)
  .superRefine(checkClusters)
  .superRefine(checkFlavour);

/** The whole of a `fairway.yaml`. */
export const fileSchema = z
  .strictObject({
    programs: z
      .array(programSchema)
      .min(1, 'a file defines a program at least')
      .max(100)
      .superRefine((programs, context) =>
        programs.forEach(({ id }, index) => {
          if (programs.findIndex((other) => other.id === id) !== index)
            context.addIssue({
              code: 'custom',
              path: [index, 'id'],
              message: `program ${id} is defined twice`,
            });
        }),
      )
      .describe('The programs that the file defines.'),
  })
  .describe('Programs, environments and pipelines of Fairway.');

export type Program = z.infer<typeof programSchema>;
/** Whose pipelines and dispatcher configuration a program has. */
export type Flavour = Program['type'];
export type ProgramInput = z.input<typeof programSchema>;
export type Timeouts = z.infer<typeof timeouts>;
