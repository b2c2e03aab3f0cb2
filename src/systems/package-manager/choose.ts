import type { Instance } from '../../model/schema/definition.ts';
import { composumPackageManager } from './composum.ts';
import { crxPackageManager } from './crx.ts';
import type { PackageManager } from './package-manager.ts';

/**
 * The package manager of an instance, of the kind that its definition names.
 * @param credentials `user:password`
 */
export function packageManagerOf(
  { url, packageManager = 'crx' }: Pick<Instance, 'url' | 'packageManager'>,
  credentials: string,
): PackageManager {
  const drivers = { crx: crxPackageManager, composum: composumPackageManager };
  return drivers[packageManager]({ url, credentials });
}
