import type {
  Activities,
  EnvironmentAnswers,
  EnvironmentQuestions,
  Prepared,
  PreparationInput,
  Trouble,
} from '../model/activities.ts';
import type { AemArtifact } from '../model/artifacts.ts';
import { failureTypes } from '../model/failures.ts';
import type { Dispatcher, Instance, LoadBalancer } from '../model/schema/definition.ts';
import { Failure, messageOf } from '../systems/failure.ts';
import { loadBalancerOf } from '../systems/load-balancer/choose.ts';
import { preflight as preflightBalancer } from '../systems/load-balancer/preflight.ts';
import { packageManagerOf } from '../systems/package-manager/choose.ts';
import { preflight as preflightPackages } from '../systems/package-manager/preflight.ts';
import type { Deps } from './deps.ts';
import { inWords } from './failure-interceptor.ts';
import { whileHeartbeating } from './heartbeat.ts';
import { stepLog } from './step-log.ts';
import { untilAnswered } from './until-answered.ts';

export const preflightActivities = (deps: Deps): Pick<Activities, 'preflightEnvironment'> => ({
  preflightEnvironment: (input) =>
    whileHeartbeating((signal, beat) => askEnvironment(input, ways(deps, input.log, signal), signal, beat)),
});

/** How single things are asked; each answers with what is wrong, in sentences, or throws a `Failure`. */
export interface Ways {
  /** What would go wrong on an instance that answers: dependencies, an installer at work. */
  instance(instance: Instance, artifacts: readonly AemArtifact[]): Promise<readonly string[]>;
  /** What would keep the load balancer from taking these dispatchers out and in again. */
  loadBalancer(loadBalancer: LoadBalancer, dispatchers: readonly Dispatcher[]): Promise<readonly string[]>;
  /** Which of these dispatchers are not in full service now. */
  outOfService(loadBalancer: LoadBalancer, dispatchers: readonly Dispatcher[]): Promise<readonly string[]>;
}

const ways = ({ storage, secret }: Deps, log: string, signal: AbortSignal): Ways => ({
  async instance(instance, artifacts) {
    const say = stepLog(storage, log, instance.id);
    const credentials = await secret(instance.credentials);
    const { problems, notes } = await preflightPackages(
      packageManagerOf(instance, credentials),
      artifacts,
      signal,
    ).catch(async (error: unknown) => {
      await say(messageOf(error));
      throw error;
    });
    await say([...problems, ...notes, ...(problems.length === 0 ? ['well'] : [])].join('\n'));
    return problems;
  },
  loadBalancer: preflightBalancer,
  async outOfService(loadBalancer, dispatchers) {
    const servers = await loadBalancerOf(loadBalancer, dispatchers).servers();
    return dispatchers
      .filter(({ server }) => servers.find(({ name }) => name === server)?.status !== 'up')
      .map(({ id }) => id);
  },
});

/** Asks everything at once; one thing that does not answer keeps no other from being asked. */
export async function askEnvironment(
  { instances, artifacts, loadBalancer, dispatchers }: EnvironmentQuestions,
  ask: Ways,
  signal: AbortSignal,
  beat: (detail: unknown) => void = () => undefined,
): Promise<EnvironmentAnswers> {
  const troubles: Trouble[] = [];
  const asked = async <T>(thing: string, question: () => Promise<T>): Promise<T | undefined> => {
    try {
      const answer = await untilAnswered(question, signal);
      beat(`${thing} has answered`);
      return answer;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      troubles.push({ thing, type: error.type, message: inWords(error) });
      return undefined;
    }
  };
  const problems = async (thing: string, question: () => Promise<readonly string[]>) => {
    for (const message of (await asked(thing, question)) ?? [])
      troubles.push({ thing, type: 'Rejected', message });
  };
  const usesBalancer = loadBalancer && dispatchers.length > 0;
  const [out] = await Promise.all([
    usesBalancer ? asked(LOAD_BALANCER, () => ask.outOfService(loadBalancer, dispatchers)) : undefined,
    usesBalancer ? problems(LOAD_BALANCER, () => ask.loadBalancer(loadBalancer, dispatchers)) : undefined,
    ...instances.map((instance) => problems(instance.id, () => ask.instance(instance, artifacts))),
  ]);
  signal.throwIfAborted();
  return { troubles, out };
}

const LOAD_BALANCER = 'load balancer';

type Replacement = NonNullable<PreparationInput['replacement']>;

/** How an agent looks after its host before a deployment. */
export interface HostWays {
  reconcile(): Promise<Omit<Prepared, 'trouble'>>;
  /** @throws Failure */
  preflight(replacement: Replacement): Promise<void>;
}

/** A package that cannot be deployed is an answer, beside what was made good; what another try may change is thrown. */
export async function prepareHost(
  { replacement }: PreparationInput,
  host: HostWays,
  signal: AbortSignal,
): Promise<Prepared> {
  const made = await host.reconcile();
  if (!replacement) return made;
  try {
    await host.preflight(replacement);
    return made;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Failure) || failureTypes[error.type].retry) throw error;
    return { ...made, trouble: { type: error.type, message: inWords(error) } };
  }
}
