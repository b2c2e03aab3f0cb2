import type { Environment, Program } from '../../model/schema/definition.ts';
import { Failure, messageOf } from '../../systems/failure.ts';
import { askHttp } from '../../systems/http-ask.ts';
import { askCluster, clusterRemedy } from '../../systems/kubernetes/ask.ts';
import { loadBalancerOf } from '../../systems/load-balancer/choose.ts';
import { probeOnce } from '../../systems/load-balancer/probe.ts';
import { crxPackageManager } from '../../systems/package-manager/crx.ts';
import type { Secrets } from '../../systems/secrets.ts';
import type { Finding } from './finding.ts';

const TIME_OUT_MS = 5_000;
const CLUSTER_MS = 15_000;
const ELSEWHERE =
  'secrets may be on the hosts of the workers only; to look from here, name their folder in the settings file';

/** Whether the nodes of an environment answer this machine. */
export async function environmentFindings(environment: Environment): Promise<Finding[]> {
  const { name, author, publish, dispatchers, probe } = environment;
  const common = { area: 'Environments' } as const;
  const instances = [...author, ...publish].map(async ({ id, url }): Promise<Finding> => {
    const what = `${name}: ${id}`;
    try {
      const { status } = await askHttp(new URL(url), { timeOutMs: TIME_OUT_MS });
      return { ...common, what, state: 'good', found: `${url} answered ${status}` };
    } catch (error) {
      const remedy = `start the instance, or correct its url; workers must reach it, this machine need not`;
      return { ...common, what, state: 'bad', found: messageOf(error), remedy };
    }
  });
  const probes = dispatchers.map(async ({ id, url }): Promise<Finding> => {
    const { good, answer } = await probeOnce(url, probe, { pastCache: false });
    const what = `${name}: ${id}`;
    if (good) return { ...common, what, state: 'good', found: answer };
    const remedy = `see to httpd on that host; afterwards: fairway environment repair ${environment.id}`;
    return { ...common, what, state: 'bad', found: answer, remedy };
  });
  return Promise.all([...instances, ...probes, ...(environment.loadBalancer ? [balancer(environment)] : [])]);
}

async function balancer({ id, name, loadBalancer, dispatchers }: Environment): Promise<Finding> {
  const common = { area: 'Environments', what: `${name}: load balancer` } as const;
  if (!loadBalancer) return { ...common, state: 'note', found: 'none' };
  try {
    const servers = await loadBalancerOf(loadBalancer, dispatchers).servers();
    const expected = dispatchers.map(({ server }) => ({
      server,
      words: servers.find((known) => known.name === server)?.words ?? 'not known to it',
      up: servers.some((known) => known.name === server && known.status === 'up'),
    }));
    const found = expected.map(({ server, words }) => `${server} ${words}`).join(', ');
    if (expected.every(({ up }) => up)) return { ...common, state: 'good', found };
    return {
      ...common,
      state: 'bad',
      found,
      remedy: `return what is well to service: fairway environment repair ${id}`,
    };
  } catch (error) {
    const remedy =
      loadBalancer.type === 'haproxy'
        ? `workers must reach ${loadBalancer.socket}; from another machine it cannot be looked at`
        : 'workers need credentials for AWS; without some here it cannot be looked at';
    return { ...common, state: 'note', found: messageOf(error), remedy };
  }
}

/** Whether the clusters of a program answer this machine and let it deploy. */
export async function clusterFindings({ environments }: Program, secret: Secrets): Promise<Finding[]> {
  return Promise.all(
    environments.flatMap(({ name, kubernetes }) =>
      kubernetes ? [clusterFinding(name, kubernetes, secret)] : [],
    ),
  );
}

async function clusterFinding(
  environment: string,
  kubernetes: NonNullable<Environment['kubernetes']>,
  secret: Secrets,
): Promise<Finding> {
  const { server, namespace, token } = kubernetes;
  const common = { area: 'Environments', what: `${environment}: cluster (${token})` } as const;
  let value: string;
  try {
    value = (await secret(token)).trim();
  } catch (error) {
    return { ...common, state: 'note', found: messageOf(error), remedy: ELSEWHERE };
  }
  try {
    await askCluster(kubernetes, value, AbortSignal.timeout(CLUSTER_MS));
    const found = `${server} takes the token, and deployments to namespace ${namespace}`;
    return { ...common, state: 'good', found };
  } catch (error) {
    const away = error instanceof Failure && error.type === 'Unavailable';
    const remedy = `${clusterRemedy(kubernetes)}${away ? '; workers must reach it, this machine need not' : ''}`;
    return { ...common, state: 'bad', found: messageOf(error), remedy };
  }
}

/** Whether the secrets that a program names are there, and accepted by the instances. */
export async function credentialFindings({ environments }: Program, secret: Secrets): Promise<Finding[]> {
  const uses = environments.flatMap(({ name, author, publish }) =>
    [...author, ...publish].map((instance) => ({ ...instance, what: `${name}: ${instance.id}` })),
  );
  return Promise.all(
    uses.map(async ({ what, url, credentials }): Promise<Finding> => {
      const common = { area: 'Credentials', what: `${what} (${credentials})` } as const;
      try {
        const manager = crxPackageManager({ url, credentials: await secret(credentials) });
        await manager.list(AbortSignal.timeout(TIME_OUT_MS));
        return { ...common, state: 'good', found: 'accepted by the package manager' };
      } catch (error) {
        const type = error instanceof Failure ? error.type : undefined;
        const remedy =
          type === 'Missing'
            ? ELSEWHERE
            : `correct the secret ${credentials} (user:password) or the account on ${url}`;
        return { ...common, state: type === 'Missing' ? 'note' : 'bad', found: messageOf(error), remedy };
      }
    }),
  );
}
