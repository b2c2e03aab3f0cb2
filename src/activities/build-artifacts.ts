import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { packageLabel, type Artifact, type StoredFile } from '../model/artifacts.ts';
import type { Flavour } from '../model/schema/definition.ts';
import { Failure } from '../systems/failure.ts';
import { readArtifact } from '../systems/packages/artifact.ts';
import type { Storage } from '../systems/storage/storage.ts';

/**
 * Brings every `target/*.zip` of a build to storage and says what each is. The same content twice is one artifact.
 * @param prefix where they go in storage: `<prefix>/<module path>/<file>`
 * @param log told before each zip, which may take minutes, and what it is
 * @param options.flavour of the program
 * @param options.deployable false where it is no fault when nothing can be deployed
 * @throws Failure `BuildFailed` when nothing can be deployed, `InvalidArtifact` for a zip that cannot be read or a
 * second dispatcher package; the signal's reason
 */
export async function collectArtifacts(
  folder: string,
  prefix: string,
  storage: Storage,
  log: (line: string) => void,
  {
    flavour,
    deployable = true,
    signal,
  }: { readonly flavour?: Flavour; readonly deployable?: boolean; readonly signal?: AbortSignal } = {},
): Promise<Artifact[]> {
  const artifacts: Artifact[] = [];
  const known = new Map<string, string>();
  const zips = await targetFiles(folder, '.zip');
  for (const [index, zip] of zips.entries()) {
    signal?.throwIfAborted();
    const path = relative(folder, zip);
    log(`${path}: checking, ${index + 1} of ${zips.length} (${(await stat(zip)).size} bytes)`);
    const sha256 = await sha256Of(zip, signal);
    const twin = known.get(sha256);
    if (twin) {
      log(`${path}: the same file as ${twin}, taken once`);
      continue;
    }
    known.set(sha256, path);
    const read = await readArtifact(zip, flavour, signal).catch((error: unknown) => {
      throw error instanceof Failure
        ? new Failure(error.type, `${path}: ${error.message}`, { cause: error, details: error.details })
        : error;
    });
    const file = await keep(zip, path, prefix, storage, signal);
    if (file.sha256 !== sha256)
      throw new Failure(
        'InvalidArtifact',
        `${path} changed while it was read: see what the build leaves running`,
      );
    const artifact = { ...read, path, file } as Artifact;
    artifacts.push(artifact);
    log(`${path}: ${verdict(artifact)} (${artifact.file.size} bytes, SHA-256 ${artifact.file.sha256})`);
  }
  const dispatchers = artifacts.filter(({ kind }) => kind === 'dispatcher').map(({ path }) => path);
  if (dispatchers.length > 1)
    throw new Failure(
      'InvalidArtifact',
      `the build produced ${dispatchers.length} dispatcher packages: ${dispatchers.join(', ')}; there may be one`,
    );
  if (deployable && artifacts.every(({ kind }) => kind === 'kept'))
    throw new Failure(
      'BuildFailed',
      'the build produced no package that can be deployed: no target/*.zip is an AEM or a dispatcher package',
      {
        details: artifacts.flatMap((kept) => (kept.kind === 'kept' ? [`${kept.path}: ${kept.reason}`] : [])),
      },
    );
  return artifacts;
}

function verdict(artifact: Artifact): string {
  if (artifact.kind === 'aem') return `AEM package ${packageLabel(artifact.package.id)}, to be deployed`;
  if (artifact.kind === 'dispatcher') return 'dispatcher package, to be deployed';
  return `kept, not deployed: ${artifact.reason}`;
}

/** Brings a file of a build to storage, as `<prefix>/<module path>/<file>`. */
export async function keep(
  file: string,
  path: string,
  prefix: string,
  storage: Storage,
  signal?: AbortSignal,
): Promise<StoredFile> {
  const module = dirname(dirname(path));
  const key = [prefix, ...(module === '.' ? [] : [module]), basename(path)].join('/');
  return storage.put(key, createReadStream(file, { signal })).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw error;
  });
}

/** Links are not followed: a build could point them at any file of this machine. */
export async function targetFiles(folder: string, ending: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter(
      (entry) => entry.isFile() && entry.name.endsWith(ending) && /(^|\/)target$/.test(entry.parentPath),
    )
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function sha256Of(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash, { signal }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw error;
  });
  return hash.digest('hex');
}
