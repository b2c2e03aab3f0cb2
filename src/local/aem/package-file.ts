import { stat } from 'node:fs/promises';
import { XMLParser } from 'fast-xml-parser';
import { parseDependencies } from '../../model/package-version.ts';
import { listZip, readEntry } from '../../systems/zip/read.ts';
import { Refusal } from './refusal.ts';
import type { FilterRoot } from './repository.ts';
import type { PackageRecord } from './store.ts';

const LIMIT = 5_000_000;
const xml = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  isArray: (name) => ['entry', 'filter'].includes(name),
});

/** Everything the package manager shows of a zip. @throws Refusal when the zip is not a content package */
export async function describePackage(
  zip: string,
): Promise<Omit<PackageRecord, 'file' | 'uploaded' | 'lastUnpacked'>> {
  const entries = await listZip(zip).catch((error: Error) => {
    throw new Refusal(`java.util.zip.ZipException: ${error.message}`);
  });
  if (!entries.some(({ name }) => name === 'jcr_root' || name.startsWith('jcr_root/')))
    throw new Refusal("Given archive is not a content package. Missing 'jcr_root'.");
  const properties = await readProperties(zip);
  const group = properties.get('group') ?? '';
  const name = properties.get('name') ?? '';
  const version = properties.get('version') ?? '';
  if (!name || [group, name, version].some((part) => /[\0\\]|(^|\/)\.\.?(\/|$)/.test(part)))
    throw new Refusal('org.apache.jackrabbit.vault.packaging.PackageException: the package has no valid id.');
  return {
    group,
    name,
    version,
    path: `/etc/packages/${[...group.split('/'), version ? `${name}-${version}` : name].filter(Boolean).join('/')}.zip`,
    size: (await stat(zip)).size,
    created: Date.parse(properties.get('created') ?? '') || 0,
    dependencies: parseDependencies(properties.get('dependencies') ?? ''),
    filter: await readFilter(zip),
    container: properties.get('packageType') === 'container',
  };
}

async function readProperties(zip: string): Promise<Map<string, string>> {
  const text = await readEntry(zip, 'META-INF/vault/properties.xml', LIMIT);
  if (!text) return new Map();
  const document = xml.parse(text.toString('utf8')) as {
    properties?: { entry?: { key?: string; '#text'?: string }[] };
  };
  return new Map((document.properties?.entry ?? []).map((entry) => [entry.key ?? '', entry['#text'] ?? '']));
}

async function readFilter(zip: string): Promise<FilterRoot[]> {
  const text = await readEntry(zip, 'META-INF/vault/filter.xml', LIMIT);
  if (!text) return [];
  const document = xml.parse(text.toString('utf8')) as {
    workspaceFilter?: { filter?: { root?: string; mode?: string }[] };
  };
  return (document.workspaceFilter?.filter ?? []).map(({ root = '', mode = 'replace' }) => {
    if (!root.startsWith('/') || root.split('/').some((name) => name === '..' || name === '.'))
      throw new Refusal(
        `org.apache.jackrabbit.vault.fs.config.ConfigurationException: invalid filter root ${root}`,
      );
    return { root: root.replace(/\/+$/, ''), mode };
  });
}
