import { balancing, onNode, reading } from './activities.ts';
import type { NodeWork } from './node-work.ts';
import { allOf, always } from './scopes.ts';

/**
 * Makes good what an earlier deployment or a dead agent left behind: configurations half done, dispatchers out of
 * service. A deployment begins with it. What cannot be made good stays as it is and is found by the preflight.
 */
export async function reconcile(work: NodeWork): Promise<void> {
  const { input, report } = work;
  const { dispatchers } = input.environment;
  report.show('making good what an earlier deployment left behind');
  await always(() => allOf(dispatchers.map(({ id }) => reconcileConfiguration(id, work))));
  await returnToService(work);
}

async function reconcileConfiguration(id: string, work: NodeWork): Promise<void> {
  const node = work.node({ id });
  const { state, done } = await onNode(node).reconcileConfiguration.executeWithOptions(
    { summary: `Reconcile the configuration on ${id}` },
    [{ node, log: work.input.log }],
  );
  work.report.progress.reconciled.push(...done.map((what) => `${id}: ${what}`));
  if (state === 'inconsistent') work.report.dispatcher(id).configuration = state;
}

/** Only where this deployment uses the load balancer at all. */
async function returnToService({ input, report }: NodeWork): Promise<void> {
  const { environment, log, skipDetachingDispatchers } = input;
  const { loadBalancer, dispatchers, probe } = environment;
  if (!loadBalancer || dispatchers.length === 0 || skipDetachingDispatchers) return;
  const out = await reading.outOfService.executeWithOptions(
    { summary: 'Which dispatchers are out of service?' },
    [{ loadBalancer, dispatchers }],
  );
  for (const id of out) report.dispatcher(id).service = 'out';
  const returning = dispatchers.filter(
    ({ id }) => out.includes(id) && report.dispatcher(id).configuration !== 'inconsistent',
  );
  const attach = async (dispatcher: (typeof dispatchers)[number]) => {
    await balancing.attachDispatcher.executeWithOptions(
      { summary: `Attach ${dispatcher.id}, which was left out of service` },
      [{ loadBalancer, dispatcher, probe, log }],
    );
    report.dispatcher(dispatcher.id).service = 'in service';
    report.progress.reconciled.push(`${dispatcher.id}: returned to service`);
  };
  await always(() => allOf(returning.map(attach)));
}
