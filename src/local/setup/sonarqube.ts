import { join } from 'node:path';
import { DEPENDENCY_PLUGIN, fromMaven } from './from-maven.ts';
import type { SetUp } from './tool.ts';

/** The version that Cloud Manager uses. */
const VERSION = '9.9.8.100196';
/** Analysers of other languages, half of its 320 MB. */
const OTHER_LANGUAGES = 'csharp flex go html iac javascript kotlin php python ruby scala text vbnet'.split(
  ' ',
);

/**
 * The folder of a SonarQube server that knows Java, from the cache folder or from Maven's registry.
 * @throws Failure `Missing` with Maven's own words
 */
export async function findSonarqube(maven: string, setUp: SetUp): Promise<string> {
  const folder = await fromMaven(
    maven,
    {
      name: 'SonarQube',
      folder: `sonarqube-${VERSION}`,
      fill: ({ mvn }, here) =>
        mvn(
          ...[`${DEPENDENCY_PLUGIN}:3.6.1:unpack`, `-DoutputDirectory=${here}`],
          `-Dartifact=org.sonarsource.sonarqube:sonar-application:${VERSION}:zip`,
          `-Dmdep.unpack.excludes=${OTHER_LANGUAGES.map((language) => `**/sonar-${language}-plugin-*.jar`).join()}`,
        ),
    },
    setUp,
  );
  return join(folder, `sonarqube-${VERSION}`);
}
