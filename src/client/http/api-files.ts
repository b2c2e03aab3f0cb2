import type { Readable } from 'node:stream';
import type { PackageId, StoredFile } from '../../model/artifacts.ts';
import { copyChecked } from '../../systems/storage/copy.ts';
import { FairwayError } from '../fairway-error.ts';
import type { ReadStorage } from '../read-files.ts';
import type { ApiRequests } from './request.ts';

/** A file of a step as the API lists it. */
export interface ApiArtifact {
  readonly kind: 'log' | 'aem' | 'dispatcher' | 'kept' | 'results' | 'findings';
  readonly key: string;
  readonly path: string;
  readonly package?: PackageId;
  readonly sha256?: string;
  readonly size?: number;
  readonly _links: { readonly self: { readonly href: string } };
}

export const storedFile = ({ key, sha256 = '', size = 0 }: ApiArtifact): StoredFile => ({
  key,
  sha256,
  size,
});

/** The storage behind the API, by the links to its files. */
export class ApiStorage implements ReadStorage {
  private readonly requests: ApiRequests;
  /** By key: where the API gives a link to the file. */
  private readonly paths = new Map<string, string>();
  /** By key: a link lasts for hours, and a log is asked for many times. */
  private readonly links = new Map<string, Promise<{ readonly redirect: string }>>();

  constructor(requests: ApiRequests) {
    this.requests = requests;
  }

  isAt(key: string, path: string): void {
    this.paths.set(key, path);
  }

  async size(key: string): Promise<number | undefined> {
    return this.requests.sizeOf(await this.link(key));
  }

  async get(key: string, from = 0): Promise<Readable> {
    return this.requests.file(await this.link(key), from);
  }

  async fetch(file: StoredFile, path: string, signal?: AbortSignal): Promise<void> {
    await copyChecked(file, await this.get(file.key), path, signal);
  }

  private async link(key: string): Promise<string> {
    const path = this.paths.get(key);
    if (path === undefined) throw new FairwayError('notFound', `the API was not asked for ${key}`);
    const link = this.links.get(key) ?? this.requests.get<{ readonly redirect: string }>(path);
    this.links.set(key, link);
    return (await link).redirect;
  }
}
