import type { Trouble } from '../model/activities.ts';
import type { Deployable } from '../model/deployment-plan.ts';
import type { Dispatcher } from '../model/schema/definition.ts';
import { failure, statusOf, understood } from './failures.ts';
import type { NodeWork } from './node-work.ts';
import { askEnvironment, prepareConfiguration, returnToService } from './reconcile.ts';
import { allOf, always, heedCancellation } from './scopes.ts';

/**
 * Before the first change: makes good what an earlier deployment or a dead agent left behind, configurations half done
 * and dispatchers out of service, and finds out everything that can be known of the new one. Most faults end here,
 * with nothing touched.
 * @throws ApplicationFailure naming every problem at once.
 */
export async function preflight(work: NodeWork, what: Deployable): Promise<void> {
  const { input, report } = work;
  const { author, publish, dispatchers, loadBalancer } = input.environment;
  report.show('making good what was left behind, checking every node before anything is changed');

  const [{ troubles, out = [] }, prepared] = await always(() =>
    Promise.all([
      askEnvironment(work, {
        instances: what.aem.length > 0 ? [...author, ...publish] : [],
        artifacts: what.aem,
        // Only where this deployment uses it at all.
        loadBalancer: input.skipDetachingDispatchers ? undefined : loadBalancer,
      }),
      Promise.all(dispatchers.map((dispatcher) => prepare(dispatcher, work, what))),
    ]),
  );
  const returning = dispatchers.filter(
    (dispatcher, index) => out.includes(dispatcher.id) && prepared[index]?.isConsistent,
  );
  await always(() => allOf(returning.map((dispatcher) => returnToService(dispatcher, work))));
  await heedCancellation();

  const found = [...prepared.flatMap((host) => host.troubles), ...troubles];
  // One fault of an artifact or a definition makes it a failure, however much was unreachable besides.
  const first = found.find(({ type }) => statusOf(type) === 'FAILED') ?? found[0];
  if (first)
    throw failure(
      first.type,
      `nothing was changed: ${[...new Set(found.map(({ thing, message }) => `${thing}: ${message}`))].join('; ')}`,
    );
}

interface PreparedHost {
  readonly troubles: readonly Trouble[];
  /** Whether the host may serve. */
  readonly isConsistent: boolean;
}

/** Never fails: a host that cannot be asked is a trouble. */
async function prepare(
  { id }: Dispatcher,
  work: NodeWork,
  { dispatcher: artifact }: Deployable,
): Promise<PreparedHost> {
  try {
    const { deployment } = work;
    const { state, trouble } = await prepareConfiguration(id, work, artifact && { deployment, artifact });
    const isConsistent = state !== 'inconsistent';
    const neither = 'its configuration is neither old nor new and could not be made good: see to the host';
    return {
      isConsistent,
      troubles: [
        ...(isConsistent ? [] : [{ thing: id, type: 'Conflict' as const, message: neither }]),
        ...(trouble ? [{ thing: id, ...trouble }] : []),
      ],
    };
  } catch (error) {
    return { isConsistent: false, troubles: [{ thing: id, ...understood(error) }] };
  }
}
