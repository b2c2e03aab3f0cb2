import type { AemPackage } from '../../model/artifacts.ts';
import { invalid, withArchive, type ZipEntry } from '../zip/archive.ts';
import { listExtractable } from '../zip/extract.ts';
import { isPackage, PROPERTIES, readPackage } from './contents.ts';

export type ReadArtifact =
  | { readonly kind: 'aem'; readonly package: AemPackage }
  | { readonly kind: 'dispatcher' }
  | { readonly kind: 'kept'; readonly reason: string };

/**
 * Tells from its content what a zip of a build is, and reads it when it is a content package. Whether a dispatcher
 * package holds the full file set is for the node to say that it is deployed to.
 * @throws Failure `InvalidArtifact` for a zip that is hostile, damaged or meant for something else
 */
export function readArtifact(path: string): Promise<ReadArtifact> {
  return withArchive(path, async (archive): Promise<ReadArtifact> => {
    const { entries, label } = archive;
    const flavour = dispatcherFlavour(entries);
    if (isPackage(entries)) {
      if (flavour)
        throw invalid(
          label,
          'it holds both a content package and a dispatcher configuration: build two zips',
        );
      const { package: found, target } = await readPackage(archive);
      if (target?.toLowerCase() === 'none')
        return { kind: 'kept', reason: 'its property cloudManagerTarget is none' };
      return { kind: 'aem', package: found };
    }
    if (flavour === 'cloud')
      throw invalid(
        label,
        'it is a dispatcher configuration for AEM as a Cloud Service, without conf/ and conf.modules.d/: ' +
          'Managed Services needs the full set of conf/, conf.d/, conf.dispatcher.d/ and conf.modules.d/',
      );
    if (flavour === 'ams') {
      await listExtractable(path);
      return { kind: 'dispatcher' };
    }
    return { kind: 'kept', reason: reasonToKeep(entries) };
  });
}

/**
 * By top-level folders. An incomplete set counts too, so that a package with a folder missing is reported as such and
 * not passed over.
 */
function dispatcherFlavour(entries: readonly ZipEntry[]): 'ams' | 'cloud' | undefined {
  const has = (folder: string) =>
    entries.some(({ name, type }) => name.startsWith(`${folder}/`) || (name === folder && type === 'folder'));
  const hasConf = has('conf');
  const hasModules = has('conf.modules.d');
  const hasConfD = has('conf.d');
  const hasDispatcher = has('conf.dispatcher.d');
  if (hasConfD && hasDispatcher && !hasConf && !hasModules) return 'cloud';
  const folders = [hasConf, hasConfD, hasDispatcher, hasModules].filter(Boolean).length;
  return hasDispatcher || folders > 1 ? 'ams' : undefined;
}

function reasonToKeep(entries: readonly ZipEntry[]): string {
  const kinds = 'it is neither a content package nor a dispatcher package';
  if (entries.some(({ name }) => name === PROPERTIES)) return `${kinds}: there is no jcr_root/`;
  if (entries.some(({ name }) => name.startsWith('jcr_root/'))) return `${kinds}: there is no ${PROPERTIES}`;
  return kinds;
}
