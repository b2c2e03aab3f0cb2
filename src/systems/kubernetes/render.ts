import { createHash } from 'node:crypto';
import { parse, parseAllDocuments } from 'yaml';
import { Failure } from '../failure.ts';

/** An object of Kubernetes, as far as it is looked at here. */
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

interface Kustomization {
  readonly namespace: string;
  readonly commonAnnotations: Readonly<Record<string, string>>;
  readonly resources: readonly string[];
  readonly configMapGenerator: readonly { readonly name: string; readonly literals: readonly string[] }[];
  readonly generatorOptions: { readonly labels: Readonly<Record<string, string>> };
  readonly images: readonly { readonly name: string; readonly newName: string; readonly digest: string }[];
}

/**
 * What `kubectl apply -k` would send of a configuration that `kubernetesConfiguration` made: config maps first, then the
 * rest in order. Config maps are named by their content, so a changed one starts a rollout and the one before stays.
 * @throws Failure `InvalidArtifact` when it is something else
 */
export function renderConfiguration(files: Readonly<Record<string, string>>): Resource[] {
  const kustomization = parse(files['kustomization.yaml'] ?? '') as Kustomization | null;
  if (kustomization?.namespace === undefined)
    throw new Failure(
      'InvalidArtifact',
      'the Kubernetes configuration has no kustomization.yaml with a namespace',
    );
  const { namespace, commonAnnotations, generatorOptions } = kustomization;
  const maps = kustomization.configMapGenerator.map(({ name, literals }): Resource => {
    const data = Object.fromEntries(
      literals.map((literal) => [
        literal.slice(0, literal.indexOf('=')),
        literal.slice(literal.indexOf('=') + 1),
      ]),
    );
    const hash = createHash('sha256')
      .update(JSON.stringify(Object.entries(data).sort()))
      .digest('hex');
    return {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `${name}-${hash.slice(0, 10)}`, ...generatorOptions },
      data,
    };
  });
  const mapNames = new Map(
    kustomization.configMapGenerator.map(({ name }, index) => [name, maps[index]!.metadata.name]),
  );
  const images = new Map(
    kustomization.images.map(({ name, newName, digest }) => [name, `${newName}@${digest}`]),
  );
  const rest = kustomization.resources.flatMap((name) => {
    const text = files[name];
    if (text === undefined)
      throw new Failure('InvalidArtifact', `the Kubernetes configuration names ${name}, which is not there`);
    return parseAllDocuments(text).map((document) => document.toJS() as Resource);
  });
  return [...maps, ...rest].map((resource) => ({
    ...(withImages(resource, mapNames, images, commonAnnotations) as Resource),
    metadata: { ...resource.metadata, namespace, annotations: commonAnnotations },
  }));
}

/** Which part of a deployment an object belongs to; config maps are named by their content and come first. */
export const partOf = ({ metadata: { labels } }: Resource): 'aem' | 'dispatcher' =>
  labels?.['app.kubernetes.io/name'] === 'dispatcher' ? 'dispatcher' : 'aem';

interface PodTemplate {
  readonly metadata: { readonly annotations?: object };
  readonly spec: { readonly containers: readonly Container[] };
}
interface Container {
  readonly image: string;
  readonly envFrom?: readonly { readonly configMapRef?: { readonly name: string } }[];
}

function withImages(
  resource: Resource,
  mapNames: ReadonlyMap<string, string>,
  images: ReadonlyMap<string, string>,
  annotations: object,
): object {
  const spec = resource.spec as { readonly template?: PodTemplate } | undefined;
  if (!spec?.template) return resource;
  const { metadata, spec: pod } = spec.template;
  const containers = pod.containers.map((container) => ({
    ...container,
    image: images.get(container.image) ?? container.image,
    envFrom: container.envFrom?.map((source) =>
      source.configMapRef
        ? { configMapRef: { name: mapNames.get(source.configMapRef.name) ?? source.configMapRef.name } }
        : source,
    ),
  }));
  return {
    ...resource,
    spec: {
      ...spec,
      template: {
        metadata: { ...metadata, annotations: { ...metadata.annotations, ...annotations } },
        spec: { ...pod, containers },
      },
    },
  };
}
