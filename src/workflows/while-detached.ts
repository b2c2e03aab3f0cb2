import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { Leg } from '../model/deployment-plan.ts';
import { legVerdict } from '../model/deployment.ts';
import type { Dispatcher } from '../model/schema/definition.ts';
import { balancing, reading } from './activities.ts';
import { failure, understood } from './failures.ts';
import type { NodeWork } from './node-work.ts';
import { allOf, always } from './scopes.ts';

interface DetachedWork {
  /** What changes nothing, beside taking out of service; when it fails, nothing further is done. */
  readonly meanwhile: () => Promise<void>;
  readonly then: () => Promise<void>;
}

/**
 * S2, R2: takes a leg's dispatchers out of the load balancer, does the work, and brings them back. Bringing back is
 * settled before taking out begins and happens whatever happens between; only a leg with a node that is not
 * consistent stays out, unless it is the last one that could serve.
 */
export async function whileDetached(
  leg: Leg,
  work: NodeWork,
  { meanwhile, then }: DetachedWork,
): Promise<void> {
  const progress = work.report.leg(leg.name);
  if (progress) progress.state = 'IN PROGRESS';
  work.report.show(`leg ${leg.name}: taking out of service`);

  const failures: unknown[] = [];
  try {
    await allOf([...leg.dispatchers.map((dispatcher) => detach(dispatcher, work)), meanwhile()]);
    // From here on nodes change: a cancellation waits until the leg is whole again.
    await CancellationScope.nonCancellable(then);
  } catch (error) {
    failures.push(error);
  }
  const trouble = await always(() => bringBack(leg, work));
  const [first] = failures;
  if (failures.length > 0 && (!trouble || isCancellation(first))) throw first;
  if (!trouble) return;
  const { type, message } =
    failures.length > 0 ? understood(first) : { type: 'NotReady' as const, message: '' };
  throw failure(type, [message, trouble].filter(Boolean).join('; '));
}

const balancerInput = (dispatcher: Dispatcher, { input: { environment, log } }: NodeWork) => {
  if (!environment.loadBalancer)
    throw failure('Missing', `environment ${environment.id} has no load balancer`);
  return { loadBalancer: environment.loadBalancer, dispatcher, probe: environment.probe, log };
};

async function detach(dispatcher: Dispatcher, work: NodeWork): Promise<void> {
  const progress = work.report.dispatcher(dispatcher.id);
  progress.service = 'leaving';
  const { at } = await balancing.detachDispatcher.executeWithOptions(
    { summary: `Detach ${dispatcher.id} from the load balancer` },
    [balancerInput(dispatcher, work)],
  );
  progress.service = 'out';
  progress.detachedAt = at;
  work.report.show(`${dispatcher.id} is out of service`);
}

/** @returns what keeps the leg, or a part of it, from the visitors; undefined when all is in service. */
async function bringBack(leg: Leg, work: NodeWork): Promise<string | undefined> {
  const { report } = work;
  const progress = report.leg(leg.name);
  const instances = leg.publish.map(({ id }) => report.instance(id));
  const dispatchers = leg.dispatchers.map(({ id }) => report.dispatcher(id));
  let { state, reason } = legVerdict(instances, dispatchers);

  if (state === 'MIXED') {
    const bad = await firstBadProbe(leg, work);
    if (bad) [state, reason] = ['OUT', `${reason ?? 'mixed'}; ${bad}`];
  }
  const kept = state === 'OUT' ? toKeepOut(leg, work) : [];
  const returning = leg.dispatchers.filter((dispatcher) => !kept.includes(dispatcher));
  if (state === 'OUT' && kept.length === 0)
    reason = `${reason ?? 'not consistent'}; in service all the same, as nothing else could serve`;
  const troubles = [
    ...(kept.length > 0
      ? [`${kept.map(({ id }) => id).join(', ')} stays out of service: ${reason ?? ''}`]
      : []),
    ...(await attachAll(returning, work, { whateverItAnswers: state === 'OUT' })),
  ];

  if (progress) {
    progress.state = troubles.length > 0 ? 'OUT' : state === 'OUT' ? 'MIXED' : state;
    progress.reason = troubles.length > 0 ? troubles.join('; ') : reason;
  }
  report.show(`leg ${leg.name}: ${progress?.state ?? state}`);
  return troubles.length > 0 ? troubles.join('; ') : undefined;
}

/**
 * Which dispatchers of a leg that is not consistent do not return: all of them while others serve; else those that are
 * broken themselves or render from a broken publish, unless that is all of them, since visitors must be served.
 */
function toKeepOut(leg: Leg, work: NodeWork): readonly Dispatcher[] {
  if (othersServe(leg, work)) return leg.dispatchers;
  const { report } = work;
  const broken = leg.dispatchers.filter(({ id, publish }) => {
    const instance = leg.publish.find((known) => known.id === publish);
    return (
      legVerdict(instance ? [report.instance(instance.id)] : [], [report.dispatcher(id)]).state === 'OUT'
    );
  });
  return broken.length === leg.dispatchers.length ? [] : broken;
}

/** Whether any dispatcher outside this leg is in service. */
const othersServe = (leg: Leg, { report }: NodeWork): boolean =>
  report.progress.dispatchers.some(
    ({ id, service }) => service === 'in service' && !leg.dispatchers.some((own) => own.id === id),
  );

async function firstBadProbe(leg: Leg, { input: { environment } }: NodeWork): Promise<string | undefined> {
  for (const dispatcher of leg.dispatchers) {
    try {
      const { good, answer } = await reading.probeDispatcher.executeWithOptions(
        { summary: `Probe ${dispatcher.id} through to its publish instance` },
        [{ dispatcher, probe: environment.probe }],
      );
      if (!good) return `${dispatcher.id} answers ${answer}`;
    } catch (error) {
      return `${dispatcher.id}: ${understood(error).message}`;
    }
  }
  return undefined;
}

interface AttachOptions {
  readonly whateverItAnswers: boolean;
}

async function attachAll(
  dispatchers: readonly Dispatcher[],
  work: NodeWork,
  how: AttachOptions,
): Promise<string[]> {
  const ends = await Promise.all(dispatchers.map((dispatcher) => attach(dispatcher, work, how)));
  return ends.filter((trouble) => trouble !== undefined);
}

async function attach(
  dispatcher: Dispatcher,
  work: NodeWork,
  how: AttachOptions,
): Promise<string | undefined> {
  const progress = work.report.dispatcher(dispatcher.id);
  progress.service = 'returning';
  try {
    const { at } = await balancing.attachDispatcher.executeWithOptions(
      { summary: `Attach ${dispatcher.id} to the load balancer` },
      [{ ...balancerInput(dispatcher, work), ...how }],
    );
    progress.service = 'in service';
    progress.attachedAt = at;
    return undefined;
  } catch (error) {
    progress.service = 'out';
    return `${dispatcher.id} is not back in service: ${understood(error).message}`;
  }
}
