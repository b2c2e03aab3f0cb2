/** What a build leaves behind: zips in storage, told apart and read. */

/** A file in storage. Workflows carry this, never the bytes. */
export interface StoredFile {
  /** Key in storage, `<programId>/<pipelineId>/<executionId>/...`. */
  readonly key: string;
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

export interface PackageId {
  readonly group: string;
  readonly name: string;
  readonly version: string;
}

/** One entry of a package's `dependencies`: the range is as written, empty for any version. */
export interface PackageDependency {
  readonly group: string;
  readonly name: string;
  readonly range: string;
  /** Label of the embedded package that asks for it; absent when the package itself does. */
  readonly requiredBy?: string;
}

/** What `META-INF/vault` says of a package that is to be deployed. */
export interface AemPackage {
  readonly id: PackageId;
  /** Its own, and those of embedded packages that nothing inside this package satisfies. */
  readonly dependencies: readonly PackageDependency[];
  readonly packageType?: 'application' | 'content' | 'container' | 'mixed';
  /** Packages inside this one, at any depth: they count as provided by it. */
  readonly embedded: readonly PackageId[];
  /** Symbolic names of the OSGi bundles inside this package or a package embedded in it. */
  readonly bundles: readonly string[];
  /** Of `embedded` and `bundles`, what only instances of certain run modes take; absent when all take everything. */
  readonly runModeSpecific?: { readonly packages: readonly PackageId[]; readonly bundles: readonly string[] };
}

export interface AemArtifact {
  readonly kind: 'aem';
  /** Path inside the build, `all/target/site.all-1.0.0.zip`. */
  readonly path: string;
  readonly file: StoredFile;
  readonly package: AemPackage;
}

export interface DispatcherArtifact {
  readonly kind: 'dispatcher';
  /** It holds `conf.d` and `conf.dispatcher.d` only: the rest are the host's defaults. Absent: it holds the full set. */
  readonly flavour?: 'aem_cloud_service';
  readonly path: string;
  readonly file: StoredFile;
}

/** Kept, listed, not deployed. */
export interface KeptArtifact {
  readonly kind: 'kept';
  readonly path: string;
  readonly file: StoredFile;
  /** Why it is not deployed, for the log and the execution's details. */
  readonly reason: string;
  /** It holds tests for Custom Functional Testing or Custom UI Testing, which runs it. */
  readonly test?: 'functional' | 'ui';
}

export type Artifact = AemArtifact | DispatcherArtifact | KeptArtifact;

/** The tests that the build brought for Custom Functional Testing; a build has one JAR of them or none. */
export const testJarOf = (artifacts: readonly Artifact[]): KeptArtifact | undefined =>
  testsOf(artifacts, 'functional');

/** Those for Custom UI Testing: one Docker context or none. */
export const uiTestsOf = (artifacts: readonly Artifact[]): KeptArtifact | undefined =>
  testsOf(artifacts, 'ui');

const testsOf = (artifacts: readonly Artifact[], test: KeptArtifact['test']) =>
  artifacts.find((artifact): artifact is KeptArtifact => artifact.kind === 'kept' && artifact.test === test);

/** `group:name:version` */
export const packageLabel = ({ group, name, version }: PackageId): string => `${group}:${name}:${version}`;
