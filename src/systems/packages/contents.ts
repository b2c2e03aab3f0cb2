import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AemPackage, PackageDependency, PackageId } from '../../model/artifacts.ts';
import { packageLabel } from '../../model/artifacts.ts';
import { satisfies } from '../../model/package-order.ts';
import { messageOf } from '../failure.ts';
import { invalid, withArchive, type Archive, type ArchiveEntry } from '../zip/archive.ts';
import { readEntry, readWhole, saveEntry } from '../zip/read.ts';
import { describePackage, type Description } from './description.ts';
import { parseManifest } from './manifest.ts';

export const PROPERTIES = 'META-INF/vault/properties.xml';
const MANIFEST = 'META-INF/MANIFEST.MF';
const MAX_PROPERTIES_SIZE = 1024 ** 2;
const MAX_MANIFEST_SIZE = 4 * 1024 ** 2;
const MAX_DEPTH = 5;
/** Bytes of everything embedded, at all depths together. */
const MAX_EMBEDDED_SIZE = 16 * 1024 ** 3;

/** FileVault unpacks zips below /etc/packages; Sling's installer takes zips and bundles from install folders. */
const inEtcPackages = /^jcr_root\/etc\/packages\/.+\.zip$/i;
const inInstallFolder =
  /^jcr_root\/(?:apps|libs)\/(?:.+\/)?(?:install|config)(?:\.[^/]+)?\/(?:\d+\/)?[^/]+\.(?:zip|jar)$/i;

export const isPackage = (entries: readonly { readonly name: string }[]): boolean =>
  entries.some(({ name }) => name === PROPERTIES) &&
  entries.some(({ name }) => name === 'jcr_root' || name.startsWith('jcr_root/'));

interface Found {
  readonly packages: Description[];
  readonly bundles: Set<string>;
  bytes: number;
}

/**
 * Reads a content package and, at any depth, the packages and bundles embedded in it.
 * @throws Failure `InvalidArtifact`
 */
export async function readPackage(archive: Archive): Promise<{ package: AemPackage; target?: string }> {
  const own = await readDescription(archive);
  const folder = await mkdtemp(join(tmpdir(), 'fairway-package-'));
  const found: Found = { packages: [], bundles: new Set(), bytes: 0 };
  try {
    await readEmbedded(archive, folder, 1, found);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const embedded = distinctIds(found.packages.map(({ id }) => id));
  return {
    package: {
      id: own.id,
      dependencies: [...own.dependencies, ...openDependencies(found.packages, [own.id, ...embedded])],
      ...(own.packageType && { packageType: own.packageType }),
      embedded,
      bundles: [...found.bundles].sort(),
    },
    ...(own.target !== undefined && { target: own.target }),
  };
}

async function readDescription(archive: Archive): Promise<Description> {
  const read = async (name: string, limit: number) => {
    const entry = archive.entries.find((candidate) => candidate.name === name && candidate.type === 'file');
    return entry && readWhole(archive, entry, limit);
  };
  const properties = await read(PROPERTIES, MAX_PROPERTIES_SIZE);
  if (!properties) throw invalid(archive.label, `${PROPERTIES} is not a file`);
  const manifest = await read(MANIFEST, MAX_MANIFEST_SIZE);
  try {
    return describePackage(properties, manifest);
  } catch (error) {
    throw invalid(archive.label, `${PROPERTIES} cannot be used: ${messageOf(error)}`);
  }
}

async function readEmbedded(archive: Archive, folder: string, depth: number, found: Found): Promise<void> {
  for (const entry of archive.entries) {
    if (entry.type !== 'file' || !(inEtcPackages.test(entry.name) || inInstallFolder.test(entry.name)))
      continue;
    if (depth > MAX_DEPTH)
      throw invalid(archive.label, `packages are embedded in packages more than ${MAX_DEPTH} deep`);
    found.bytes += entry.size;
    if (found.bytes > MAX_EMBEDDED_SIZE)
      throw invalid(
        archive.label,
        `what is embedded has more than ${MAX_EMBEDDED_SIZE} bytes, all depths together`,
      );
    const path = join(folder, `${depth}.zip`);
    const label = `${archive.label}!${entry.name}`;
    await saveEntry(archive, entry, path);
    await (isJar(entry) ? readBundle(path, label, found) : readInner(path, label, folder, depth, found));
    await rm(path);
  }
}

const isJar = ({ name }: ArchiveEntry) => /\.jar$/i.test(name);

/** A jar's other entries are for the OSGi framework to judge: bundles with oddities are in use everywhere. */
async function readBundle(path: string, label: string, found: Found): Promise<void> {
  const manifest = await readEntry(path, MANIFEST, MAX_MANIFEST_SIZE, label);
  const header = manifest && parseManifest(manifest).get('bundle-symbolicname');
  if (header) found.bundles.add(header.split(';')[0]!.trim());
}

function readInner(path: string, label: string, folder: string, depth: number, found: Found): Promise<void> {
  return withArchive(
    path,
    async (inner) => {
      if (!isPackage(inner.entries)) return;
      found.packages.push(await readDescription(inner));
      await readEmbedded(inner, folder, depth + 1, found);
    },
    label,
  );
}

function distinctIds(ids: readonly PackageId[]): PackageId[] {
  return [...new Map(ids.map((id) => [packageLabel(id), id])).values()];
}

/** What embedded packages need from outside. */
function openDependencies(
  packages: readonly Description[],
  inside: readonly PackageId[],
): PackageDependency[] {
  const open = packages.flatMap(({ id, dependencies }) =>
    dependencies
      .filter((dependency) => !inside.some((provided) => satisfies(provided, dependency)))
      .map((dependency) => ({ ...dependency, requiredBy: packageLabel(id) })),
  );
  return [...new Map(open.map((dependency) => [JSON.stringify(dependency), dependency])).values()];
}
