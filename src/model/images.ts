import type { Artifact, StoredFile } from './artifacts.ts';

/** What the step Build Images is given and gives. */
export interface BuildImagesInput {
  readonly programId: string;
  readonly pipelineId: string;
  readonly executionId: string;
  /** Full commit hash that was built. */
  readonly commit: string;
  /** URL of the repository, without credentials: it becomes a label that everybody can read. */
  readonly repository: string;
  /** `<year>.<monthday>.<time>.<10-digit execution id>`; absent: the build is not versioned. */
  readonly artifactsVersion?: string;
  readonly artifacts: readonly Artifact[];
  /** Each gets Kubernetes configuration of its own. */
  readonly environments: readonly KubernetesEnvironment[];
  readonly log: string;
}

export type ImageRole = 'aem' | 'dispatcher';

/** An image in storage. */
export interface BuiltImage {
  readonly role: ImageRole;
  /** Where clusters find it: registry and repository, without tag. */
  readonly name: string;
  /** Of the image's manifest, `sha256:<hex>`: the same input gives the same one. */
  readonly digest: string;
  /** An OCI archive, `oci-archive:` to podman, skopeo and others. */
  readonly archive: StoredFile;
  /** CycloneDX, JSON. */
  readonly billOfMaterials: StoredFile;
  /** What it was built on; absent for `scratch`. */
  readonly base?: BaseImage;
}

export interface BaseImage {
  readonly name: string;
  /** `sha256:<hex>` */
  readonly digest: string;
}

export interface BuildImagesOutput {
  /** The builder's name and version. */
  readonly builder: string;
  readonly images: readonly BuiltImage[];
  /** Whether the images were brought to their registry, where clusters find them. */
  readonly pushed: boolean;
  readonly kubernetes: readonly {
    readonly environmentId: string;
    /** One of them is `kustomization.yaml`. */
    readonly files: readonly StoredFile[];
  }[];
}

/** What Kubernetes configuration is made of, besides the images. */
export interface KubernetesEnvironment {
  readonly id: string;
  /** For people. */
  readonly name: string;
  readonly type: 'dev' | 'stage' | 'prod';
  /** Namespace of everything. */
  readonly namespace: string;
  /** How many publish instances and dispatchers run. */
  readonly replicas: { readonly publish: number; readonly dispatcher: number };
  /** Size of the volume that holds the repository of one AEM instance, `50Gi`. */
  readonly repositorySize: string;
  /** A page that every healthy dispatcher answers with 200, and for which host. */
  readonly probe: { readonly path: string; readonly host?: string };
  /** Names of Kubernetes secrets whose entries become variables of a workload; they are not made here. */
  readonly secrets?: Readonly<Partial<Record<Workload, string>>>;
  /** Name of the Kubernetes secret with the registry's credentials. */
  readonly pullSecret?: string;
  /** Variables of a workload that are no secrets. */
  readonly variables?: Readonly<Partial<Record<Workload, Readonly<Record<string, string>>>>>;
}

/** As much of a digest as tells images apart on a page. */
const SHOWN = 'sha256:'.length + 12;

/** `aem sha256:0123456789ab, dispatcher sha256:...` */
export const imagesInWords = (images: readonly Pick<BuiltImage, 'role' | 'digest'>[]): string =>
  images.map(({ role, digest }) => `${role} ${digest.slice(0, SHOWN)}`).join(', ');

export const workloads = ['author', 'publish', 'dispatcher'] as const;
export type Workload = (typeof workloads)[number];
