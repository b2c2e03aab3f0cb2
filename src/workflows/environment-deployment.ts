import { CancellationScope, defineQuery, isCancellation, setHandler } from '@temporalio/workflow';
import { packageLabel, type AemArtifact, type DispatcherArtifact } from '../model/artifacts.ts';
import { allAtOnce, legsOf, rolling, type Deployable, type Plan } from '../model/deployment-plan.ts';
import { initialProgress, type DeploymentInput, type DeploymentProgress } from '../model/deployment.ts';
import { orderPackages } from '../model/package-order.ts';
import { Report } from './deployment-report.ts';
import { failure, understood } from './failures.ts';
import { NodeWork } from './node-work.ts';
import { preflight, reconcile } from './preflight.ts';
import { whileDetached } from './while-detached.ts';

export const deploymentQuery = defineQuery<DeploymentProgress>('deployment');

/**
 * One deployment to one environment: makes good what an earlier one left behind, checks everything before anything is
 * touched, then carries out its plan. Cancellation is honoured before the first change and between legs; a leg that
 * has begun is finished, so that no node is left half done.
 * @returns how every node and leg ended.
 * @throws ApplicationFailure with the same progress as its first detail.
 */
export async function environmentDeployment(input: DeploymentInput): Promise<DeploymentProgress> {
  const what = deployable(input);
  const report = new Report(
    initialProgress(
      input.environment,
      what.aem.map((artifact) => packageLabel(artifact.package.id)),
      input.order === 'rolling' ? legsOf(input.environment).map(({ name }) => name) : ['all nodes'],
    ),
  );
  setHandler(deploymentQuery, () => report.progress, { description: 'Node by node, leg by leg' });
  const work = new NodeWork(input, report);

  try {
    await reconcile(input, report);
    await preflight(input, what, report);
    await carryOut(planOf(input, what), work);
    report.show('deployed');
    return report.progress;
  } catch (error) {
    if (isCancellation(error)) {
      await report.tell('cancelled');
      throw error;
    }
    const { type, message } = understood(error);
    await report.tell(`failed: ${message}`);
    throw failure(type, message, report.progress);
  }
}

function deployable({ artifacts }: DeploymentInput): Deployable {
  const { order, problems } = orderPackages(
    artifacts.filter((artifact): artifact is AemArtifact => artifact.kind === 'aem'),
  );
  if (problems.length > 0) throw failure('InvalidArtifact', problems.join('; '));
  return {
    aem: order,
    dispatcher: artifacts.find((artifact): artifact is DispatcherArtifact => artifact.kind === 'dispatcher'),
  };
}

const planOf = ({ environment, order, skipDetachingDispatchers }: DeploymentInput, what: Deployable): Plan =>
  order === 'rolling'
    ? rolling(environment, what)
    : allAtOnce(environment, what, { skipDetaching: skipDetachingDispatchers || !environment.loadBalancer });

/** Carries out one node of the plan and all below it. */
async function carryOut(plan: Plan, work: NodeWork): Promise<void> {
  switch (plan.do) {
    case 'inSequence':
      for (const step of plan.steps) {
        if (CancellationScope.current().consideredCancelled)
          await CancellationScope.current().cancelRequested;
        await carryOut(step, work);
      }
      return;
    case 'atOnce':
      return allOf(plan.steps.map((step) => carryOut(step, work)));
    case 'install':
      return CancellationScope.nonCancellable(() => work.install(plan.instance, plan.artifacts));
    case 'configure':
      return CancellationScope.nonCancellable(() => work.configure(plan.dispatcher, plan.artifact));
    case 'flush':
      return CancellationScope.nonCancellable(() => work.flush(plan.dispatcher));
    case 'whileDetached':
      return whileDetached(plan.leg, work, () => carryOut({ do: 'inSequence', steps: plan.steps }, work));
  }
}

/** Waits for all, also when some fail: a node is never left while it is being changed. Fails with the first failure. */
async function allOf(works: readonly Promise<void>[]): Promise<void> {
  const ends = await Promise.allSettled(works);
  const failures = ends.filter((end) => end.status === 'rejected');
  const [first] = failures;
  if (!first) return;
  if (failures.length === 1) throw first.reason;
  const all = failures.map(({ reason }) => understood(reason));
  throw failure(all[0]?.type ?? 'Unavailable', all.map(({ message }) => message).join('; '));
}
