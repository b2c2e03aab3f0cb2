import type {
  EnvironmentAnswers,
  EnvironmentQuestions,
  Prepared,
  PreparationInput,
} from '../model/activities.ts';
import type { DeploymentInput } from '../model/deployment.ts';
import type { Dispatcher } from '../model/schema/definition.ts';
import { balancing, onNode, reading } from './activities.ts';
import type { Report } from './deployment-report.ts';
import { understood } from './failures.ts';

/** What is needed to make an environment good: a deployment, or a repair. */
export interface Reconciling {
  readonly input: Pick<DeploymentInput, 'programId' | 'environment' | 'log'>;
  readonly report: Report;
}

/**
 * A dispatcher that does not come back has no visitors to lose: it is left out, and deployed to before any other. The
 * minutes for which others would be waited for are not worth an idle deployment. With AWS they are: its own checks, as they
 * are set up when nobody changes them, take longer than two of them.
 */
const RETURN_WITHIN = { haproxy: '2 minutes', elbv2: '10 minutes' } as const;

/** Asks what can be asked from here, all of it in one activity; never fails, since not to answer is an answer. */
export async function askEnvironment(
  { input: { environment, log }, report }: Reconciling,
  what: Pick<EnvironmentQuestions, 'instances' | 'artifacts' | 'loadBalancer'>,
): Promise<EnvironmentAnswers> {
  const { name, dispatchers } = environment;
  const things = [
    ...what.instances.map(({ id }) => id),
    ...(what.loadBalancer && dispatchers.length > 0 ? ['the load balancer'] : []),
  ];
  if (things.length === 0) return { troubles: [] };
  try {
    const answers = await reading.preflightEnvironment.executeWithOptions(
      { summary: `Preflight of ${name}: ${things.join(', ')}` },
      [{ ...what, dispatchers, log }],
    );
    for (const id of answers.out ?? []) report.dispatcher(id).service = 'out';
    return answers;
  } catch (error) {
    return { troubles: [{ thing: name, ...understood(error) }] };
  }
}

/**
 * Whatever was left half done on a dispatcher host becomes the old configuration, serving; then the new one, if there
 * is one, is tested beside it.
 */
export async function prepareConfiguration(
  id: string,
  { input: { programId, environment, log }, report }: Reconciling,
  replacement?: PreparationInput['replacement'],
): Promise<Prepared> {
  const node = { programId, environmentId: environment.id, nodeId: id };
  const prepared = await onNode(node).prepareConfiguration.executeWithOptions(
    {
      summary: replacement
        ? `Reconcile the configuration on ${id} and test the new one beside it`
        : `Reconcile the configuration on ${id}`,
    },
    [{ node, replacement, log }],
  );
  report.progress.reconciled.push(...prepared.done.map((what) => `${id}: ${what}`));
  if (prepared.state === 'inconsistent') report.dispatcher(id).configuration = prepared.state;
  return prepared;
}

/** Attaches a dispatcher that was left out of service; when it does not come up, that is noted and it stays out. */
export async function returnToService(
  dispatcher: Dispatcher,
  { input: { environment, log }, report }: Reconciling,
): Promise<void> {
  const { loadBalancer, probe } = environment;
  if (!loadBalancer) return;
  const { id } = dispatcher;
  try {
    await balancing.attachDispatcher.executeWithOptions(
      {
        summary: `Attach ${id}, which was left out of service`,
        scheduleToCloseTimeout: RETURN_WITHIN[loadBalancer.type],
      },
      [{ loadBalancer, dispatcher, probe, log }],
    );
    report.dispatcher(id).service = 'in service';
    report.progress.reconciled.push(`${id}: returned to service`);
  } catch (error) {
    const left = `${id}: it was left out of service and does not return: ${understood(error).message}`;
    report.progress.remaining = [...(report.progress.remaining ?? []), left];
  }
}
