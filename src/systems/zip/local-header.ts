import type { Entry, LocalFileHeader } from 'yauzl';

const SIZE_FOLLOWS = 0x8;
const IN_ZIP64 = 0xffffffff;

/**
 * Where the header in front of an entry's data disagrees with the zip's directory; undefined when it does not. AEM may
 * read a zip from its front: it would see another content than was checked here.
 */
export function localProblem(local: LocalFileHeader, entry: Entry): string | undefined {
  const same = (own: number, listed: number) => own === listed || own === IN_ZIP64;
  if (!local.fileName.equals(entry.fileName as unknown as Buffer))
    return 'has another name in its own header than in the directory of the zip';
  if (local.compressionMethod !== entry.compressionMethod)
    return 'has another compression method in its own header than in the directory of the zip';
  if (local.generalPurposeBitFlag & SIZE_FOLLOWS) return undefined;
  return same(local.uncompressedSize, entry.uncompressedSize) &&
    same(local.compressedSize, entry.compressedSize) &&
    local.crc32 === entry.crc32
    ? undefined
    : 'has another size or checksum in its own header than in the directory of the zip';
}
