import { messageOf } from '../../failure.ts';
import { MAX_PROPERTIES_SIZE, PROPERTIES } from '../../packages/contents.ts';
import { parseProperties } from '../../packages/properties.ts';
import type { Files } from '../files.ts';
import type { Place } from '../rule.ts';
import { decodeText } from '../text.ts';
import { looksLikeDocView, readDocView } from './docview.ts';
import { readFilter, type FilterRoot } from './filter.ts';
import { repositoryPath } from './names.ts';
import { newNode, type RepositoryNode } from './node.ts';
import { MAX_XML_LENGTH, XmlError } from './xml.ts';

const FILTER = 'META-INF/vault/filter.xml';
const JCR_ROOT = 'jcr_root/';
const MAX_CONFIG_SIZE = 1024 ** 2;

/** A content package as the rules see it. */
export interface ScannedPackage {
  /** `site.all-1.0.0.zip`, `site.all-1.0.0.zip!jcr_root/apps/.../site.ui.apps-1.0.0.zip`, or a folder of the project. */
  readonly label: string;
  /** `group:name:version`; a folder of sources does not say. */
  readonly id?: string;
  readonly packageType?: string;
  /** The property `cloudManagerTarget`. */
  readonly target?: string;
  /** Run modes of the instances that take it; empty for all. */
  readonly runModes: readonly string[];
  /** Empty when the package has no filter: then everything in it counts. */
  readonly filters: readonly FilterRoot[];
  readonly root: RepositoryNode;
  /** Texts of OSGi configurations that are files, by repository path. */
  readonly configTexts: ReadonlyMap<string, string>;
  /** Where findings about the package as a whole go. */
  readonly place: Place;
  /** Files that cannot be read, and why. */
  readonly unreadable: readonly { readonly place: Place; readonly problem: string }[];
}

/** What may be known of a package that is a folder of sources. */
export interface Known {
  readonly runModes?: readonly string[];
  readonly packageType?: string;
}

/** Reads a content package. Files that cannot be read become findings, so that the others are still looked at. */
export async function readScannedPackage(files: Files, known: Known = {}): Promise<ScannedPackage> {
  const has = (name: string) => files.entries.some((entry) => entry.name === name && entry.type === 'file');
  const unreadable: { place: Place; problem: string }[] = [];
  const refuse = (name: string, problem: string, line?: number) =>
    unreadable.push({ place: { file: files.place(name), ...(line && { line }) }, problem });
  const xmlOf = async (name: string): Promise<string | undefined> => {
    const bytes = await files.read(name, MAX_XML_LENGTH);
    const text = bytes && decodeText(bytes);
    if (text === undefined)
      refuse(name, bytes ? 'it is not text in UTF-8' : `it has more than ${MAX_XML_LENGTH} bytes`);
    return text;
  };
  /** Whether the XML could be read. */
  const tryXml = <T>(name: string, read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof XmlError)) throw error;
      refuse(name, error.message, error.line);
      return undefined;
    }
  };

  let properties = new Map<string, string>();
  if (has(PROPERTIES))
    try {
      const bytes = await files.read(PROPERTIES, MAX_PROPERTIES_SIZE);
      if (bytes) properties = parseProperties(bytes);
    } catch (error) {
      refuse(PROPERTIES, messageOf(error));
    }
  const filterXml = has(FILTER) ? await xmlOf(FILTER) : undefined;
  const filters =
    filterXml === undefined ? [] : (tryXml(FILTER, () => readFilter(filterXml, files.place(FILTER))) ?? []);

  const root = newNode('', '/', { file: files.place(JCR_ROOT.slice(0, -1)) });
  const configTexts = new Map<string, string>();
  for (const { name, type } of files.entries) {
    if (!name.startsWith(JCR_ROOT) || type === 'link') continue;
    const place = { file: files.place(name) };
    const below = name.slice(JCR_ROOT.length);
    if (type === 'folder') {
      ensureNode(root, repositoryPath(below), place);
    } else if (/(^|\/)\.content\.xml$/.test(name)) {
      const xml = await xmlOf(name);
      const node = ensureNode(root, repositoryPath(below.replace(/\.content\.xml$/, '')), place);
      if (xml !== undefined) tryXml(name, () => readDocView(xml, node, place.file));
    } else {
      const path = repositoryPath(below);
      const xml = /\.xml$/i.test(name) ? await xmlOf(name) : undefined;
      if (xml !== undefined && looksLikeDocView(xml)) {
        const node = ensureNode(root, path.replace(/\.xml$/i, ''), place);
        tryXml(name, () => readDocView(xml, node, place.file));
        continue;
      }
      const node = ensureNode(root, path, place);
      if (node.type === '' || node.type === 'nt:folder') node.type = 'nt:file';
      node.own = true;
      if (isConfigFile(path)) {
        const bytes = await files.read(name, MAX_CONFIG_SIZE);
        const text = bytes && decodeText(bytes);
        if (text === undefined) refuse(name, 'it is not text in UTF-8 of at most 1 MiB');
        else configTexts.set(path, text);
      }
    }
  }
  const id = ['group', 'name', 'version'].map((key) => properties.get(key) ?? '').join(':');
  const packageType = properties.get('packageType')?.toLowerCase() ?? known.packageType;
  const target = properties.get('cloudManagerTarget')?.toLowerCase();
  return {
    label: files.label,
    ...(properties.has('name') && { id }),
    ...(packageType !== undefined && { packageType }),
    ...(target !== undefined && { target }),
    runModes: known.runModes ?? [],
    filters,
    root,
    configTexts,
    place: { file: files.place(filterXml === undefined ? JCR_ROOT.slice(0, -1) : FILTER) },
    unreadable,
  };
}

export const isConfigFile = (path: string): boolean => /\.(config|cfg|cfg\.json)$/i.test(path);

function ensureNode(root: RepositoryNode, path: string, place: Place): RepositoryNode {
  let node = root;
  for (const name of path.split('/').filter(Boolean)) {
    let child = node.children.get(name);
    if (!child) {
      child = newNode(name, node.path === '/' ? `/${name}` : `${node.path}/${name}`, place);
      child.type = 'nt:folder';
      node.children.set(name, child);
    }
    node = child;
  }
  return node;
}
