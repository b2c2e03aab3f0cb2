import { setHandler, workflowInfo } from '@temporalio/workflow';
import { initialProgress, type DeploymentProgress, type RepairInput } from '../model/deployment.ts';
import { clusterRepairsItself } from '../model/kubernetes.ts';
import type { Dispatcher } from '../model/schema/definition.ts';
import { balancing } from './activities.ts';
import { problemsOfNode } from './agents.ts';
import { Report } from './deployment-report.ts';
import { deploymentQuery } from './environment-deployment.ts';
import { holding } from './environment-lease.ts';
import { failure, understood } from './failures.ts';
import { askEnvironment, prepareConfiguration, returnToService, type Reconciling } from './reconcile.ts';
import { allOf, always } from './scopes.ts';

/**
 * Brings an environment to a stated, consistent state after a fault, without deploying anything: configurations that
 * were left half done become the old ones again, dispatchers that are consistent and answer return to service, one
 * whose configuration is neither old nor new leaves it while others serve. Its id is that of a deployment and it holds
 * the environment, so that it runs beside neither.
 * @returns what it found and did, node by node; with nothing in `reconciled` there was nothing to be done.
 * @throws ApplicationFailure `Conflict` when the environment is in use, `NotReady` with the same progress as its first
 *   detail when something remains that a person must see to.
 */
export async function environmentRepair(input: RepairInput): Promise<DeploymentProgress> {
  if (!input?.environment) throw failure('InvalidInput', 'a repair needs the definition of its environment');
  const { programId, environment, by } = input;
  if (environment.kubernetes) throw failure('InvalidInput', clusterRepairsItself(environment));
  const report = new Report(initialProgress(environment, [], []));
  setHandler(deploymentQuery, () => report.progress, { description: 'Node by node' });
  const log = `${programId}/environments/${environment.id}/repairs/${workflowInfo().runId}.log`;
  const holder = {
    programId,
    who: `repair by ${by.subject}`,
    endsNext: true,
    onBusy: (other: string) => {
      report.show(`refused: in use by ${other}`);
      throw failure(
        'Conflict',
        `environment ${environment.id} (${environment.name}) is in use by ${other}: wait for its end, or cancel it`,
      );
    },
  };
  await holding(environment, holder, async (acquire) => {
    await acquire();
    await repair({ input: { programId, environment, log }, report });
  });

  const { reconciled, remaining = [] } = report.progress;
  if (remaining.length > 0) {
    report.show('something remains to be seen to');
    throw failure('NotReady', `not everything is well: ${remaining.join('; ')}`, report.progress);
  }
  report.show(reconciled.length > 0 ? 'repaired' : 'all is well: nothing was to be done');
  return report.progress;
}

async function repair(work: Reconciling): Promise<void> {
  const { input, report } = work;
  const { author, publish, dispatchers, loadBalancer } = input.environment;
  report.show('asking every node, making good what was left behind');
  const doubtful = new Set<string>();
  const [{ troubles, out }] = await Promise.all([
    askEnvironment(work, { instances: [...author, ...publish], artifacts: [], loadBalancer }),
    ...dispatchers.map(({ id }) => settle(id, work, doubtful)),
  ]);
  for (const { thing, message } of troubles) {
    doubtful.add(thing);
    remains(report, `${thing}: ${message}`);
  }
  if (out)
    await settleService(
      dispatchers.filter(({ id }) => out.includes(id)),
      work,
      doubtful,
    );
}

/** What is not well, or cannot be asked, comes back only where nothing else serves. */
async function settleService(
  out: readonly Dispatcher[],
  work: Reconciling,
  doubtful: ReadonlySet<string>,
): Promise<void> {
  const { input, report } = work;
  const isBroken = ({ id }: Dispatcher) => report.dispatcher(id).configuration === 'inconsistent';
  const isDoubtful = ({ id, publish }: Dispatcher) => doubtful.has(id) || doubtful.has(publish);
  const serving = () => report.progress.dispatchers.filter(({ service }) => service === 'in service').length;

  const good = out.filter((one) => !isBroken(one) && !isDoubtful(one));
  await always(() => allOf(good.map((one) => returnToService(one, work))));
  for (const one of out.filter((other) => !isBroken(other) && isDoubtful(other)))
    if (serving() === 0) await always(() => returnToService(one, work));
    else remains(report, `${one.id}: stays out of service until it and ${one.publish} are well`);
  for (const one of input.environment.dispatchers.filter(isBroken))
    if (report.dispatcher(one.id).service === 'in service' && serving() > 1)
      await always(() => takeOut(one, work));
}

const remains = ({ progress }: Report, what: string): void => {
  progress.remaining = [...(progress.remaining ?? []), what];
};

/** An agent that is not there is not waited for, and the other hosts are made good all the same. */
async function settle(id: string, work: Reconciling, doubtful: Set<string>): Promise<void> {
  const { input, report } = work;
  const problems = await problemsOfNode(input.programId, input.environment, id);
  for (const { problem, remedy } of problems) remains(report, `${id}: ${problem} (${remedy})`);
  if (problems.some(({ unavailable }) => unavailable)) return void doubtful.add(id);
  try {
    await always(() => prepareConfiguration(id, work));
    if (report.dispatcher(id).configuration === 'inconsistent')
      remains(report, `${id}: its configuration is neither old nor new: see to the host`);
  } catch (error) {
    doubtful.add(id);
    remains(report, `${id}: ${understood(error).message}`);
  }
}

/** As after a load balancer that forgot what was out of service. */
async function takeOut(dispatcher: Dispatcher, { input, report }: Reconciling): Promise<void> {
  const { loadBalancer, probe } = input.environment;
  if (!loadBalancer) return;
  const { at } = await balancing.detachDispatcher.executeWithOptions(
    { summary: `Detach ${dispatcher.id}, whose configuration is neither old nor new` },
    [{ loadBalancer, dispatcher, probe, log: input.log }],
  );
  Object.assign(report.dispatcher(dispatcher.id), { service: 'out', detachedAt: at });
  report.progress.reconciled.push(`${dispatcher.id}: taken out of service`);
}
