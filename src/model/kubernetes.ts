import type { KubernetesEnvironment } from './images.ts';
import type { Environment } from './schema/definition.ts';
import type { Kubernetes } from './schema/kubernetes.ts';

/** What the configuration of an environment on a cluster is made of. */
export function kubernetesEnvironment(
  { id, name, type, probe }: Pick<Environment, 'id' | 'name' | 'type' | 'probe'>,
  { namespace, replicas, repositorySize, secrets, pullSecret, variables }: Kubernetes,
): KubernetesEnvironment {
  return { id, name, type, probe, namespace, replicas, repositorySize, secrets, pullSecret, variables };
}

/** The nodes of an environment on a cluster as tests reach them: each workload is one node to whoever is outside. */
export function nodesOnCluster({
  author,
  publish,
  dispatcher,
}: Kubernetes): Pick<Environment, 'author' | 'publish' | 'dispatchers'> {
  return {
    author: author ? [{ id: 'author', ...author }] : [],
    publish: publish ? [{ id: 'publish', ...publish }] : [],
    dispatchers: dispatcher
      ? [{ id: 'dispatcher', url: dispatcher.url, publish: 'publish', server: 'dispatcher' }]
      : [],
  };
}

/** The Kubernetes configuration that does what an environment of hosts does: as many of each, the same probe. */
export const kubernetesLikeHosts = (
  programId: string,
  { id, name, type, publish, dispatchers, probe }: Environment,
): KubernetesEnvironment => ({
  ...{ id, name, type, probe },
  namespace: `fairway-${programId}-${id}`,
  replicas: { publish: publish.length, dispatcher: dispatchers.length },
  repositorySize: '50Gi',
});
