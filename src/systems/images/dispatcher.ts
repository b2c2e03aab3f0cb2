import { chmod, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DispatcherArtifact } from '../../model/artifacts.ts';
import { checkCloudFileSet, checkFileSet, cloudDefaults } from '../httpd/package.ts';
import type { ConfigurationSettings } from '../httpd/settings.ts';
import { stage, testStaged } from '../httpd/stage.ts';
import { digest, listTree } from '../httpd/tree.ts';
import type { Storage } from '../storage/storage.ts';
import { extractZip, listExtractable } from '../zip/extract.ts';
import type { Content } from './contents.ts';

/**
 * The httpd that tests configurations before they become an image. Its server root holds the immutable defaults, and
 * `modules` as the base image has them.
 */
export type DispatcherDefaults = Omit<ConfigurationSettings, 'stateFolder'>;

/** The server root in the image. */
export const SERVER_ROOT = 'etc/httpd';

/**
 * Puts together the configuration of a dispatcher image, the package's files and the immutable defaults, and lets
 * Apache test it. A package of the Cloud Service flavour has `conf.d` and `conf.dispatcher.d` only: the rest is from
 * the defaults. Modes become 0644, or 0755 for folders and what is executable, whatever the umask of this process.
 * @param work an empty folder
 * @param root where `etc/httpd` is made
 * @returns the files
 * @throws Failure `InvalidArtifact` when the package is not complete, `Rejected` with Apache's own lines
 */
export async function layOutConfiguration(
  defaults: DispatcherDefaults,
  artifact: DispatcherArtifact,
  { work, root }: { readonly work: string; readonly root: string },
  storage: Storage,
  log: (line: string) => void,
  signal?: AbortSignal,
): Promise<Content[]> {
  const [zip, unpacked] = [join(work, 'package.zip'), join(work, 'package')];
  await storage.fetch(artifact.file, zip, signal);
  const names = (await listExtractable(zip, artifact.path)).map(({ name }) => name);
  const own = flavourOf(artifact.path, names, defaults.mandatory);
  await extractZip(zip, unpacked, signal, artifact.path);

  const settings = { ...defaults, stateFolder: work, immutable: [...defaults.immutable, ...own] };
  const staged = await stage(settings, 'image', unpacked, signal);
  for (const path of staged.changed) log(`${path}: immutable, the package's version is ignored`);
  for (const path of staged.unknown) log(`${path}: immutable and not among the defaults, left out`);
  for (const warning of await testStaged(settings, staged, artifact.path, signal)) log(`httpd: ${warning}`);
  log("Apache's config test is good");

  const target = join(root, SERVER_ROOT);
  await mkdir(dirname(target), { recursive: true });
  await rename(staged.root, target);
  return describeFiles(target, signal);
}

/** Globs of what the defaults give instead of the package. */
function flavourOf(label: string, names: readonly string[], mandatory: readonly string[]): readonly string[] {
  const has = (folder: string) => names.some((name) => name === folder || name.startsWith(`${folder}/`));
  if (has('conf') || has('conf.modules.d')) {
    checkFileSet(label, names, mandatory);
    return [];
  }
  checkCloudFileSet(label, names);
  return cloudDefaults;
}

async function describeFiles(root: string, signal?: AbortSignal): Promise<Content[]> {
  const contents: Content[] = [];
  await chmod(root, 0o755);
  for (const [path, { type, mode, size }] of await listTree(root)) {
    signal?.throwIfAborted();
    if (type === 'link') continue;
    await chmod(join(root, path), type === 'folder' || mode & 0o100 ? 0o755 : 0o644);
    if (type === 'folder') continue;
    const file = { kind: 'file', name: path, version: '', runModes: [], contents: [] } as const;
    contents.push({ ...file, path: `${SERVER_ROOT}/${path}`, size, sha256: await digest(join(root, path)) });
  }
  return contents;
}
