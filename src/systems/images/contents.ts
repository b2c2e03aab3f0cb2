import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { getFileNameLowLevel } from 'yauzl';
import { embeddedRunModes, isPackage, PROPERTIES } from '../packages/contents.ts';
import { describePackage } from '../packages/description.ts';
import { parseManifest } from '../packages/manifest.ts';
import { withArchive, type Archive } from '../zip/archive.ts';
import { openZip } from '../zip/file-reader.ts';
import { readEntry, readWhole, saveEntry } from '../zip/read.ts';

/** A package or bundle, with what is embedded in it. */
export interface Content {
  readonly kind: 'package' | 'bundle' | 'file';
  /** A package's or Maven's group; absent where there is none. */
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  /** Path in what holds it. */
  readonly path: string;
  /** Run modes that an instance must have to take it; none for all instances. */
  readonly runModes: readonly string[];
  /** Maven's coordinates, where a bundle tells them. */
  readonly maven?: { readonly group: string; readonly artifact: string; readonly version: string };
  readonly contents: readonly Content[];
}

const MANIFEST = 'META-INF/MANIFEST.MF';
/** Bytes of a file in which a package or bundle describes itself. */
const LIMIT = 4 * 1024 ** 2;

/**
 * Everything that AEM takes out of a content package, at any depth. The package is one that `readArtifact` has
 * accepted: sizes and depth are not judged again.
 * @param name what the package is called in the image
 * @throws Failure `InvalidArtifact`; the signal's reason
 */
export async function listContents(path: string, name: string, signal?: AbortSignal): Promise<Content> {
  const folder = await mkdtemp(join(tmpdir(), 'fairway-contents-'));
  try {
    return await describe(path, { path: name, runModes: [] }, folder, signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Place = Pick<Content, 'path' | 'runModes'>;

async function describe(path: string, place: Place, folder: string, signal?: AbortSignal): Promise<Content> {
  signal?.throwIfAborted();
  const found = { ...place, ...(await measure(path, signal)) };
  return /\.jar$/i.test(place.path)
    ? { ...found, ...(await describeBundle(path, place.path)), contents: [] }
    : withArchive(
        path,
        async (archive) => {
          if (!isPackage(archive.entries)) return { ...found, ...asFile(place.path), contents: [] };
          const { id } = await describeOwn(archive);
          const contents: Content[] = [];
          for (const entry of archive.entries) {
            const runModes = embeddedRunModes(entry.name);
            if (entry.type !== 'file' || !runModes) continue;
            const inner = await mkdtemp(join(folder, 'embedded-'));
            const copy = join(inner, 'content');
            await saveEntry(archive, entry, copy, signal);
            const all = [...new Set([...place.runModes, ...runModes])].sort();
            contents.push(await describe(copy, { path: entry.name, runModes: all }, inner, signal));
            await rm(inner, { recursive: true });
          }
          contents.sort((a, b) => (a.path < b.path ? -1 : 1));
          const group = id.group && { group: id.group };
          return { ...found, kind: 'package', name: id.name, version: id.version, ...group, contents };
        },
        place.path,
      );
}

async function describeOwn(archive: Archive) {
  const read = async (name: string) => {
    const entry = archive.entries.find((candidate) => candidate.name === name && candidate.type === 'file');
    return entry && readWhole(archive, entry, LIMIT);
  };
  return describePackage((await read(PROPERTIES)) ?? Buffer.alloc(0), await read(MANIFEST));
}

async function describeBundle(path: string, label: string) {
  const manifest = await readEntry(path, MANIFEST, LIMIT, label);
  const headers = manifest ? parseManifest(manifest) : new Map<string, string>();
  const name = headers.get('bundle-symbolicname')?.split(';')[0]?.trim();
  if (!name) return asFile(label);
  const maven = await mavenCoordinates(path, label);
  const version = headers.get('bundle-version') ?? '0.0.0'; // OSGi's own default
  return { kind: 'bundle' as const, name, version, ...(maven && { maven }) };
}

const asFile = (path: string) => ({ kind: 'file' as const, name: basename(path), version: '' });

/** As Maven leaves them in a jar; a jar that holds those of several has been merged from them and is none of them. */
async function mavenCoordinates(path: string, label: string): Promise<Content['maven']> {
  const zip = await openZip(path);
  const found: string[] = [];
  try {
    for await (const entry of zip.eachEntry()) {
      const name = getFileNameLowLevel(
        entry.generalPurposeBitFlag,
        entry.fileNameRaw,
        entry.extraFields,
        false,
      );
      if (/^META-INF\/maven\/[^/]+\/[^/]+\/pom\.properties$/.test(name)) found.push(name);
    }
  } finally {
    zip.close();
  }
  const [only, ...others] = found;
  if (!only || others.length > 0) return undefined;
  const properties = (await readEntry(path, only, LIMIT, label))?.toString() ?? '';
  const value = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(properties)?.[1]?.trim();
  const [group, artifact, version] = [value('groupId'), value('artifactId'), value('version')];
  return group && artifact && version ? { group, artifact, version } : undefined;
}

async function measure(path: string, signal?: AbortSignal): Promise<Pick<Content, 'sha256' | 'size'>> {
  const hash = createHash('sha256');
  let size = 0;
  const count = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      size += chunk.length;
      yield chunk;
    }
  };
  await pipeline(createReadStream(path), count, hash, { signal });
  return { sha256: hash.digest('hex'), size };
}
