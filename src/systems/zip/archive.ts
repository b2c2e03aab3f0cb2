import { basename } from 'node:path';
import { getFileNameLowLevel, type Entry, type ZipFile } from 'yauzl';
import { Failure, messageOf } from '../failure.ts';
import { openZip } from './file-reader.ts';
import { localProblem } from './local-header.ts';
import { nameProblem, printable } from './names.ts';

export const MAX_ENTRIES = 100_000;
/** Bytes of all entries together, uncompressed. */
export const MAX_TOTAL_SIZE = 8 * 1024 ** 3;
/** Above this size neither an entry nor all of them may be compressed better than MAX_RATIO to 1: nothing real is. */
export const RATIO_MATTERS_ABOVE = 64 * 1024 ** 2;
export const MAX_RATIO = 200;

export interface ZipEntry {
  /** As in the zip, folders without the slash at their end. */
  readonly name: string;
  /** Bytes, uncompressed. */
  readonly size: number;
  readonly type: 'file' | 'folder' | 'link';
}

export interface ArchiveEntry extends ZipEntry {
  /** Whether the zip marks it as executable by its owner. */
  readonly executable: boolean;
  readonly crc32: number;
  readonly source: Entry;
}

export interface Archive {
  /** File name, for messages. */
  readonly label: string;
  readonly zip: ZipFile;
  readonly entries: readonly ArchiveEntry[];
}

/**
 * Opens a zip, checks the central directory as a whole and each entry by itself, and closes it after `use`.
 * @param label what messages call the zip
 * @throws Failure `InvalidArtifact` naming the zip, the entry and what is wrong; `Missing` when there is no such file
 */
export function withArchive<T>(
  path: string,
  use: (archive: Archive) => Promise<T>,
  label = basename(path),
): Promise<T> {
  return withZip(path, label, async (zip) => use({ label, zip, entries: await readEntries(zip, label) }));
}

async function withZip<T>(path: string, label: string, use: (zip: ZipFile) => Promise<T>): Promise<T> {
  const zip = await openZip(path).catch((error: unknown) => {
    throw damaged(label, error);
  });
  try {
    return await use(zip);
  } catch (error) {
    throw damaged(label, error);
  } finally {
    zip.close();
  }
}

/** Opens a zip and looks for one file, without judging the others. */
export function withEntry<T>(
  path: string,
  name: string,
  use: (archive: Archive, entry: ArchiveEntry) => Promise<T>,
  label = basename(path),
): Promise<T | undefined> {
  return withZip(path, label, async (zip) => {
    for await (const source of zip.eachEntry()) {
      const entry = describe(source);
      if (entry.name !== name || entry.type !== 'file') continue;
      const problem = contentProblem(source);
      if (problem) throw invalid(label, `entry ${printable(name)} ${problem}`);
      return use({ label, zip, entries: [] }, entry);
    }
    return undefined;
  });
}

/** Trouble of the file system stays as it is; everything else that yauzl and zlib report is the zip's fault. */
export function damaged(label: string, error: unknown, entry = ''): Error {
  if (error instanceof Failure) return error;
  if (error instanceof Error && 'syscall' in error) {
    if (!('code' in error) || error.code !== 'ENOENT') return error;
    return new Failure('Missing', `there is no file ${label}`, { cause: error });
  }
  const where = entry && ` in entry ${printable(entry)}`;
  return new Failure('InvalidArtifact', `${label} is damaged${where}: ${messageOf(error)}`, { cause: error });
}

export const invalid = (label: string, problem: string): Failure =>
  new Failure('InvalidArtifact', `${label}: ${problem}`);

