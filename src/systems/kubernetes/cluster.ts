import type { ApiException, V1Pod } from '@kubernetes/client-node';
import type { Kubernetes } from '../../model/schema/kubernetes.ts';
import { Failure, messageOf } from '../failure.ts';
import type { Resource } from './render.ts';

export type ClusterAccess = Pick<Kubernetes, 'server' | 'certificateAuthority' | 'namespace' | 'token'>;

/** Who owns what Fairway applies (Kubernetes, "Server-Side Apply"). */
const FIELD_MANAGER = 'fairway';
const ANSWER_MS = 30_000;

/**
 * One namespace of a cluster, through Kubernetes' own client library. Every method throws Failure: `Denied` for a token
 * that is refused or expired or may not do it, `Rejected` with the server's words for what is not valid, `Unavailable`
 * when it does not answer, is busy or an object is being changed by somebody else; the signal's reason when it fired.
 * @param token the token itself
 */
export async function cluster(access: ClusterAccess, token: string, signal: AbortSignal) {
  // Loaded where it is used: it takes a second and 76 MB, and most workers never deploy to a cluster.
  const client = await import('@kubernetes/client-node');
  const config = new client.KubeConfig();
  const name = 'cluster';
  config.loadFromOptions({
    clusters: [
      {
        ...{ name, server: access.server },
        ...(access.certificateAuthority && {
          caData: Buffer.from(access.certificateAuthority).toString('base64'),
        }),
      },
    ],
    users: [{ name, token }],
    contexts: [{ name, cluster: name, user: name, namespace: access.namespace }],
    currentContext: name,
  });
  const library = new client.IsomorphicFetchHttpLibrary();
  const settings = client.createConfiguration({
    baseServer: new client.ServerConfiguration(access.server, {}),
    authMethods: { default: config },
    httpApi: client.wrapHttpLibrary({
      send(request) {
        request.setSignal(AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]));
        return library.send(request).toPromise();
      },
    }),
  });
  const objects = new client.KubernetesObjectApi(settings);
  const core = new client.CoreV1Api(settings);

  async function asking<T>(what: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      signal.throwIfAborted();
      throw translated(access, what, error);
    }
  }
  const patch = (resource: Resource, dryRun?: 'All') =>
    objects.patch(
      resource,
      ...([undefined, dryRun, FIELD_MANAGER, true, client.PatchStrategy.ServerSideApply] as const),
    );
  const isMissing = (error: unknown) => isAnswer(error) && error.code === 404;

  return {
    /** Server-side apply: creates it or makes it so, and takes what others changed of it. */
    apply: (resource: Resource): Promise<Resource> =>
      asking(`apply ${inWords(resource)}`, () => patch(resource)),

    /** Whether the cluster would take it; nothing is changed. */
    tryOut: async (resource: Resource): Promise<void> => {
      await asking(`try out ${inWords(resource)}`, () => patch(resource, 'All'));
    },

    /** Undefined when it is not there. */
    read: ({ apiVersion, kind, metadata: { name: named } }: Resource): Promise<Resource | undefined> =>
      asking(`read ${kind} ${named}`, () =>
        objects
          .read({ apiVersion, kind, metadata: { name: named, namespace: access.namespace } })
          .catch((error: unknown) => {
            if (isMissing(error)) return undefined;
            throw error;
          }),
      ) as Promise<Resource | undefined>,

    pods: (labels: Readonly<Record<string, string>>): Promise<readonly V1Pod[]> =>
      asking('list pods', async () => {
        const labelSelector = Object.entries(labels)
          .map(([key, value]) => `${key}=${value}`)
          .join(',');
        return (await core.listNamespacedPod({ namespace: access.namespace, labelSelector })).items;
      }),

    /** One that is gone already is no failure. */
    deletePod: (pod: string): Promise<void> =>
      asking(`delete pod ${pod}`, async () => {
        await core.deleteNamespacedPod({ namespace: access.namespace, name: pod }).catch((error: unknown) => {
          if (!isMissing(error)) throw error;
        });
      }),
  };
}

export type Cluster = Awaited<ReturnType<typeof cluster>>;

const isAnswer = (error: unknown): error is ApiException<unknown> =>
  error instanceof Error && 'code' in error && typeof error.code === 'number' && 'body' in error;

export const inWords = ({ kind, metadata }: Pick<Resource, 'kind' | 'metadata'>) =>
  `${kind} ${metadata.name}`;

/** Never the library's own words: they hold the headers of the request, and so the token. */
function translated({ server, namespace, token }: ClusterAccess, what: string, error: unknown): Failure {
  if (!isAnswer(error))
    return new Failure('Unavailable', `${server} does not answer (${what}): ${messageOf(error)}`);
  const { code } = error;
  const words = wordsOf(error.body);
  const said = `${server} (${what} in ${namespace}) answered ${code}: ${words}`;
  if (code === 401)
    return new Failure(
      'Denied',
      `${said}. The token is not valid or has expired: renew the secret ${token}.`,
    );
  if (code === 403)
    return new Failure('Denied', `${said}. Give the service account of the secret ${token} that right.`);
  if (code === 404) return new Failure('Missing', said);
  if ([408, 409, 429].includes(code) || code >= 500) return new Failure('Unavailable', said);
  return new Failure('Rejected', said);
}

/** A `Status` of Kubernetes, as JSON or already read. */
function wordsOf(body: unknown): string {
  let status = body;
  if (typeof body === 'string')
    try {
      status = JSON.parse(body);
    } catch {
      return body.slice(0, 300);
    }
  const { message } = (status ?? {}) as { message?: unknown };
  return typeof message === 'string' ? message.slice(0, 1000) : 'no reason given';
}
