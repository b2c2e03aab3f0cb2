import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { Resource } from '../../src/systems/kubernetes/render.ts';
import { run } from '../../src/systems/process.ts';

const kinds: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  v1: { ConfigMap: 'configmaps', Service: 'services', Pod: 'pods' },
  'apps/v1': { StatefulSet: 'statefulsets', Deployment: 'deployments' },
  'policy/v1': { PodDisruptionBudget: 'poddisruptionbudgets' },
};

interface Pod {
  readonly name: string;
  readonly revision: string;
  readonly image: string;
  ready: boolean;
}
interface Workload {
  readonly kind: string;
  readonly spec: {
    readonly replicas: number;
    readonly selector: { readonly matchLabels: Record<string, string> };
    readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } };
  };
  generation: number;
  observed: number;
  pods: Pod[];
}

/** A namespace of a cluster as far as a deployment meets it. Its controllers do one thing each time they are looked at. */
export class KubernetesApi {
  static async start(token: string): Promise<KubernetesApi> {
    const { key, certificate } = await selfSigned();
    const server = createServer({ key, cert: certificate }, (request, response) => {
      void api.#answer(request).then(
        ([code, body]) =>
          response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
        (error: Error) => response.writeHead(500).end(error.message),
      );
    });
    const api = new KubernetesApi(token, certificate, server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    return api;
  }

  /** What the server takes; another one is expired. */
  token: string;
  /** Pods of an image that contains this text never become ready; a deployment of them is given up. */
  broken = 'none';
  /** Answers that the next changes get instead of their own, oldest first. */
  readonly refusals: number[] = [];
  /** The same for the next questions. */
  readonly outages: number[] = [];
  /** Objects that were applied, in order: `StatefulSet author`. */
  readonly applied: string[] = [];
  readonly objects = new Map<string, Resource>();
  readonly #workloads = new Map<string, Workload>();
  /** Its own, PEM. */
  readonly certificate: string;
  readonly #server: Server;
  #pods = 0;

