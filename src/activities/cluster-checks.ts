import type { Problem } from '../model/activities.ts';
import type { Environment } from '../model/schema/definition.ts';
import type { Kubernetes } from '../model/schema/kubernetes.ts';
import { askCluster, clusterRemedy } from '../systems/kubernetes/ask.ts';
import type { Deps } from './deps.ts';
import { problems } from './problems.ts';

/** D1 of an environment on a cluster: it answers and may be deployed to; tests will find the accounts that they need. */
export function clusterChecks(
  thing: string,
  kubernetes: Kubernetes,
  { secret }: Pick<Deps, 'secret'>,
  signal: AbortSignal,
): Promise<Problem[]>[] {
  const { token, author, publish } = kubernetes;
  const accounts = [author, publish].flatMap((instance) => instance?.credentials ?? []);
  return [
    problems(`${thing} cluster`, clusterRemedy(kubernetes), signal, async () => {
      await askCluster(kubernetes, (await secret(token)).trim(), signal);
      return [];
    }),
    ...[...new Set(accounts)].map((name) =>
      problems(thing, `give this worker the secret ${name}`, signal, async () => {
        await secret(name);
        return [];
      }),
    ),
  ];
}

/** What nobody tests, as nobody says how it is reached. */
export const unreachedWarnings = ({ id, name, type, kubernetes }: Environment): string[] =>
  type === 'stage' && kubernetes && !kubernetes.dispatcher
    ? [`environment ${id} (${name}) does not say where its dispatchers are reached: they are not tested`]
    : [];
