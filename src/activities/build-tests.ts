import { relative } from 'node:path';
import type { KeptArtifact } from '../model/artifacts.ts';
import { Failure } from '../systems/failure.ts';
import { testType } from '../systems/functional-tests/custom/test-jar.ts';
import type { Storage } from '../systems/storage/storage.ts';
import { keep, targetFiles } from './build-artifacts.ts';

/**
 * Brings the JAR with the project's functional tests to storage, if the build made one: it is told by its manifest.
 * @throws Failure `InvalidArtifact` when there are several, naming them; the signal's reason
 */
export async function collectTestJar(
  folder: string,
  prefix: string,
  storage: Storage,
  log: (line: string) => void,
  signal?: AbortSignal,
): Promise<KeptArtifact[]> {
  const found: string[] = [];
  for (const jar of await targetFiles(folder, '.jar')) {
    signal?.throwIfAborted();
    const type = await testType(jar).catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error;
      // Not everything that is called a JAR is one that Java would have to read.
      log(`${relative(folder, jar)}: cannot be read, so it is no test JAR: ${error.message}`);
      return undefined;
    });
    if (type === 'integration-test') found.push(jar);
    else if (type)
      log(`${relative(folder, jar)}: tests of the unknown type ${JSON.stringify(type)}, not run`);
  }
  if (found.length > 1)
    throw new Failure(
      'InvalidArtifact',
      `the build produced ${found.length} test JARs: ${found.map((jar) => relative(folder, jar)).join(', ')}; there may ` +
        'be one: give Cloud-Manager-TestType to the manifest of that one only',
    );
  return Promise.all(
    found.map(async (jar) => {
      const path = relative(folder, jar);
      const file = await keep(jar, path, prefix, storage, signal);
      log(`${path}: test JAR, for Custom Functional Testing (${file.size} bytes, SHA-256 ${file.sha256})`);
      return { kind: 'kept', path, file, test: 'functional', reason: 'it holds functional tests' } as const;
    }),
  );
}
