import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import type { AemArtifact } from '../../src/model/artifacts.ts';
import { buildPackage, type ContentPackage } from '../../src/local/content-package.ts';
import { readArtifact } from '../../src/systems/packages/artifact.ts';
import type { Storage } from '../../src/systems/storage/storage.ts';

export const GROUP = 'com.example.site';

/** A jar with the manifest of an OSGi bundle. */
export async function bundle(
  symbolicName: string,
  headers: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = {},
): Promise<Buffer> {
  const lines = Object.entries({
    'Manifest-Version': '1.0',
    'Bundle-ManifestVersion': '2',
    'Bundle-SymbolicName': symbolicName,
    'Bundle-Version': '1.0.0',
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  const zip = new ZipFile();
  zip.addBuffer(Buffer.from(`${lines.join('')}\r\n`), 'META-INF/MANIFEST.MF');
  for (const [name, text] of Object.entries(files)) zip.addBuffer(Buffer.from(text), name);
  zip.end();
  return buffer(zip.outputStream);
}

/** Builds a package in a folder; group and version need not be given. */
export async function packageFile(
  folder: string,
  content: { name: string } & Partial<ContentPackage>,
): Promise<string> {
  const path = join(folder, `${content.name}-${content.version ?? '1.0.0'}.zip`);
  await buildPackage(path, { group: GROUP, version: '1.0.0', ...content });
  return path;
}

export const page = (title: string, type = 'site/components/page') =>
  `<jcr:root xmlns:jcr="http://www.jcp.org/jcr/1.0" xmlns:sling="http://sling.apache.org/jcr/sling/1.0" ` +
  `jcr:primaryType="nt:unstructured" jcr:title="${title}" sling:resourceType="${type}"/>`;

/** Content of one page, `/content/site/en`. */
export const contentPackage = (folder: string, title: string, rest: Partial<ContentPackage> = {}) =>
  packageFile(folder, {
    name: 'site.content',
    filterRoots: ['/content/site'],
    files: { 'content/site/.content.xml': page('Site'), 'content/site/en/.content.xml': page(title) },
    ...rest,
  });

/** The component that renders it. */
export const appsPackage = (folder: string, version = '1.0.0') =>
  packageFile(folder, {
    name: 'site.apps',
    version,
    packageType: 'application',
    filterRoots: ['/apps/site'],
    files: { 'apps/site/components/page/page.html': `<h1>\${properties.jcr:title}</h1><i>${version}</i>` },
  });

/** A container with both, and with a bundle: what Maven calls the `all` package. */
export async function containerPackage(
  folder: string,
  options: { version?: string; files?: Readonly<Record<string, Buffer>> } = {},
): Promise<string> {
  const { version = '1.0.0', files = {} } = options;
  const install = 'apps/site-packages/application/install';
  return packageFile(folder, {
    name: 'site.all',
    version,
    packageType: 'container',
    filterRoots: ['/apps/site-packages'],
    files: {
      // The content comes first and needs the other one: the installer has to find the order.
      'apps/site-packages/application/install/a-content.zip': await readFile(
        await contentPackage(folder, `Home ${version}`, {
          version,
          dependencies: `${GROUP}:site.apps:${version}`,
        }),
      ),
      [`${install}/b-apps.zip`]: await readFile(await appsPackage(folder, version)),
      [`${install}/site.core.jar`]: await bundle('site.core', { 'Bundle-Version': version }),
      ...files,
    },
  });
}

/** Puts a package into storage, as a build does. */
export async function storedArtifact(storage: Storage, path: string): Promise<AemArtifact> {
  const read = await readArtifact(path);
  if (read.kind !== 'aem') throw new Error(`${path} is not a content package`);
  const name = path.slice(path.lastIndexOf('/') + 1);
  const file = await storage.put(`1/2/3/${name}`, createReadStream(path));
  return { kind: 'aem', path: `target/${name}`, file, package: read.package };
}
