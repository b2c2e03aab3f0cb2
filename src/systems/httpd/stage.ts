import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  readFile,
  readdir,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { configTest } from './config-test.ts';
import { configurationFolders, type ConfigurationSettings } from './settings.ts';
import { shareFile, shareTree } from './sync.ts';
import { absent, digest, immutableTest, listTree, type TreeEntry } from './tree.ts';

export interface Staged {
  /** A root that holds the configuration folders as they are to be. */
  readonly root: string;
  /** Immutable files that the package changes: ignored. */
  readonly changed: readonly string[];
  /** Immutable files that only the package has: not written. */
  readonly unknown: readonly string[];
}

/**
 * Puts together what the live configuration will be: the package's files and the host's own immutable files.
 * @throws Failure `InvalidArtifact` when the package has a file or link where an immutable file's folder must be
 */
export async function stage(
  settings: ConfigurationSettings,
  deployment: string,
  packageFolder: string,
  signal?: AbortSignal,
): Promise<Staged> {
  const root = join(settings.stateFolder, `staging-${deployment}`);
  await rm(root, { recursive: true, force: true });
  await mkdir(root, { recursive: true });
  const immutable = immutableTest(settings.immutable);
  await shareTree(packageFolder, root, immutable, signal);

  const [offered, live] = [await listTree(packageFolder), await listTree(settings.serverRoot)];
  const changed: string[] = [];
  for (const [path, entry] of live) {
    // A package does not decide who may look into the host's folders.
    if (entry.type === 'folder' && offered.get(path)?.type === 'folder')
      await chmod(join(root, path), entry.mode);
    if (entry.type === 'folder' || !immutable(path)) continue;
    const source = join(settings.serverRoot, path);
    const other = offered.get(path);
    const same =
      other?.type === entry.type &&
      other.target === entry.target &&
      other.size === entry.size &&
      (entry.type === 'link' ||
        (await digest(join(packageFolder, path), other.size)) === (await digest(source, entry.size)));
    await placeImmutable(settings.serverRoot, root, path, entry, same ? packageFolder : undefined);
    if (other && other.type !== 'folder' && !same) changed.push(path);
  }
  const unknown = [...offered].filter(
    ([path, entry]) => entry.type !== 'folder' && immutable(path) && !live.has(path),
  );
  return { root, changed, unknown: unknown.map(([path]) => path) };
}

/** A file of the host is copied: it may be written to. `equal` is where one like it lies that may not. */
async function placeImmutable(
  live: string,
  root: string,
  path: string,
  entry: TreeEntry,
  equal?: string,
): Promise<void> {
  const parts = path.split('/');
  for (let depth = 1; depth < parts.length; depth++) {
    const folder = parts.slice(0, depth).join('/');
    const stat = await lstat(join(root, folder)).catch(absent);
    if (!stat) {
      await mkdir(join(root, folder));
      await chmod(join(root, folder), (await lstat(join(live, folder))).mode & 0o7777);
    } else if (!stat.isDirectory())
      throw new Failure(
        'InvalidArtifact',
        `the package has a file or link ${folder} where this host has a folder with the immutable file ${path}`,
      );
  }
  if (await lstat(join(root, path)).catch(absent))
    throw new Failure(
      'InvalidArtifact',
      `the package has a folder ${path} where this host has an immutable file`,
    );
  if (entry.type === 'link') await symlink(entry.target, join(root, path));
  else if (equal) await shareFile(join(equal, path), join(root, path));
  else await copyFile(join(live, path), join(root, path));
}

/**
 * Apache's config test of a staged configuration. It runs on a copy in which `ServerRoot` and the absolute paths of the
 * live configuration folders name the copy, beside links to everything else in the server root; a live folder reached
 * in another way, such as through a variable, is tested as it is now. Apache's messages name the live paths.
 * @throws Failure `Rejected` with Apache's own lines
 */
export async function testStaged(
  settings: ConfigurationSettings,
  staged: Staged,
  what: string,
  signal?: AbortSignal,
): Promise<string[]> {
  const copy = `${staged.root}.test`;
  await rm(copy, { recursive: true, force: true });
  await mkdir(copy, { recursive: true });
  try {
    const live = [...new Set([settings.serverRoot, await realpath(settings.serverRoot)])];
    const share: typeof shareFile = async (source, target) => {
      // Byte for byte: configuration files have no declared encoding.
      const text = await readFile(source, 'latin1');
      const moved = moveRoot(text, live, copy);
      if (moved === text) await shareFile(source, target);
      else await writeFile(target, moved, 'latin1');
    };
    await shareTree(staged.root, copy, () => false, signal, share);
    const folders: readonly string[] = configurationFolders;
    for (const name of await readdir(settings.serverRoot))
      if (!folders.includes(name)) await symlink(join(settings.serverRoot, name), join(copy, name));
    return await configTest(settings, copy, what, signal, (line) =>
      line.replaceAll(copy, settings.serverRoot),
    );
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

function moveRoot(text: string, live: readonly string[], copy: string): string {
  let moved = text.replace(
    /^([ \t]*ServerRoot[ \t]+).*$/gim,
    (_, directive: string) => `${directive}"${copy}"`,
  );
  for (const root of live) {
    const folder = `${escapeRegExp(root.replace(/\/+$/, ''))}/(?=(conf|conf\\.d|conf\\.dispatcher\\.d|conf\\.modules\\.d)(/|["'\\s]|$))`;
    moved = moved.replace(new RegExp(folder, 'gm'), () => `${copy}/`);
  }
  return moved;
}

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
