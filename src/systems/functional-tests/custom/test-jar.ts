import { parseManifest } from '../../packages/manifest.ts';
import { readEntry } from '../../zip/read.ts';

const LARGEST_MANIFEST = 1024 * 1024;
const LONGEST_TYPE = 100;

/**
 * What the manifest of a JAR says of tests in it, `Cloud-Manager-TestType` (Cloud Manager, "Java functional testing");
 * undefined when it says nothing.
 * @throws Failure `InvalidArtifact` when it cannot be read
 */
export async function testType(jar: string): Promise<string | undefined> {
  const manifest = await readEntry(jar, 'META-INF/MANIFEST.MF', LARGEST_MANIFEST);
  return manifest && parseManifest(manifest).get('cloud-manager-testtype')?.slice(0, LONGEST_TYPE);
}
