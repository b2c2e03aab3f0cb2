import { access, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DispatcherArtifact } from '../../model/artifacts.ts';
import { Failure } from '../failure.ts';
import type { Storage } from '../storage/storage.ts';
import { extractZip, listExtractable } from '../zip/extract.ts';
import {
  configurationFolders,
  type ConfigurationSettings,
  type HttpdSettings,
  type Log,
} from './settings.ts';

/** Documents and build data at the top of a package, which every packaging tool adds: not worth a line in the log. */
const harmless = /^(META-INF|README|LICENSE|NOTICE)([./]|$)/i;

/**
 * The content of a dispatcher package, in a folder of its own; fetched, checked and unpacked at the first call.
 * @throws Failure `InvalidArtifact` when it is not what was stored, hostile, of another flavour than it says, or lacks
 *   files or folders: all of them are named at once
 */
export async function unpackedPackage(
  settings: HttpdSettings,
  storage: Storage,
  artifact: DispatcherArtifact,
  log: Log,
  signal?: AbortSignal,
): Promise<string> {
  if (!/^[0-9a-f]{64}$/.test(artifact.file.sha256))
    throw new Failure('InvalidInput', `the SHA-256 of ${artifact.path} is not one: run the pipeline again`);
  const folder = join(settings.stateFolder, `package-${artifact.file.sha256}`);
  if (await exists(folder)) return folder;
  await mkdir(settings.stateFolder, { recursive: true, mode: 0o700 });
  const zip = `${folder}.zip`;
  const partial = `${folder}.partial`;
  try {
    await storage.fetch(artifact.file, zip, signal);
    const names = (await listExtractable(zip, artifact.path)).map((entry) => entry.name);
    const others =
      artifact.flavour === 'aem_cloud_service'
        ? checkCloudFileSet(artifact.path, names)
        : checkFileSet(artifact.path, names, settings.mandatory);
    if (others.length > 0) await log(`not configuration, left out: ${others.join(', ')}`);
    await rm(partial, { recursive: true, force: true });
    await extractZip(zip, partial, signal, artifact.path);
    await rename(partial, folder);
  } finally {
    await rm(zip, { force: true });
    await rm(partial, { recursive: true, force: true });
  }
  return folder;
}

/**
 * The full file set: the four folders and every mandatory file or folder. The rule is Adobe's ("The Dispatcher artifact
 * is expected to contain the full file set"); which files are mandatory is the host's setting.
 * @returns what lies beside the four folders and will not be used
 */
export function checkFileSet(
  label: string,
  names: readonly string[],
  mandatory: readonly string[],
): string[] {
  const known = new Set(names.flatMap((name) => [name, ...parents(name)]));
  const isCloud = known.has('opt-in/USE_SOURCES_DIRECTLY') || names.some((name) => name.endsWith('.farm'));
  if (isCloud && !known.has('conf') && !known.has('conf.modules.d'))
    throw new Failure(
      'InvalidArtifact',
      `${label} is a dispatcher package of the Cloud Service flavour: this host needs the Managed Services file set ` +
        `(${configurationFolders.join(', ')})`,
    );
  const missing = [
    ...configurationFolders.filter((folder) => !known.has(folder)).map((folder) => `folder ${folder}`),
    ...mandatory.filter((path) => !known.has(path)),
  ];
  if (missing.length > 0)
    throw new Failure(
      'InvalidArtifact',
      `${label} does not hold the full file set; missing: ${missing.join(', ')}`,
      { details: missing },
    );
  const folders: readonly string[] = configurationFolders;
  const stray = folders.filter(
    (folder) => names.includes(folder) && !names.some((n) => n.startsWith(`${folder}/`)),
  );
  if (stray.length > 0)
    throw new Failure('InvalidArtifact', `${label} has nothing in ${stray.join(', ')}`, { details: stray });
  return besides(names, folders);
}

/** The folders that a package of the Cloud Service flavour holds. */
const cloudFolders = ['conf.d', 'conf.dispatcher.d'];

/** What the host's defaults give instead of a package of the Cloud Service flavour: globs of immutable files. */
export const cloudDefaults: readonly string[] = ['conf/**', 'conf.modules.d/**'];

/** A host as a package of the Cloud Service flavour sees it. */
export const hostFor = <T extends ConfigurationSettings>(
  host: T,
  { flavour }: Pick<DispatcherArtifact, 'flavour'>,
): T =>
  flavour === 'aem_cloud_service' ? { ...host, immutable: [...host.immutable, ...cloudDefaults] } : host;

/** As `checkFileSet`, of a package of the Cloud Service flavour. */
export function checkCloudFileSet(label: string, names: readonly string[]): string[] {
  const missing = cloudFolders.filter((folder) => !names.some((name) => name.startsWith(`${folder}/`)));
  if (missing.length > 0)
    throw new Failure(
      'InvalidArtifact',
      `${label} is no dispatcher configuration of the Cloud Service flavour: missing ${missing.join(', ')}`,
      { details: missing },
    );
  return besides(names, cloudFolders);
}

function besides(names: readonly string[], folders: readonly string[]): string[] {
  const top = new Set(names.map((name) => name.split('/')[0] ?? name));
  return [...top].filter((name) => !folders.includes(name) && !harmless.test(name)).sort();
}

const parents = (name: string): string[] =>
  name.split('/').flatMap((_, index, parts) => (index === 0 ? [] : [parts.slice(0, index).join('/')]));

export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
