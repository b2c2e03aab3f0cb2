import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { cp, mkdir, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { siteConfiguration } from '../../src/local/dispatcher/node.ts';
import { buildDispatcherZip } from '../../src/local/content-package.ts';
import type { Artifact } from '../../src/model/artifacts.ts';
import { hashTree, immutableTest } from '../../src/systems/httpd/tree.ts';
import type { Storage } from '../../src/systems/storage/storage.ts';
import { packageFile, storedArtifact } from './aem-packages.ts';

/** The files in which the dispatcher configurations of two releases differ, among the first and the last to be replaced. */
const MARK = 'conf.d/rewrites/release.rules';
const BALLAST = 'conf.modules.d/zz-ballast.txt';
const PACKAGE_BYTES = 600_000;

export interface Release {
  readonly version: string;
  readonly artifacts: readonly Artifact[];
  /** Fingerprint of its dispatcher configuration on a host of the local platform. */
  readonly tree: string;
}

/**
 * A release of the example site that needs no build: a package with the page's component, and a dispatcher
 * configuration of so many bytes more than usual.
 */
export async function storeRelease(
  storage: Storage,
  folder: string,
  version: string,
  ballast = 0,
): Promise<Release> {
  await mkdir(folder, { recursive: true });
  const marks = {
    [MARK]: `# ${version}\n`,
    [BALLAST]: `${'-'.repeat(99)}\n`.repeat(Math.ceil(ballast / 100)),
  };
  const page = `<html><head><meta name="site-version" content="site ${version}"></head><body>\${properties.jcr:title}</body></html>`;
  const aem = await packageFile(folder, {
    name: 'site.release',
    version,
    packageType: 'mixed',
    filterRoots: ['/apps/site/components'],
    files: {
      'apps/site/components/page/page.html': page,
      '/ballast.bin': randomBytes(PACKAGE_BYTES), // so that an upload takes more than one piece
    },
  });
  const zip = join(folder, 'site.dispatcher.zip');
  const { files, links } = await contentOf(siteConfiguration());
  await buildDispatcherZip(zip, { ...files, ...marks }, links);
  const path = `dispatcher/target/site.dispatcher-${version}.zip`;
  return {
    version,
    artifacts: [
      await storedArtifact(storage, aem),
      { kind: 'dispatcher', path, file: await storage.put(`1/2/3/${path}`, createReadStream(zip)) },
    ],
    tree: await treeWith(marks, join(folder, 'configuration')),
  };
}

/** Found without Fairway: the site's configuration and the marks. */
async function treeWith(marks: Readonly<Record<string, string>>, folder: string): Promise<string> {
  await cp(siteConfiguration(), folder, { recursive: true, verbatimSymlinks: true });
  for (const [path, text] of Object.entries(marks)) await writeFile(join(folder, path), text);
  const tree = await treeOf(folder);
  await rm(folder, { recursive: true });
  return tree;
}

export const treeOf = (serverRoot: string): Promise<string> => hashTree(serverRoot, immutableTest([]));

async function contentOf(root: string) {
  const files: Record<string, string> = {};
  const links: Record<string, string> = {};
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files[relative(root, path)] = await readFile(path, 'utf8');
    if (entry.isSymbolicLink()) links[relative(root, path)] = await readlink(path);
  }
  return { files, links };
}
