import { join, relative } from 'node:path';
import type { KeptArtifact } from '../model/artifacts.ts';
import { Failure } from '../systems/failure.ts';
import { testType } from '../systems/functional-tests/custom/test-jar.ts';
import { UI_TESTS } from '../systems/functional-tests/ui/context.ts';
import type { Storage } from '../systems/storage/storage.ts';
import { keep, targetFiles } from './build-artifacts.ts';

/**
 * Brings the project's own tests to storage, if the build made any: a JAR with functional tests, told by its manifest,
 * and a Docker context with UI tests, told by its name.
 * @throws Failure `InvalidArtifact` when there are several of a kind, naming them; the signal's reason
 */
export async function collectTests(
  folder: string,
  prefix: string,
  storage: Storage,
  log: (line: string) => void,
  signal?: AbortSignal,
): Promise<KeptArtifact[]> {
  const jars = await testJars(folder, log, signal);
  refuseSeveral(folder, jars, 'test JARs', 'give Cloud-Manager-TestType to the manifest of that one only');
  const contexts = await targetFiles(folder, UI_TESTS);
  refuseSeveral(folder, contexts, 'archives of UI tests', `name one of them only *${UI_TESTS}`);
  const stored = async (path: string, what: string, test: 'functional' | 'ui', reason: string) => {
    const file = await keep(join(folder, path), path, prefix, storage, signal);
    log(`${path}: ${what} (${file.size} bytes, SHA-256 ${file.sha256})`);
    return { kind: 'kept', path, file, test, reason } as const;
  };
  return Promise.all([
    ...jars.map((jar) =>
      stored(
        relative(folder, jar),
        'test JAR, for Custom Functional Testing',
        'functional',
        'it holds functional tests',
      ),
    ),
    ...contexts.map((context) =>
      stored(relative(folder, context), 'UI tests, for Custom UI Testing', 'ui', 'it holds UI tests'),
    ),
  ]);
}

async function testJars(
  folder: string,
  log: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<string[]> {
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
  return found;
}

function refuseSeveral(folder: string, found: readonly string[], what: string, remedy: string): void {
  if (found.length > 1)
    throw new Failure(
      'InvalidArtifact',
      `the build produced ${found.length} ${what}: ${found.map((file) => relative(folder, file)).join(', ')}; there may ` +
        `be one: ${remedy}`,
    );
}
