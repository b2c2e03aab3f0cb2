import { basename, dirname, posix } from 'node:path';
import type { Files, Origin } from './files.ts';
import type { Origins } from './nested.ts';
import { parseXml, type XmlElement } from './content/xml.ts';

/** What in a project folder can be scanned. */
export interface Project {
  /** Built zips, `ui.apps/target/site.ui.apps-1.0.0.zip`. */
  readonly zips: readonly string[];
  /** Folders with `jcr_root` or a filter, of modules without a built zip. */
  readonly contentFolders: readonly string[];
  /** Folders with `conf.dispatcher.d`, of modules without a built zip. */
  readonly dispatcherFolders: readonly string[];
  /** For the files of a zip of the build, where they are in the sources. */
  readonly origins: Origins;
}

/**
 * Looks through the files of a project.
 * @param zips paths of `target/*.zip`
 */
export function exploreProject(files: Files, zips: readonly string[]): Project {
  const names = new Set(files.entries.map(({ name }) => name));
  const moduleOf = (folder: string): string => {
    for (let at = folder; at !== '' && at !== '.'; at = dirname(at))
      if (names.has(`${at}/pom.xml`)) return at;
    return '.';
  };
  const isBuilt = (folder: string) => zips.some((zip) => builtBy(zip) === moduleOf(folder));
  const parentsOf = (marker: string): string[] => {
    const below = new RegExp(`^(?:(.*)/)?${marker.replaceAll('.', '\\.')}(?:/|$)`);
    const found = [...names].map((name) => below.exec(name)).filter((match) => match !== null);
    return [...new Set(found.map((match) => match[1] ?? ''))];
  };
  // A package without content of its own only empties what its filter names.
  const contentFolders = [
    ...new Set([...parentsOf('jcr_root'), ...parentsOf('META-INF/vault/filter.xml')]),
  ].filter((folder) => !folder.includes('jcr_root'));
  const dispatcherFolders = parentsOf('conf.dispatcher.d').filter(
    (folder) => names.has(join(folder, 'conf.d')) || names.has(join(folder, 'conf')),
  );
  const sourceFolders = [...contentFolders, ...dispatcherFolders];
  return {
    zips,
    contentFolders: contentFolders.filter((folder) => !isBuilt(folder)),
    dispatcherFolders: dispatcherFolders.filter((folder) => !isBuilt(folder)),
    origins: (zipName) => {
      const built = zips.find((zip) => basename(zip) === zipName);
      const folders = sourceFolders.filter((folder) => built && moduleOf(folder) === builtBy(built));
      const origin: Origin = (name) =>
        folders.map((folder) => join(folder, name)).find((path) => names.has(path));
      return origin;
    },
  };
}

const join = (folder: string, name: string) => (folder === '' ? name : posix.join(folder, name));

/** The module that a zip was built by: the folder that holds `target`. */
const builtBy = (zip: string) => dirname(dirname(zip));

/** The package type that a module's pom.xml gives, when there is one above the folder and it can be read. */
export async function packageTypeOf(files: Files, folder: string): Promise<string | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    const bytes = await files.read(join(at === '.' ? '' : at, 'pom.xml'), 1024 ** 2);
    if (bytes) return typeIn(bytes.toString());
    if (at === '' || at === '.') return undefined;
  }
}

function typeIn(pom: string): string | undefined {
  try {
    return elementText(parseXml(pom), 'packageType');
  } catch {
    return undefined;
  }
}

function elementText(element: XmlElement, name: string): string | undefined {
  if (element.name === name) return element.text.trim().toLowerCase();
  for (const child of element.children) {
    const text = elementText(child, name);
    if (text !== undefined) return text;
  }
  return undefined;
}
