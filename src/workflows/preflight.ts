import type { Deployable } from '../model/deployment-plan.ts';
import { onNode, reading } from './activities.ts';
import { failure, understood } from './failures.ts';
import type { NodeWork } from './node-work.ts';

/**
 * Everything that can be known before the first change: most faults end here, with nothing touched.
 * @throws ApplicationFailure naming every problem at once.
 */
export async function preflight(work: NodeWork, what: Deployable): Promise<void> {
  const { input, report } = work;
  const { environment, log } = input;
  const { author, publish, dispatchers, loadBalancer } = environment;
  const { aem, dispatcher: artifact } = what;
  report.show('checking every node before anything is changed');

  const checks: Promise<Trouble[]>[] = [];
  if (aem.length > 0)
    for (const instance of [...author, ...publish])
      checks.push(
        troubles(instance.id, async () =>
          reading.preflightInstance.executeWithOptions({ summary: `Preflight ${instance.id}` }, [
            { instance, artifacts: aem, log },
          ]),
        ),
      );
  if (artifact)
    for (const { id } of dispatchers) {
      const node = work.node({ id });
      checks.push(
        troubles(id, async () => {
          await onNode(node).preflightConfiguration.executeWithOptions(
            { summary: `Test the new configuration beside the old one on ${id}` },
            [
              {
                node,
                deployment: work.deployment,
                artifact,
                log,
              },
            ],
          );
          return [];
        }),
      );
    }
  if (loadBalancer && dispatchers.length > 0 && !input.skipDetachingDispatchers)
    checks.push(
      troubles('load balancer', async () =>
        reading.preflightLoadBalancer.executeWithOptions({ summary: 'Preflight the load balancer' }, [
          { loadBalancer, dispatchers },
        ]),
      ),
    );

  const broken = report.progress.dispatchers
    .filter(({ configuration }) => configuration === 'inconsistent')
    .map(({ id }): Trouble => ({
      type: 'Conflict',
      message: `${id}: its configuration is neither old nor new and could not be made good: see to the host`,
    }));
  const found = [...broken, ...(await Promise.all(checks)).flat()];
  const [first] = found;
  if (first)
    throw failure(
      first.type,
      `nothing was changed: ${[...new Set(found.map(({ message }) => message))].join('; ')}`,
    );
}

type Trouble = Pick<ReturnType<typeof understood>, 'type' | 'message'>;

async function troubles(thing: string, ask: () => Promise<readonly string[]>): Promise<Trouble[]> {
  try {
    return (await ask()).map((problem) => ({ type: 'Rejected', message: `${thing}: ${problem}` }));
  } catch (error) {
    const { type, message } = understood(error);
    return [{ type, message: `${thing}: ${message}` }];
  }
}
