import { packageLabel, type AemArtifact, type DispatcherArtifact } from '../model/artifacts.ts';
import {
  allAtOnce,
  legsFor,
  rolling,
  type Deployable,
  type Leg,
  type Plan,
} from '../model/deployment-plan.ts';
import { initialProgress, legVerdict, type DeploymentInput } from '../model/deployment.ts';
import { orderPackages } from '../model/package-order.ts';
import type { Report } from './deployment-report.ts';
import { failure } from './failures.ts';
import { NodeWork } from './node-work.ts';
import { preflight } from './preflight.ts';
import { allOf, always, heedCancellation } from './scopes.ts';
import type { Target } from './target.ts';
import { whileDetached } from './while-detached.ts';

/**
 * AEM instances by their Package Manager, dispatchers by their agents: checks everything before anything is touched, then
 * carries out its plan. Cancellation is honoured before the first change and between legs; a leg that has begun is
 * finished, so that no node is left half done.
 */
export function hosts(input: DeploymentInput): Target {
  const what = deployable(input);
  const legs = legsFor(input);
  return {
    progress: initialProgress(
      input.environment,
      what.aem.map((artifact) => packageLabel(artifact.package.id)),
      legs.map(({ name }) => name),
      what.dispatcher ? 'old' : 'unchanged',
    ),
    deploy: async (report) => {
      const work = new NodeWork(input, report);
      await preflight(work, what);
      report.show('deploying');
      await carryOut(planOf(input, what, report), work);
    },
    settle: (report) => settle(legs, report),
  };
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

const planOf = (
  { environment, order, skipDetachingDispatchers }: DeploymentInput,
  what: Deployable,
  { progress }: Report,
): Plan =>
  order === 'rolling'
    ? rolling(
        environment,
        what,
        progress.dispatchers.filter(({ service }) => service === 'out').map(({ id }) => id),
      )
    : allAtOnce(environment, what, { skipDetaching: skipDetachingDispatchers || !environment.loadBalancer });

/** Legs that were deployed to without leaving the load balancer: nothing is known of them but their nodes. */
function settle(legs: readonly Leg[], report: Report): void {
  for (const { name, publish, dispatchers } of legs) {
    const progress = report.leg(name);
    if (progress?.state !== 'OLD') continue;
    const verdict = legVerdict(
      publish.map(({ id }) => report.instance(id)),
      dispatchers.map(({ id }) => report.dispatcher(id)),
    );
    progress.state = verdict.state === 'OUT' ? 'MIXED' : verdict.state;
    progress.reason = verdict.reason;
  }
}

/** Carries out one node of the plan and all below it. */
async function carryOut(plan: Plan, work: NodeWork): Promise<void> {
  switch (plan.do) {
    case 'inSequence':
      for (const step of plan.steps) {
        await heedCancellation();
        await carryOut(step, work);
      }
      return;
    case 'atOnce':
      return allOf(plan.steps.map((step) => carryOut(step, work)));
    case 'install':
      return always(() => work.install(plan.instance, plan.artifacts));
    case 'askAgent':
      return work.askAgent(plan.dispatcher);
    case 'backUp':
      return work.backUp(plan.dispatcher, plan.artifact);
    case 'configure':
      return always(() => work.configure(plan.dispatcher, plan.artifact));
    case 'flush':
      return always(() => work.flush(plan.dispatcher));
    case 'whileDetached':
      return whileDetached(plan.leg, work, {
        meanwhile: () => carryOut({ do: 'atOnce', steps: plan.meanwhile }, work),
        then: () => carryOut({ do: 'inSequence', steps: plan.steps }, work),
      });
  }
}
