import { cluster, type ClusterAccess } from './cluster.ts';

/**
 * Whether a cluster answers, takes the token and lets a deployment to the namespace begin. Nothing is changed there: what
 * would be is only tried out.
 * @param token the token itself
 * @throws Failure as every call of `cluster` does
 */
export async function askCluster(access: ClusterAccess, token: string, signal: AbortSignal): Promise<void> {
  const there = await cluster(access, token, signal);
  const { namespace } = access;
  const metadata = { name: 'fairway-asks', namespace };
  await there.tryOut({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: {} });
  await there.read({ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'author', namespace } });
  await there.pods({ 'app.kubernetes.io/part-of': 'aem' });
}

/** What to do about a cluster that cannot be deployed to. */
export const clusterRemedy = ({ server, token }: ClusterAccess): string =>
  `see to the cluster at ${server}, the namespace, and the service account of the secret ${token}`;
