import { join } from 'node:path';
import { DEPENDENCY_PLUGIN, fromMaven } from './from-maven.ts';
import type { SetUp } from './tool.ts';

export interface SlingFiles {
  /** Apache Sling CMS as a feature archive, with everything in it. */
  readonly archive: string;
  /** Folder with the jars of the launcher. */
  readonly libraries: string;
}

const VERSION = '1.1.8';
const LAUNCHER = '1.3.4';
const ARCHIVE = `org.apache.sling:org.apache.sling.cms.feature:${VERSION}:far:slingcms_standalone_far`;

/**
 * Apache Sling CMS (230 MB) and Sling's launcher, from the cache folder or from Maven's registry.
 * @throws Failure `Missing` with Maven's own words
 */
export async function findSling(maven: string, setUp: SetUp): Promise<SlingFiles> {
  const folder = await fromMaven(
    maven,
    {
      name: 'Sling CMS',
      folder: `sling-cms-${VERSION}`,
      async fill({ mvn, perform }, here) {
        // Version 3 of the plugin wants the parent of the archive's descriptor, which no registry has.
        await mvn(
          ...[`${DEPENDENCY_PLUGIN}:2.10:get`, '-Dtransitive=false'],
          ...[`-Dartifact=${ARCHIVE}`, '-Ddest=sling-cms.far'],
        );
        const launcher = `org.apache.sling:org.apache.sling.feature.launcher:${LAUNCHER}:tar.gz`;
        await mvn(`${DEPENDENCY_PLUGIN}:3.6.1:copy`, `-Dartifact=${launcher}`, `-DoutputDirectory=${here}`);
        await perform('tar', '-xzf', `org.apache.sling.feature.launcher-${LAUNCHER}.tar.gz`);
      },
    },
    setUp,
  );
  return {
    archive: join(folder, 'sling-cms.far'),
    libraries: join(folder, `org.apache.sling.feature.launcher-${LAUNCHER}`, 'lib'),
  };
}