  private constructor(token: string, certificate: string, server: Server) {
    this.token = token;
    this.certificate = certificate;
    this.#server = server;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  /** Images of the pods of a workload that serve. */
  serving(name: string): string[] {
    const { pods } = [...this.#workloads].find(([path]) => path.endsWith(`/${name}`))![1];
    return pods.filter(({ ready }) => ready).map(({ image }) => image);
  }

  async #answer(request: IncomingMessage): Promise<[number, unknown]> {
    const status = (code: number, message: string): [number, unknown] => [
      code,
      { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code },
    ];
    if (request.headers.authorization !== `Bearer ${this.token}`) return status(401, 'Unauthorized');
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    const version = /^\/apis?\/(v1|apps\/v1|policy\/v1)$/.exec(pathname)?.[1];
    if (version) {
      const resources = Object.entries(kinds[version]!).map(([kind, name]) => ({
        ...{ kind, name, namespaced: true, singularName: '', verbs: [] },
      }));
      return [200, { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: version, resources }];
    }
    if (!pathname.includes('/namespaces/site/')) return status(404, 'namespaces "other" not found');
    if (request.method === 'PATCH') {
      const refusal = this.refusals.shift();
      if (refusal) return status(refusal, `refused for a test (${refusal})`);
      if (
        request.headers['content-type'] !== 'application/apply-patch+yaml' ||
        !searchParams.get('fieldManager')
      )
        return status(415, 'this is no server-side apply');
      const resource = (await json(request)) as Resource;
      return [200, searchParams.get('dryRun') === 'All' ? resource : this.#apply(pathname, resource)];
    }
    const outage = this.outages.shift();
    if (outage) return status(outage, `out of order for a test (${outage})`);
    if (request.method === 'DELETE') {
      const name = pathname.slice(pathname.lastIndexOf('/') + 1);
      for (const workload of this.#workloads.values())
        workload.pods = workload.pods.map((pod) =>
          pod.name === name ? { ...pod, ...latest(workload), ready: false } : pod,
        );
      return [200, { kind: 'Status', apiVersion: 'v1', status: 'Success' }];
    }
    if (pathname.endsWith('/pods')) return [200, this.#podList(searchParams.get('labelSelector') ?? '')];
    const found = this.objects.get(pathname);
    if (!found) return status(404, `${pathname} not found`);
    const workload = this.#workloads.get(pathname);
    if (workload) this.#step(workload);
    return [200, workload ? this.#withStatus(found, workload) : found];
  }

  #apply(path: string, resource: Resource): Resource {
    const { kind, metadata } = resource;
    this.applied.push(`${kind} ${metadata.name}`);
    this.objects.set(path, resource);
    if (kind !== 'StatefulSet' && kind !== 'Deployment') return resource;
    const spec = resource.spec as Workload['spec'];
    const before = this.#workloads.get(path);
    const same = before && JSON.stringify(before.spec) === JSON.stringify(spec);
    const { generation = 0, observed = 0, pods = [] } = before ?? {};
    const workload = { kind, spec, generation: same ? generation : generation + 1, observed, pods };
    this.#workloads.set(path, workload);
    return this.#withStatus(resource, workload);
  }

  #step(workload: Workload): void {
    const { kind, spec, pods, observed, generation } = workload;
    if (observed < generation) {
      workload.observed = generation;
      return;
    }
    const now = latest(workload);
    const fresh = (name: string): Pod => ({ name, ...now, ready: false });
    const starting = pods.find(({ ready }) => !ready);
    if (starting) {
      // A deployment gives up what it was told to give up; a stateful set waits for its pod, whatever it is told.
      if (kind === 'Deployment' && starting.revision !== now.revision)
        workload.pods = pods.filter((pod) => pod !== starting);
      else starting.ready = !starting.image.includes(this.broken);
      return;
    }
    const old = pods.find(({ revision }) => revision !== now.revision);
    const name = `${kind.toLowerCase()}-${++this.#pods}`;
    if (pods.length < spec.replicas || (old && kind === 'Deployment' && pods.length === spec.replicas))
      workload.pods = [...pods, fresh(name)];
    else if (old)
      workload.pods =
        kind === 'Deployment'
          ? pods.filter((pod) => pod !== old)
          : pods.map((pod) => (pod === old ? fresh(pod.name) : pod));
  }

  #withStatus(resource: Resource, workload: Workload): Resource {
    const { kind, generation, observed, pods } = workload;
    const { revision } = latest(workload);
    const ready = pods.filter((pod) => pod.ready).length;
    const isStuck = pods.some((pod) => pod.revision === revision && pod.image.includes(this.broken));
    const givenUp = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' };
    return {
      ...resource,
      metadata: { ...resource.metadata, ...{ generation, resourceVersion: '7', uid: 'u' } },
      status: {
        ...{ observedGeneration: observed, replicas: pods.length, updateRevision: revision },
        updatedReplicas: pods.filter((pod) => pod.revision === revision).length,
        ...{ readyReplicas: ready, availableReplicas: ready },
        conditions: kind === 'Deployment' && isStuck ? [givenUp] : [],
      },
    };
  }

  #podList(selector: string): unknown {
    const wanted = (workload: Workload) =>
      Object.entries(workload.spec.selector.matchLabels).every(([key, value]) =>
        selector.split(',').includes(`${key}=${value}`),
      );
    const items = [...this.#workloads.values()].filter(wanted).flatMap(({ pods }) =>
      pods.map(({ name, revision, ready }) => ({
        metadata: { name, labels: { 'controller-revision-hash': revision } },
        status: {
          conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
          containerStatuses: ready
            ? []
            : [{ name: 'c', state: { waiting: { reason: 'ImagePullBackOff', message: 'cannot pull it' } } }],
        },
      })),
    );
    return { kind: 'PodList', apiVersion: 'v1', metadata: {}, items };
  }
}

async function selfSigned(): Promise<{ readonly key: string; readonly certificate: string }> {
  const { code, stdout, stderr } = await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/CN=cluster', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', '-'],
  ]);
  if (code !== 0) throw new Error(stderr);
  const at = stdout.indexOf('-----BEGIN CERTIFICATE');
  return { key: stdout.slice(0, at), certificate: stdout.slice(at) };
}

const latest = ({ spec: { template } }: Workload) => ({
  revision: createHash('sha256').update(JSON.stringify(template)).digest('hex').slice(0, 10),
  image: template.spec.containers[0]!.image,
});
