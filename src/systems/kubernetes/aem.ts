import type { KubernetesEnvironment } from '../../model/images.ts';
import {
  disruptionBudget,
  labelsFor,
  podDefaults,
  ports,
  selectorOf,
  service,
  variableSources,
} from './common.ts';

/** AEM's own page that needs no session and that only an instance that is up answers. */
const READY = '/libs/granite/core/content/login.html';
/** A first start unpacks AEM and installs every package. */
const STARTS_WITHIN_SECONDS = 60 * 60;
const STOPS_WITHIN_SECONDS = 5 * 60;
const PROBE_SECONDS = 10;

/**
 * Author or publish: a stateful set, as every instance has a repository of its own. A rollout replaces one instance
 * after the other, each when the one before is ready.
 */
export function aemInstance(workload: 'author' | 'publish', environment: KubernetesEnvironment): object[] {
  const probe = { httpGet: { path: READY, port: 'http' }, periodSeconds: PROBE_SECONDS, timeoutSeconds: 5 };
  return [
    service(workload),
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: workload, labels: labelsFor(workload) },
      spec: {
        serviceName: workload,
        // Two authors on one repository need a cluster of AEM's own, which this is not.
        replicas: workload === 'author' ? 1 : environment.replicas.publish,
        podManagementPolicy: 'OrderedReady',
        updateStrategy: { type: 'RollingUpdate' },
        selector: { matchLabels: selectorOf(workload) },
        template: {
          metadata: { labels: labelsFor(workload) },
          spec: {
            ...podDefaults(workload, environment),
            terminationGracePeriodSeconds: STOPS_WITHIN_SECONDS,
            containers: [
              {
                name: 'aem',
                image: 'aem',
                ports: [{ name: 'http', containerPort: ports[workload] }],
                envFrom: variableSources(workload, environment),
                startupProbe: { ...probe, failureThreshold: STARTS_WITHIN_SECONDS / PROBE_SECONDS },
                readinessProbe: { ...probe, failureThreshold: 3 },
                // An instance that is slow is not restarted: that would make it slower.
                livenessProbe: { tcpSocket: { port: 'http' }, periodSeconds: 30, failureThreshold: 10 },
                volumeMounts: [{ name: 'repository', mountPath: '/opt/aem/crx-quickstart/repository' }],
                securityContext: { allowPrivilegeEscalation: false },
              },
            ],
          },
        },
        volumeClaimTemplates: [
          {
            metadata: { name: 'repository' },
            spec: {
              accessModes: ['ReadWriteOnce'],
              resources: { requests: { storage: environment.repositorySize } },
            },
          },
        ],
      },
    },
    disruptionBudget(workload),
  ];
}
