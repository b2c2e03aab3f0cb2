import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackageDependency, PackageId } from '../../model/artifacts.ts';
import type { FilterRoot } from './repository.ts';

/** A package that the stand-in knows, installed or only uploaded. */
export interface PackageRecord extends PackageId {
  /** Repository path, `/etc/packages/<group>/<name>-<version>.zip`. */
  readonly path: string;
  /** Name of the zip in the stand-in's folder. */
  readonly file: string;
  readonly size: number;
  /** Milliseconds since 1970, as the package says; 0 when it does not. */
  readonly created: number;
  readonly uploaded: number;
  /** 0 until it is installed. */
  lastUnpacked: number;
  readonly dependencies: readonly PackageDependency[];
  readonly filter: readonly FilterRoot[];
  readonly container: boolean;
}

export interface BundleRecord {
  readonly id: number;
  readonly symbolicName: string;
  readonly version: string;
  readonly fragment: boolean;
  readonly lazy: boolean;
  readonly imports: readonly string[];
  readonly exports: readonly string[];
  readonly capabilitiesNeeded: readonly string[];
  readonly capabilitiesGiven: readonly string[];
  state: number;
}

/** What the installer made of a file in an install folder. */
export interface InstalledResource {
  readonly sha256: string;
  readonly bundle?: string;
  readonly package?: string;
}

export interface State {
  packages: PackageRecord[];
  bundles: BundleRecord[];
  /** By repository path. */
  resources: Record<string, InstalledResource>;
}

const STATE = 'state.json';

/** The stand-in's folder: state, zips, repository and snapshots. Survives a restart. */
export class Store {
  readonly state: State;
  readonly #folder: string;
  #writing: Promise<void> = Promise.resolve();

  private constructor(folder: string, state: State) {
    this.#folder = folder;
    this.state = state;
  }

  static async open(folder: string): Promise<Store> {
    for (const name of ['zips', 'uploads', 'repository', 'snapshots'])
      await mkdir(join(folder, name), { recursive: true });
    try {
      return new Store(folder, JSON.parse(await readFile(join(folder, STATE), 'utf8')) as State);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return new Store(folder, { packages: [], bundles: [], resources: {} });
    }
  }

  folder(name: 'zips' | 'uploads' | 'repository' | 'snapshots'): string {
    return join(this.#folder, name);
  }

  zip(record: PackageRecord): string {
    return join(this.#folder, 'zips', record.file);
  }

  find(path: string): PackageRecord | undefined {
    return this.state.packages.find((record) => record.path === path);
  }

  /** Writes the state as a whole; one write at a time. */
  save(): Promise<void> {
    const write = async () => {
      const path = join(this.#folder, STATE);
      await writeFile(`${path}.new`, JSON.stringify(this.state, undefined, 1));
      await rename(`${path}.new`, path);
    };
    this.#writing = this.#writing.then(write, write);
    return this.#writing;
  }
}
