import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { embeddedRunModes, isPackage, MAX_DEPTH } from '../packages/contents.ts';
import { invalid, MAX_TOTAL_SIZE, withArchive, type Archive } from '../zip/archive.ts';
import { saveEntry } from '../zip/read.ts';
import { readScannedPackage, type ScannedPackage } from './content/package.ts';
import { filesOfZip, type Origin } from './files.ts';

/** Where in the project the files of a package come from, by the file name of its zip. */
export type Origins = (zipName: string) => Origin;

/**
 * Reads a content package and those embedded in it, at any depth; the outermost comes first.
 * @throws Failure `InvalidArtifact` for a zip that is hostile or damaged
 */
export async function readPackages(archive: Archive, origins: Origins): Promise<ScannedPackage[]> {
  const folder = await mkdtemp(join(tmpdir(), 'fairway-scan-'));
  let bytes = 0;
  const read = async (
    one: Archive,
    depth: number,
    runModes: readonly string[],
  ): Promise<ScannedPackage[]> => {
    const name = one.label.slice(one.label.lastIndexOf('/') + 1);
    const found = [await readScannedPackage(filesOfZip(one, origins(name)), { runModes })];
    for (const entry of one.entries) {
      const modes = embeddedRunModes(entry.name);
      if (entry.type !== 'file' || !modes || !/\.zip$/i.test(entry.name)) continue;
      if (depth > MAX_DEPTH)
        throw invalid(one.label, `packages are embedded in packages more than ${MAX_DEPTH} deep`);
      bytes += entry.size;
      if (bytes > MAX_TOTAL_SIZE)
        throw invalid(one.label, `what is embedded has more than ${MAX_TOTAL_SIZE} bytes`);
      const path = join(folder, `${depth}.zip`);
      await saveEntry(one, entry, path);
      const inner = await withArchive(
        path,
        async (nested) => (isPackage(nested.entries) ? read(nested, depth + 1, [...runModes, ...modes]) : []),
        `${one.label}!/${entry.name}`,
      );
      found.push(...inner);
      await rm(path);
    }
    return found;
  };
  try {
    return await read(archive, 1, []);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
