import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AemPackage, PackageDependency, PackageId } from '../../model/artifacts.ts';
import { packageLabel } from '../../model/artifacts.ts';
import { satisfies } from '../../model/package-order.ts';
import { messageOf } from '../failure.ts';
import {
  invalid,
  MAX_RATIO,
  MAX_TOTAL_SIZE,
  RATIO_MATTERS_ABOVE,
  withArchive,
  type Archive,
  type ArchiveEntry,
} from '../zip/archive.ts';
import { checkContent, readEntry, readWhole, saveEntry } from '../zip/read.ts';
import { describePackage, type Description } from './description.ts';
import { parseManifest } from './manifest.ts';

export const PROPERTIES = 'META-INF/vault/properties.xml';
const MANIFEST = 'META-INF/MANIFEST.MF';
export const MAX_PROPERTIES_SIZE = 1024 ** 2;
const MAX_MANIFEST_SIZE = 4 * 1024 ** 2;
export const MAX_DEPTH = 5;

/** FileVault unpacks zips below /etc/packages; Sling's installer takes zips and bundles from install folders. */
const inEtcPackages = /^jcr_root\/etc\/packages\/.+\.zip$/i;
const inInstallFolder =
  /^jcr_root\/(?:apps|libs)\/(?:.+\/)?(?:install|config)(?<runModes>\.[^/]+)?\/(?:\d+\/)?[^/]+\.(?:zip|jar)$/i;

export const isPackage = (entries: readonly { readonly name: string }[]): boolean =>
  entries.some(({ name }) => name === PROPERTIES) &&
  entries.some(({ name }) => name === 'jcr_root' || name.startsWith('jcr_root/'));

/**
 * Whether AEM takes what stands at this place in a package as a package or bundle of its own.
 * @returns the run modes of its folder, as `['author', 'prod']`; undefined when it is only a file
 */
export function embeddedRunModes(name: string): string[] | undefined {
  const installed = inInstallFolder.exec(name);
  if (!installed) return inEtcPackages.test(name) ? [] : undefined;
  return installed.groups?.runModes?.split('.').filter(Boolean) ?? [];
}

interface Found {
  readonly packages: { readonly description: Description; readonly specific: boolean }[];
  /** By symbolic name, whether only instances of certain run modes take it. */
  readonly bundles: Map<string, boolean>;
  /** Bytes of the zip that holds everything. */
  readonly size: number;
  /** Bytes of all entries so far, at all depths. */
  unpacked: number;
}

/** Where an embedded file stands. */
interface Place {
  readonly folder: string;
  readonly depth: number;
  /** Whether only instances of certain run modes get there. */
  readonly specific: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Reads a content package and, at any depth, the packages and bundles embedded in it; every byte is checked.
 * @throws Failure `InvalidArtifact`; the signal's reason
 */
export async function readPackage(
  archive: Archive,
  signal?: AbortSignal,
): Promise<{ package: AemPackage; target?: string }> {
  const own = await readDescription(archive);
  const folder = await mkdtemp(join(tmpdir(), 'fairway-package-'));
  const found: Found = { packages: [], bundles: new Map(), size: archive.zip.fileSize, unpacked: 0 };
  try {
    await readEmbedded(archive, { folder, depth: 1, specific: false, signal }, found);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const embedded = distinctIds(found.packages.map(({ description }) => description.id));
  const runModeSpecific = onlySomewhere(embedded, found);
  return {
    package: {
      id: own.id,
      dependencies: [
        ...own.dependencies,
        ...openDependencies(
          found.packages.map(({ description }) => description),
          [own.id, ...embedded],
        ),
      ],
      ...(own.packageType && { packageType: own.packageType }),
      embedded,
      bundles: [...found.bundles.keys()].sort(),
      ...(runModeSpecific && { runModeSpecific }),
    },
    ...(own.target !== undefined && { target: own.target }),
  };
}

/** What stands in a folder for all run modes as well is not specific to any. */
function onlySomewhere(embedded: readonly PackageId[], found: Found): AemPackage['runModeSpecific'] {
  const everywhere = new Set(
    found.packages.filter(({ specific }) => !specific).map(({ description }) => packageLabel(description.id)),
  );
  const packages = embedded.filter((id) => !everywhere.has(packageLabel(id)));
  const bundles = [...found.bundles].filter(([, specific]) => specific).map(([name]) => name);
  return packages.length + bundles.length > 0 ? { packages, bundles: bundles.sort() } : undefined;
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

async function readEmbedded(archive: Archive, place: Place, found: Found): Promise<void> {
  count(archive, found);
  for (const entry of archive.entries) {
    const runModes = embeddedRunModes(entry.name);
    if (entry.type !== 'file' || !runModes) {
      // AEM would find out in the middle of an installation.
      if (entry.type !== 'folder') await checkContent(archive, entry, place.signal);
      continue;
    }
    if (place.depth > MAX_DEPTH)
      throw invalid(archive.label, `packages are embedded in packages more than ${MAX_DEPTH} deep`);
    const path = join(place.folder, `${place.depth}.zip`);
    const label = `${archive.label}!${entry.name}`;
    const specific = place.specific || runModes.length > 0;
    await saveEntry(archive, entry, path, place.signal);
    if (isJar(entry)) await readBundle(path, label, specific, found);
    else await readInner(path, label, { ...place, depth: place.depth + 1, specific }, found);
    await rm(path);
  }
}

/** What holds for one zip holds for everything in it: zips in zips multiply what each of them may be compressed. */
function count({ label, entries }: Archive, found: Found): void {
  for (const { size } of entries) found.unpacked += size;
  if (found.unpacked > MAX_TOTAL_SIZE)
    throw invalid(label, `with it the content is larger than ${MAX_TOTAL_SIZE} bytes, all depths together`);
  if (found.unpacked > RATIO_MATTERS_ABOVE && found.unpacked / found.size > MAX_RATIO)
    throw invalid(
      label,
      `with it the content is compressed more than ${MAX_RATIO} to 1, all depths together`,
    );
}

const isJar = ({ name }: ArchiveEntry) => /\.jar$/i.test(name);

/** A jar's other entries are for the OSGi framework to judge: bundles with oddities are in use everywhere. */
async function readBundle(path: string, label: string, specific: boolean, found: Found): Promise<void> {
  const manifest = await readEntry(path, MANIFEST, MAX_MANIFEST_SIZE, label);
  const header = manifest && parseManifest(manifest).get('bundle-symbolicname');
  if (!header) return;
  const name = header.split(';')[0]!.trim();
  found.bundles.set(name, specific && (found.bundles.get(name) ?? true));
}

function readInner(path: string, label: string, place: Place, found: Found): Promise<void> {
  return withArchive(
    path,
    async (inner) => {
      if (!isPackage(inner.entries)) return;
      found.packages.push({ description: await readDescription(inner), specific: place.specific });
      await readEmbedded(inner, place, found);
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
