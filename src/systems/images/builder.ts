import type { BaseImage } from '../../model/images.ts';

export interface ImageRecipe {
  /** Reference of the base image, or `scratch` for none. */
  readonly base: string;
  /** Folder whose content becomes one layer at `/`, owned by root. */
  readonly content: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What the image's history says of the layer. */
  readonly history: string;
}

export interface BuildOptions {
  /** The same for every attempt at this image; letters, digits and dashes. */
  readonly id: string;
  /** Folder for the result, an OCI image layout; there must be none yet. */
  readonly layout: string;
  readonly onLine: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface ContextBuild extends Omit<BuildOptions, 'layout'> {
  /** Folder with a `Dockerfile` and what it copies. */
  readonly context: string;
  /** More arguments of the builder: how the commands of the Dockerfile are isolated, where they may connect to. */
  readonly args: readonly string[];
  /** File for the result, which podman and docker load. */
  readonly archive: string;
}

export interface ImageInLayout {
  /** Of the manifest, `sha256:<hex>`. */
  readonly digest: string;
  /** Absent for `scratch`. */
  readonly base?: BaseImage;
}

/** Makes images. The same recipe with the same content gives the same digest, whenever and wherever it is built. */
export interface ImageBuilder {
  /** Its name and version, `buildah 1.28.2`. @throws Failure `Missing` when it does not work here */
  version(signal?: AbortSignal): Promise<string>;
  /**
   * Builds one image; apart from `layout` nothing of it stays on this machine, but for the base image.
   * @throws Failure `Missing`, `Denied` or `Unavailable` when the base image cannot be had, `Rejected` with the
   *   builder's own words; the signal's reason
   */
  build(recipe: ImageRecipe, options: BuildOptions): Promise<ImageInLayout>;
  /**
   * Builds the image that a Dockerfile describes; apart from `archive` nothing of it stays, but for base images.
   * @returns the name under which the archive is loaded
   * @throws Failure `InvalidArtifact`, `Denied` or `Unavailable` when a base image cannot be had, `Rejected` with the
   *   builder's own words; the signal's reason
   */
  buildContext(build: ContextBuild): Promise<string>;
  /** Removes what a dead attempt left. */
  clear(id: string): Promise<void>;
}

export const SCRATCH = 'scratch';