async function readEntries(zip: ZipFile, label: string): Promise<ArchiveEntry[]> {
  if (zip.entryCount > MAX_ENTRIES)
    throw invalid(label, `${zip.entryCount} entries are more than the limit of ${MAX_ENTRIES}`);
  const byName = new Map<string, ArchiveEntry>();
  let size = 0;
  for await (const source of zip.eachEntry()) {
    const entry = describe(source);
    const refuse = (problem: string) => invalid(label, `entry ${printable(entry.name)} ${problem}`);
    const problem = nameProblem(entry.name) ?? contentProblem(source);
    if (problem) throw refuse(problem);
    const other = byName.get(entry.name);
    // A folder listed twice is what sloppy tools write; everything else listed twice can be read in two ways.
    if (other && !(other.type === 'folder' && entry.type === 'folder')) throw refuse('is there twice');
    byName.set(entry.name, entry);
    size += source.uncompressedSize;
    if (size > MAX_TOTAL_SIZE) throw invalid(label, `its content is larger than ${MAX_TOTAL_SIZE} bytes`);
  }
  if (size > RATIO_MATTERS_ABOVE && size / zip.fileSize > MAX_RATIO)
    throw invalid(label, `its content is compressed more than ${MAX_RATIO} to 1 and is not unpacked`);
  const entries = [...byName.values()];
  await checkLocalHeaders(zip, label, entries);
  return entries;
}

/** In the order of the file, which is how it is read in blocks, and how entries that share bytes are found. */
async function checkLocalHeaders(
  zip: ZipFile,
  label: string,
  entries: readonly ArchiveEntry[],
): Promise<void> {
  const offset = ({ source }: ArchiveEntry) => source.relativeOffsetOfLocalHeader;
  let before: { readonly name: string; readonly end: number } = { name: '', end: 0 };
  for (const entry of [...entries].sort((a, b) => offset(a) - offset(b))) {
    if (offset(entry) < before.end)
      throw invalid(label, `entries ${printable(before.name)} and ${printable(entry.name)} overlap`);
    const local = await zip.readLocalFileHeaderPromise(entry.source);
    const problem = localProblem(local, entry.source);
    if (problem) throw invalid(label, `entry ${printable(entry.name)} ${problem}`);
    before = { name: entry.name, end: local.fileDataStart + entry.source.compressedSize };
  }
}

function describe(source: Entry): ArchiveEntry {
  // Not decoded by yauzl, which would turn backslashes into slashes.
  const raw = source.fileName as unknown as Buffer;
  const name = getFileNameLowLevel(source.generalPurposeBitFlag, raw, source.extraFields, true);
  const mode = source.externalFileAttributes >>> 16;
  const isFolder = name.endsWith('/');
  return {
    name: isFolder ? name.slice(0, -1) : name,
    size: source.uncompressedSize,
    type: fileType(mode) === LINK ? 'link' : isFolder ? 'folder' : 'file',
    executable: (mode & 0o100) !== 0,
    crc32: source.crc32,
    source,
  };
}

const LINK = 0o120000;
const FILE = 0o100000;
const FOLDER = 0o040000;
const fileType = (mode: number) => mode & 0o170000;

function contentProblem(source: Entry): string | undefined {
  const { uncompressedSize: size, compressedSize: compressed } = source;
  const isFolder = (source.fileName as unknown as Buffer).at(-1) === '/'.charCodeAt(0);
  const type = fileType(source.externalFileAttributes >>> 16);
  if (source.isEncrypted()) return 'is encrypted';
  if (!source.canDecodeFileData())
    return `uses compression method ${source.compressionMethod}: not supported`;
  if (![0, FILE, FOLDER, LINK].includes(type)) return 'is neither a file nor a folder nor a link';
  if (type !== 0 && isFolder !== (type === FOLDER))
    return 'is a folder by its name and not by its type, or the reverse';
  if (isFolder && size > 0) return 'is a folder with content';
  if (size > RATIO_MATTERS_ABOVE && size / Math.max(compressed, 1) > MAX_RATIO)
    return `is compressed ${Math.round(size / Math.max(compressed, 1))} to 1: more than ${MAX_RATIO} to 1 is not unpacked`;
  return undefined;
}
