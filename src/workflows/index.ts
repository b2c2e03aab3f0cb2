import { setWorkflowOptions, workflowInfo } from '@temporalio/workflow';
import { environmentDeployment } from './environment-deployment.ts';
import { environmentLease } from './environment-lease.ts';
import { environmentRepair } from './environment-repair.ts';
import { eventDelivery } from './event-delivery.ts';
import { pipelineExecution } from './pipeline-execution.ts';
import { program } from './program.ts';

/*
 * With workers of several versions: what has an end keeps the version it began with, what may live for ever, or waits for
 * a holder that does, moves to the current one. A server refuses all of this from a worker that has no version.
 */
const versioned =
  (versioningBehavior: 'PINNED' | 'AUTO_UPGRADE') =>
  (): { versioningBehavior?: typeof versioningBehavior } =>
    workflowInfo().currentDeploymentVersion?.deploymentName ? { versioningBehavior } : {};

for (const workflow of [pipelineExecution, environmentDeployment, environmentRepair, eventDelivery])
  setWorkflowOptions(versioned('PINNED'), workflow as () => Promise<unknown>);
for (const workflow of [program, environmentLease])
  setWorkflowOptions(versioned('AUTO_UPGRADE'), workflow as () => Promise<unknown>);

export {
  environmentDeployment,
  environmentLease,
  environmentRepair,
  eventDelivery,
  pipelineExecution,
  program,
};
