import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { packageLabel, type Artifact } from '../model/artifacts.ts';
import { Failure } from '../systems/failure.ts';
import { readArtifact } from '../systems/packages/artifact.ts';
import type { Storage } from '../systems/storage/storage.ts';

/**
 * Brings every `target/*.zip` of a build to storage and says what each is. The same content twice is one artifact.
 * @param prefix where they go in storage: `<prefix>/<module path>/<file>`
 * @throws Failure `BuildFailed` when nothing can be deployed, `InvalidArtifact` for a zip that cannot be read or a
 * second dispatcher package
 */
export async function collectArtifacts(
  folder: string,
  prefix: string,
  storage: Storage,
  log: (line: string) => void,
): Promise<Artifact[]> {
  const artifacts: Artifact[] = [];
  const known = new Map<string, string>();
  for (const zip of await targetZips(folder)) {
    const path = relative(folder, zip);
    const sha256 = await sha256Of(zip);
    const twin = known.get(sha256);
    if (twin) {
      log(`${path}: the same file as ${twin}, taken once`);
      continue;
    }
    known.set(sha256, path);
    const read = await readArtifact(zip).catch((error: unknown) => {
      throw error instanceof Failure
        ? new Failure(error.type, `${path}: ${error.message}`, { cause: error, details: error.details })
        : error;
    });
    const module = dirname(dirname(path));
    const key = [prefix, ...(module === '.' ? [] : [module]), path.slice(dirname(path).length + 1)].join('/');
    const artifact = { ...read, path, file: await storage.put(key, createReadStream(zip)) } as Artifact;
    artifacts.push(artifact);
    log(`${path}: ${verdict(artifact)} (${artifact.file.size} bytes, SHA-256 ${artifact.file.sha256})`);
  }
  const dispatchers = artifacts.filter(({ kind }) => kind === 'dispatcher').map(({ path }) => path);
  if (dispatchers.length > 1)
    throw new Failure(
      'InvalidArtifact',
      `the build produced ${dispatchers.length} dispatcher packages: ${dispatchers.join(', ')}; there may be one`,
    );
  if (artifacts.every(({ kind }) => kind === 'kept'))
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

/** Links are not followed: a build could point them at any file of this machine. */
async function targetZips(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter(
      (entry) => entry.isFile() && entry.name.endsWith('.zip') && /(^|\/)target$/.test(entry.parentPath),
    )
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
