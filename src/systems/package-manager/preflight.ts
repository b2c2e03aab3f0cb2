import type { AemArtifact } from '../../model/artifacts.ts';
import { missingDependencies } from '../../model/package-order.ts';
import { bundleStates, type PackageManager } from './package-manager.ts';
import { unwell } from './settle.ts';

export interface Findings {
  /** Reasons not to begin, one sentence each. */
  readonly problems: readonly string[];
  /** What a person should know and what does not stand in the way. */
  readonly notes: readonly string[];
}

/** Present while a service pack installs itself (the rule is wcm.io's). */
const UPDATER = /^updater\.aem/;

/**
 * What would go wrong if packages were installed on an instance now. Changes nothing.
 * @throws what the package manager throws
 */
export async function preflight(
  manager: PackageManager,
  artifacts: readonly AemArtifact[],
  signal?: AbortSignal,
): Promise<Findings> {
  const [there, { finished, itemCount }, bundles] = await Promise.all([
    manager.list(signal),
    manager.status(signal),
    manager.bundles(signal),
  ]);
  const broken = await unwell(manager, bundles, signal);
  const updater = bundles.find(
    ({ symbolicName, state }) => UPDATER.test(symbolicName) && state !== bundleStates.uninstalled,
  );
  return {
    problems: [
      ...(finished ? [] : [`its installer is busy (${itemCount} items). Wait until it is done.`]),
      ...(updater
        ? [`a service pack is being installed (bundle ${updater.symbolicName}). Wait until it is done.`]
        : []),
      ...missingDependencies(
        artifacts,
        there.filter(({ lastUnpacked }) => lastUnpacked > 0),
      ),
    ],
    notes: broken.map(
      ({ symbolicName }) => `bundle ${symbolicName} is not active, and need not be after this deployment`,
    ),
  };
}
