import type { AemPackage } from '../../model/artifacts.ts';
import type { Flavour } from '../../model/schema/definition.ts';
import { invalid, withArchive, type ZipEntry } from '../zip/archive.ts';
import { listExtractable } from '../zip/extract.ts';
import { checkContent } from '../zip/read.ts';
import { isPackage, PROPERTIES, readPackage } from './contents.ts';

export type ReadArtifact =
  | { readonly kind: 'aem'; readonly package: AemPackage }
  | { readonly kind: 'dispatcher'; readonly flavour?: 'aem_cloud_service' }
  | { readonly kind: 'kept'; readonly reason: string };

/**
 * Tells from its content what a zip of a build is, and reads it when it is a content package. Whether a dispatcher
 * package holds the full file set is for the node to say that it is deployed to.
 * @param wanted the flavour of the program that it is built for
 * @throws Failure `InvalidArtifact` for a zip that is hostile, damaged or meant for something else, such as the
 *   dispatcher configuration of the other flavour; the signal's reason
 */
export function readArtifact(
  path: string,
  wanted: Flavour = 'aem_managed_services',
  signal?: AbortSignal,
): Promise<ReadArtifact> {
  return withArchive(path, async (archive): Promise<ReadArtifact> => {
    const { entries, label } = archive;
    const flavour = dispatcherFlavour(entries);
    if (isPackage(entries)) {
      if (flavour)
        throw invalid(
          label,
          'it holds both a content package and a dispatcher configuration: build two zips',
        );
      const { package: found, target } = await readPackage(archive, signal);
      if (target?.toLowerCase() === 'none')
        return { kind: 'kept', reason: 'its property cloudManagerTarget is none' };
      return { kind: 'aem', package: found };
    }
    if (!flavour) return { kind: 'kept', reason: reasonToKeep(entries) };
    if (flavour !== wanted) throw invalid(label, otherFlavour[flavour]);
    await listExtractable(path);
    for (const entry of entries) if (entry.type !== 'folder') await checkContent(archive, entry, signal);
    return flavour === 'aem_cloud_service' ? { kind: 'dispatcher', flavour } : { kind: 'dispatcher' };
  });
}

const otherFlavour: Readonly<Record<Flavour, string>> = {
  aem_cloud_service:
    'it is a dispatcher configuration for AEM as a Cloud Service, without conf/ and conf.modules.d/: ' +
    'Managed Services needs the full set of conf/, conf.d/, conf.dispatcher.d/ and conf.modules.d/',
  aem_managed_services:
    'it is a dispatcher configuration for Managed Services, with conf/ or conf.modules.d/: AEM as a Cloud Service ' +
    'brings those itself and takes conf.d/ and conf.dispatcher.d/ only',
};

/**
 * By top-level folders. An incomplete set counts too, so that a package with a folder missing is reported as such and
 * not passed over.
 */
function dispatcherFlavour(entries: readonly ZipEntry[]): Flavour | undefined {
  const has = (folder: string) =>
    entries.some(({ name, type }) => name.startsWith(`${folder}/`) || (name === folder && type === 'folder'));
  const hasConf = has('conf');
  const hasModules = has('conf.modules.d');
  const hasConfD = has('conf.d');
  const hasDispatcher = has('conf.dispatcher.d');
  if (hasConfD && hasDispatcher && !hasConf && !hasModules) return 'aem_cloud_service';
  const folders = [hasConf, hasConfD, hasDispatcher, hasModules].filter(Boolean).length;
  return hasDispatcher || folders > 1 ? 'aem_managed_services' : undefined;
}

function reasonToKeep(entries: readonly ZipEntry[]): string {
  const kinds = 'it is neither a content package nor a dispatcher package';
  if (entries.some(({ name }) => name === PROPERTIES)) return `${kinds}: there is no jcr_root/`;
  if (entries.some(({ name }) => name.startsWith('jcr_root/'))) return `${kinds}: there is no ${PROPERTIES}`;
  return kinds;
}
