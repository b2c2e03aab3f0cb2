import type { KubernetesEnvironment, Workload } from '../../model/images.ts';

/** What services and workloads find each other by. */
export const selectorOf = (workload: Workload) => ({
  'app.kubernetes.io/name': workload,
  'app.kubernetes.io/part-of': 'aem',
});

export const labelsFor = (workload?: Workload) => ({
  ...(workload ? selectorOf(workload) : { 'app.kubernetes.io/part-of': 'aem' }),
  'app.kubernetes.io/managed-by': 'fairway',
});

/** AEM's own ports, and where a dispatcher listens. */
export const ports: Readonly<Record<Workload, number>> = { author: 4502, publish: 4503, dispatcher: 80 };

/**
 * Variables of a workload, the environment's own last. `CQ_RUNMODE` and `CQ_PORT` are those of AEM's start script
 * (`crx-quickstart/bin/start`), the dispatcher's those of Managed Services' `/etc/sysconfig/httpd`.
 */
export function variablesOf(workload: Workload, environment: KubernetesEnvironment): Record<string, string> {
  const own = environment.variables?.[workload];
  if (workload !== 'dispatcher')
    return { CQ_RUNMODE: `${workload},${environment.type}`, CQ_PORT: String(ports[workload]), ...own };
  return {
    AUTHOR_IP: 'author',
    AUTHOR_PORT: String(ports.author),
    PUBLISH_IP: 'publish',
    PUBLISH_PORT: String(ports.publish),
    PUBLISH_DOCROOT: DOCROOT,
    ...own,
  };
}

/** The dispatcher's cache. */
export const DOCROOT = '/mnt/var/www/html';

/** All of a workload's variables: those in its config map, then those in its secret. */
export const variableSources = (workload: Workload, { secrets }: KubernetesEnvironment) => [
  { configMapRef: { name: workload } },
  ...(secrets?.[workload] ? [{ secretRef: { name: secrets[workload] } }] : []),
];

/** What every pod of a workload has. */
export const podDefaults = (workload: Workload, { pullSecret }: KubernetesEnvironment) => ({
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  ...(pullSecret && { imagePullSecrets: [{ name: pullSecret }] }),
  // On different machines as far as there are any, so that one of them may fail.
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: 'kubernetes.io/hostname',
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: { matchLabels: selectorOf(workload) },
    },
  ],
});

export const service = (workload: Workload, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: workload, labels: labelsFor(workload) },
  spec: {
    selector: selectorOf(workload),
    ports: [{ name: 'http', port: ports[workload], targetPort: 'http' }],
    ...more,
  },
});

/** Maintenance of the cluster takes one pod at a time. */
export const disruptionBudget = (workload: Workload) => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: workload, labels: labelsFor(workload) },
  spec: { maxUnavailable: 1, selector: { matchLabels: selectorOf(workload) } },
});
