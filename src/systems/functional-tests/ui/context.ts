import { createReadStream, createWriteStream } from 'node:fs';
import { lstat, mkdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Failure, messageOf } from '../../failure.ts';
import { run } from '../../process.ts';

/** How the archive ends that a build makes of its UI tests: its classifier is Cloud Manager's. */
export const UI_TESTS = '-ui-test-docker-context.tar.gz';

const LARGEST = 2 * 1024 ** 3;
const LARGEST_PROPERTIES = 100_000;

/**
 * Unpacks the Docker context of UI tests to a new folder.
 * @param label what messages call it
 * @throws Failure `InvalidArtifact` when it is no tar.gz or larger than 2 GiB; the signal's reason
 */
export async function unpackContext(
  archive: string,
  folder: string,
  label: string,
  signal?: AbortSignal,
): Promise<void> {
  const tar = `${folder}.tar`;
  let size = 0;
  const limited = new Transform({
    transform(chunk: Buffer, _, done) {
      size += chunk.length;
      done(size > LARGEST ? new Error('unpacked it is larger than 2 GiB') : null, chunk);
    },
  });
  await pipeline(createReadStream(archive), createGunzip(), limited, createWriteStream(tar), {
    signal,
  }).catch((cause: unknown) => {
    signal?.throwIfAborted();
    throw new Failure('InvalidArtifact', `${label} is no good tar.gz: ${messageOf(cause)}`, { cause });
  });
  await mkdir(folder);
  const { code, stderr } = await run(
    'tar',
    ['-xf', basename(tar), '-C', folder, '--no-same-owner', '--no-same-permissions'],
    { cwd: join(folder, '..'), env: { PATH: process.env.PATH, LC_ALL: 'C' }, signal },
  );
  await rm(tar);
  if (code !== 0)
    throw new Failure('InvalidArtifact', `${label} cannot be unpacked`, {
      details: stderr.split('\n').filter(Boolean).slice(-5),
    });
}

/** Why the tests in a context are not to be run: nobody has opted in; undefined when they are. */
export async function refusalToRun(folder: string): Promise<string | undefined> {
  const file = join(folder, 'testing.properties');
  const found = await lstat(file).catch(() => undefined);
  const text = found?.isFile() && found.size <= LARGEST_PROPERTIES ? await readFile(file, 'utf8') : '';
  const [, version] = /^[ \t]*ui-tests\.version[ \t]*[=:][ \t]*(\S+)/m.exec(text) ?? [];
  if (version === '1') return undefined;
  return version === undefined
    ? 'its archive has no testing.properties with ui-tests.version=1'
    : `testing.properties says ui-tests.version=${version.slice(0, 20)}, and 1 is known`;
}

/** @throws Failure `InvalidArtifact` when a context has no Dockerfile of its own; a link could show any file of this machine */
export async function requireDockerfile(folder: string, label: string): Promise<void> {
  const found = await lstat(join(folder, 'Dockerfile')).catch(() => undefined);
  if (!found?.isFile()) throw new Failure('InvalidArtifact', `${label} has no Dockerfile in its root folder`);
}
