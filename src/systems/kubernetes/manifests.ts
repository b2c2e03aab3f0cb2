import { stringify } from 'yaml';
import type { ImageRole, KubernetesEnvironment, Workload } from '../../model/images.ts';
import { workloads } from '../../model/images.ts';
import { aemInstance } from './aem.ts';
import { dispatcher } from './dispatcher.ts';
import { labelsFor, variablesOf } from './common.ts';

/** Where a cluster finds an image. */
export interface ImageReference {
  /** Registry and repository, without tag. */
  readonly name: string;
  /** `sha256:<hex>` */
  readonly digest: string;
}

const imageOf: Readonly<Record<Workload, ImageRole>> = {
  author: 'aem',
  publish: 'aem',
  dispatcher: 'dispatcher',
};

/**
 * The configuration of one environment: files by name, a folder of them is for `kubectl apply -k`. Images are named in
 * `kustomization.yaml` alone, by digest. What has no image has no workload. Secrets and the namespace are the
 * cluster's own: they are named and not made. A changed variable makes a new config map, and so a rollout.
 */
export function kubernetesConfiguration(
  programId: string,
  environment: KubernetesEnvironment,
  images: Readonly<Partial<Record<ImageRole, ImageReference>>>,
): Record<string, string> {
  const present = workloads.filter((workload) => images[imageOf[workload]]);
  const resources = Object.fromEntries(
    present.map((workload) => [
      `${workload}.yaml`,
      workload === 'dispatcher'
        ? dispatcher(environment, images.aem?.digest)
        : aemInstance(workload, environment),
    ]),
  );
  const files = Object.entries(resources).map(([name, documents]): [string, string] => [
    name,
    documents.map((document) => write(document)).join('---\n'),
  ]);
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    namespace: environment.namespace,
    commonAnnotations: { 'fairway/program': programId, 'fairway/environment': environment.id },
    resources: files.map(([name]) => name),
    configMapGenerator: present.map((workload) => ({
      name: workload,
      literals: Object.entries(variablesOf(workload, environment)).map(([name, value]) => `${name}=${value}`),
    })),
    generatorOptions: { labels: labelsFor() },
    images: Object.entries(images).map(([role, { name, digest }]) => ({ name: role, newName: name, digest })),
  };
  return { 'kustomization.yaml': write(kustomization), ...Object.fromEntries(files) };
}

/** Long strings stay on their line, and nothing is written as a reference to something above. */
const write = (document: unknown): string =>
  stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
