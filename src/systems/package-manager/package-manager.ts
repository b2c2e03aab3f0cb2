import type { PackageId } from '../../model/artifacts.ts';

/** A package as the instance lists it. */
export interface ListedPackage extends PackageId {
  /** Repository path, `/etc/packages/...`. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** The instance's clock, milliseconds since 1970; 0 when the package is uploaded only. */
  readonly lastUnpacked: number;
}

/** OSGi's states, as the web console numbers them. */
export const bundleStates = {
  uninstalled: 1,
  installed: 2,
  resolved: 4,
  starting: 8,
  stopping: 16,
  active: 32,
} as const;

export interface Bundle {
  readonly id: number;
  readonly symbolicName: string;
  readonly version: string;
  readonly fragment: boolean;
  /** One of `bundleStates`. */
  readonly state: number;
  /** The console's word for it: `Installed`. */
  readonly stateName: string;
}

export interface BundleDetails {
  /** Started when a class of it is first used; until then it is Starting, and well. */
  readonly lazy: boolean;
  /** What the console says about imports that cannot be resolved. */
  readonly problems: readonly string[];
}

/** What is being done about the bundles and packages inside packages. */
export interface InstallerStatus {
  /** No work is left that can be done. The installer knows nothing of content that it has not noticed yet. */
  readonly finished: boolean;
  readonly itemCount: number;
  /** What it has given up, `group:name` or a symbolic name, where the server tells; older attempts among them. */
  readonly failures?: readonly { readonly name: string; readonly reason: string }[];
}

export interface UploadOptions {
  /** Ends the upload at once. */
  readonly signal?: AbortSignal;
  /** Called with the bytes sent so far. */
  readonly onSent?: (bytes: number) => void;
}

/**
 * The package manager of one instance, with the console's view of its bundles.
 *
 * Every method throws Failure: `Denied` when the credentials are not accepted, `Unavailable` when the instance or its
 * package manager does not answer or is restarting, `Rejected` with AEM's own lines when it refuses what it was given.
 */
export interface PackageManager {
  /** For messages: the URL of the instance. */
  readonly name: string;
  list(signal?: AbortSignal): Promise<readonly ListedPackage[]>;
  status(signal?: AbortSignal): Promise<InstallerStatus>;
  bundles(signal?: AbortSignal): Promise<readonly Bundle[]>;
  bundle(id: number, signal?: AbortSignal): Promise<BundleDetails>;
  /**
   * Uploads a zip, replacing a package of the same version; memory does not grow with its size.
   * @returns the path that it has in the repository. @throws LostAnswer
   */
  upload(file: string, options?: UploadOptions): Promise<{ readonly path: string }>;
  /**
   * Installs an uploaded package with the packages below `/etc/packages` inside it. May take as long as AEM takes.
   * @returns the end of AEM's log. @throws LostAnswer; Failure `Rejected` also when it was imported with errors
   */
  install(path: string, signal?: AbortSignal): Promise<readonly string[]>;
  uninstall(path: string, signal?: AbortSignal): Promise<void>;
  remove(path: string, signal?: AbortSignal): Promise<void>;
}
