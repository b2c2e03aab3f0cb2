import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../../src/local/setup/prepare.ts';
import { run } from '../../src/systems/process.ts';

const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy';
const RUNNER = join(import.meta.dirname, 'FileVault.java');

/**
 * Asks the classes of a FileVault release, in a JVM of their own; the release is fetched with Maven at the first call.
 * @param questions fields without tabs or line breaks, see FileVault.java
 * @returns an answer for each question; `refused` where FileVault throws
 */
export async function askFileVault(
  version: string,
  questions: readonly (readonly string[])[],
): Promise<string[]> {
  const classes = await Promise.all([
    jar(`org.apache.jackrabbit.vault:org.apache.jackrabbit.vault:${version}`),
    jar('org.apache.jackrabbit:jackrabbit-jcr-commons:2.20.8'),
  ]);
  const args = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', classes.join(':'), RUNNER];
  const input = questions.map((fields) => `${fields.join('\t')}\n`).join('');
  const { code, stdout, stderr } = await run('java', args, { input });
  const answers = stdout.split('\n').slice(0, -1);
  if (code !== 0 || answers.length !== questions.length)
    throw new Error(`FileVault ${version} gave ${answers.length} answers, code ${code}: ${stderr}`);
  return answers;
}

async function jar(coordinates: string): Promise<string> {
  const folder = join(cacheFolder(), 'filevault');
  const name = `${coordinates.split(':').slice(1).join('-')}.jar`;
  const path = join(folder, name);
  if (await access(path).catch((error: Error) => error)) {
    await mkdir(folder, { recursive: true });
    const partial = await mkdtemp(join(folder, 'fetching-'));
    try {
      const args = ['-B', '-q', COPY, `-Dartifact=${coordinates}`, `-DoutputDirectory=${partial}`];
      const { code, stdout } = await run('mvn', args);
      if (code !== 0) throw new Error(`Maven cannot fetch ${coordinates}: ${stdout}`);
      await rename(join(partial, name), path);
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  }
  return path;
}
