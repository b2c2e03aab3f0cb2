import type { KubernetesEnvironment } from '../../model/images.ts';
import {
  disruptionBudget,
  DOCROOT,
  labelsFor,
  podDefaults,
  ports,
  selectorOf,
  service,
  variableSources,
} from './common.ts';

/** Until every proxy of the cluster has heard that a pod is about to end, requests still come to it. */
const DRAIN_SECONDS = 10;

/**
 * Dispatchers: a rollout starts a new one and takes an old one away only when the new one is ready. What they render
 * comes from another image: with another one they begin anew, and so do their caches.
 * @param renders digest of the image of the publish instances
 */
export function dispatcher(environment: KubernetesEnvironment, renders: string | undefined): object[] {
  const { path, host } = environment.probe;
  const page = { path, port: 'http', ...(host && { httpHeaders: [{ name: 'Host', value: host }] }) };
  return [
    service('dispatcher'),
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'dispatcher', labels: labelsFor('dispatcher') },
      spec: {
        replicas: environment.replicas.dispatcher,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        selector: { matchLabels: selectorOf('dispatcher') },
        template: {
          metadata: {
            labels: labelsFor('dispatcher'),
            ...(renders !== undefined && { annotations: { 'fairway/renders': renders } }),
          },
          spec: {
            ...podDefaults('dispatcher', environment),
            terminationGracePeriodSeconds: DRAIN_SECONDS + 30,
            containers: [
              {
                name: 'dispatcher',
                image: 'dispatcher',
                ports: [{ name: 'http', containerPort: ports.dispatcher }],
                env: [{ name: 'DISP_ID', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
                envFrom: variableSources('dispatcher', environment),
                readinessProbe: { httpGet: page, periodSeconds: 5, failureThreshold: 2, timeoutSeconds: 5 },
                // Not the page: it may come from a publish instance, whose absence no restart here mends.
                livenessProbe: { tcpSocket: { port: 'http' }, periodSeconds: 10, failureThreshold: 3 },
                lifecycle: { preStop: { exec: { command: ['sleep', String(DRAIN_SECONDS)] } } },
                volumeMounts: [{ name: 'cache', mountPath: DOCROOT }],
                securityContext: { allowPrivilegeEscalation: false },
              },
            ],
            volumes: [{ name: 'cache', emptyDir: {} }],
          },
        },
      },
    },
    disruptionBudget('dispatcher'),
  ];
}
