import type { BuildImagesOutput, KubernetesEnvironment } from './images.ts';
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

/** An environment as tests reach its nodes; `balanced`: one address stands for several of them. */
export const reachable = (environment: Environment): { environment: Environment; balanced: boolean } => {
  const { kubernetes } = environment;
  return kubernetes
    ? { environment: { ...environment, ...nodesOnCluster(kubernetes) }, balanced: true }
    : { environment, balanced: false };
};

/** What Build Images makes configuration for: as the environment says, or what does as much as its hosts do. */
export const configured = (programId: string, environment: Environment): KubernetesEnvironment =>
  environment.kubernetes
    ? kubernetesEnvironment(environment, environment.kubernetes)
    : likeHosts(programId, environment);

/** As many of each, the same probe. */
const likeHosts = (
  programId: string,
  { id, name, type, publish, dispatchers, probe }: Environment,
): KubernetesEnvironment => ({
  ...{ id, name, type, probe },
  namespace: `fairway-${programId}-${id}`,
  replicas: { publish: publish.length, dispatcher: dispatchers.length },
  repositorySize: '50Gi',
});

/** Why what an execution built cannot be deployed to this environment, which is on a cluster. */
export function imagesRefusal(
  { id, name }: Pick<Environment, 'id' | 'name'>,
  images: BuildImagesOutput | undefined,
): string | undefined {
  const what = `environment ${id} (${name}) is on a cluster`;
  if (!images || !images.kubernetes.some(({ environmentId }) => environmentId === id))
    return `${what}, and no images were built for it`;
  if (!images.pushed) return `${what}, which finds images in their registry alone, and these were not pushed`;
  return images.images.length === 0 ? `${what}, and the build left nothing to put into an image` : undefined;
}

/** Why an environment on a cluster is not repaired from here. */
export const clusterRepairsItself = ({ id, name }: Pick<Environment, 'id' | 'name'>): string =>
  `environment ${id} (${name}) is on a cluster, which repairs its nodes by itself: to change what it runs, deploy to it`;
