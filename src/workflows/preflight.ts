import type { Deployable } from '../model/deployment-plan.ts';
import type { DeploymentInput } from '../model/deployment.ts';
import { balancing, onNode, reading } from './activities.ts';
import type { Report } from './deployment-report.ts';
import { failure, understood } from './failures.ts';

const nodeOf = ({ programId, environment }: DeploymentInput, nodeId: string) => ({
  programId,
  environmentId: environment.id,
  nodeId,
});

/**
 * Makes good what an earlier deployment or a dead agent left behind: configurations half done, dispatchers out of
 * service. A deployment begins with it; alone it is the repair of an environment.
 */
export async function reconcile(input: DeploymentInput, report: Report): Promise<void> {
  const { environment, log } = input;
  const { loadBalancer, dispatchers, probe } = environment;
  report.show('making good what an earlier deployment left behind');
  await Promise.all(
    dispatchers.map(async ({ id }) => {
      const node = nodeOf(input, id);
      const { state, done } = await onNode(node).reconcileConfiguration.executeWithOptions(
        { summary: `Reconcile the configuration on ${id}` },
        [{ node, log }],
      );
      report.progress.reconciled.push(...done.map((what) => `${id}: ${what}`));
      if (state === 'inconsistent') report.dispatcher(id).configuration = state;
    }),
  );
  if (!loadBalancer || dispatchers.length === 0) return;
  const out = await reading.outOfService.executeWithOptions(
    { summary: 'Which dispatchers are out of service?' },
    [{ loadBalancer, dispatchers }],
  );
  await Promise.all(
    dispatchers
      .filter(({ id }) => out.includes(id) && report.dispatcher(id).configuration !== 'inconsistent')
      .map(async (dispatcher) => {
        await balancing.attachDispatcher.executeWithOptions(
          { summary: `Attach ${dispatcher.id}, which was left out of service` },
          [{ loadBalancer, dispatcher, probe, log }],
        );
        report.progress.reconciled.push(`${dispatcher.id}: returned to service`);
      }),
  );
}

/**
 * Everything that can be known before the first change: most faults end here, with nothing touched.
 * @throws ApplicationFailure naming every problem at once.
 */
export async function preflight(input: DeploymentInput, what: Deployable, report: Report): Promise<void> {
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
      const node = nodeOf(input, id);
      checks.push(
        troubles(id, async () => {
          await onNode(node).preflightConfiguration.executeWithOptions(
            { summary: `Test the new configuration beside the old one on ${id}` },
            [
              {
                node,
                deployment: `${input.programId}-${input.executionId}-${environment.id}`,
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

  const found = (await Promise.all(checks)).flat();
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
