import { defineQuery, isCancellation, setHandler } from '@temporalio/workflow';
import type { DeploymentInput, DeploymentProgress } from '../model/deployment.ts';
import { skippingTheBalancer } from '../model/steps.ts';
import { cluster } from './cluster.ts';
import { Report } from './deployment-report.ts';
import { failure, understood } from './failures.ts';
import { hosts } from './hosts.ts';

export const deploymentQuery = defineQuery<DeploymentProgress>('deployment');

/**
 * One deployment to one environment, hosts or a namespace of a cluster. Cancelled or failed, it leaves the environment
 * in a state that it states.
 * @returns how every node and leg ended.
 * @throws ApplicationFailure with the same progress as its first detail.
 */
export async function environmentDeployment(input: DeploymentInput): Promise<DeploymentProgress> {
  if (!input?.environment) throw failure('InvalidInput', 'a deployment is started by its execution');
  if (input.skipDetachingDispatchers && input.environment.type === 'prod')
    throw failure('InvalidInput', `environment ${input.environment.id}: ${skippingTheBalancer}`);
  const target = input.environment.kubernetes ? cluster(input, input.environment.kubernetes) : hosts(input);
  const report = new Report(target.progress);
  setHandler(deploymentQuery, () => report.progress, { description: 'Node by node, leg by leg' });

  try {
    await target.deploy(report);
    target.settle(report);
    report.show('deployed');
    return report.progress;
  } catch (error) {
    target.settle(report);
    if (isCancellation(error)) {
      await report.tell('cancelled');
      throw error;
    }
    const { type, message } = understood(error);
    await report.tell(`failed: ${message}`);
    throw failure(type, message, report.progress);
  }
}
