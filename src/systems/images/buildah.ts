import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BaseImage } from '../../model/images.ts';
import type { FailureType } from '../../model/failures.ts';
import { cleanEnvironment } from '../clean-environment.ts';
import { USER_SETTINGS } from '../build-engine/container-program.ts';
import { Failure } from '../failure.ts';
import { run } from '../process.ts';
import { SCRATCH, type BuildOptions, type ImageBuilder, type ImageInLayout } from './builder.ts';

export interface BuildahSettings {
  /** Path or name of buildah; `buildah` when absent. */
  readonly program?: string;
  /** Arguments before the command: `--storage-driver`, `--root`, ... */
  readonly globalArgs?: readonly string[];
}

/** Tag inside the layout; the digest does not depend on it. */
const TAG = 'image';

/**
 * Images by Buildah, step by step: it needs no daemon and no privilege beyond a user namespace, and its working
 * container has a name, so that a dead attempt's can be removed. Every time stamp in the image is 1970-01-01.
 */
export function buildah({ program = 'buildah', globalArgs = [] }: BuildahSettings = {}): ImageBuilder {
  const env = cleanEnvironment(process.env, [...USER_SETTINGS, 'REGISTRY_AUTH_FILE']);
  const ask = (args: readonly string[], options: Partial<BuildOptions> = {}) =>
    run(program, [...globalArgs, ...args], { env, onLine: options.onLine, signal: options.signal });
  const perform = async (args: readonly string[], options: Pick<BuildOptions, 'onLine' | 'signal'>) => {
    options.onLine(`$ buildah ${args.join(' ')}`);
    const { code, stdout, stderr } = await ask(args, options);
    if (code === 0) return stdout.trim();
    const details = linesOf(stderr);
    throw new Failure('Rejected', `buildah ${args[0]} failed: ${details.at(-1) ?? `exit code ${code}`}`, {
      details,
    });
  };

  const begin = async (base: string, options: BuildOptions): Promise<BaseImage | undefined> => {
    const container = nameOf(options.id);
    try {
      await perform(['from', '--name', container, base], options);
    } catch (error) {
      throw error instanceof Failure && base !== SCRATCH ? baseFailure(base, error, ofSettings) : error;
    }
    if (base === SCRATCH) return undefined;
    const format = '{{.FromImageDigest}}';
    return {
      name: base,
      digest: await perform(['inspect', '--type', 'container', '--format', format, container], options),
    };
  };
  /** Without the signal: what has been cancelled is to be cleared all the same. */
  const removeContainer = async (id: string) => void (await ask(['rm', nameOf(id)]));
  const removeImage = async (id: string) => void (await ask(['rmi', '--force', imageOf(id)]));

  return {
    clear: async (id) => {
      await removeContainer(id);
      await removeImage(id);
    },
    async version(signal) {
      const { code, stdout, stderr } = await ask(['--version'], { signal });
      const [, version] = /version (\S+)/.exec(stdout) ?? [];
      if (code === 0 && version) return `buildah ${version}`;
      throw new Failure(
        'Missing',
        `${program} does not work here: ${linesOf(stderr).at(-1) ?? 'no version'}`,
      );
    },
    async build({ base, content, labels, history }, options): Promise<ImageInLayout> {
      const container = nameOf(options.id);
      await removeContainer(options.id);
      try {
        const from = await begin(base, options);
        await perform(['copy', '--chown', '0:0', container, content, '/'], options);
        const known = { ...labels, ...(from && baseLabels(from)) };
        const settings = Object.entries(known)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .flatMap(([name, value]) => ['--label', `${name}=${value}`]);
        await perform(['config', '--created-by', history, ...settings, container], options);
        const target = `oci:${options.layout}:${TAG}`;
        await perform(
          ['commit', '--quiet', '--format', 'oci', '--timestamp', '0', container, target],
          options,
        );
        return { digest: await digestOf(options.layout), ...(from && { base: from }) };
      } finally {
        await removeContainer(options.id);
      }
    },
    async buildContext({ context, args, archive, ...options }) {
      const image = imageOf(options.id);
      const file = ['--format', 'docker', '--tag', image, '--file', join(context, 'Dockerfile')];
      try {
        await perform(['build', ...file, ...args, context], options);
        await perform(['push', '--quiet', image, `docker-archive:${archive}:${image}`], options);
        return image;
      } catch (error) {
        const [, ...named] = (error instanceof Failure && NO_BASE.exec(error.details.join('\n'))) || [];
        const base = named.find(Boolean);
        throw base ? baseFailure(base, error as Failure, ofDockerfile) : error;
      } finally {
        await removeImage(options.id);
      }
    },
  };
}

const nameOf = (id: string) => `fairway-image-${id}`;
const imageOf = (id: string) => `localhost/${nameOf(id)}:latest`;

/** How Buildah says that it cannot begin with a base image, and which: from a registry, or by a name without one. */
const NO_BASE = /creating build container: (?:.*docker:\/\/(\S+?): |short-name "([^"]+)")/;

const linesOf = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

const baseLabels = ({ name, digest }: BaseImage) => ({
  'org.opencontainers.image.base.name': name,
  'org.opencontainers.image.base.digest': digest,
});

/** What kind of failure it is that a base image cannot be had, and what to do. */
type Reason = readonly [type: FailureType, remedy: string];

/** The words are those of containers/image, on which Buildah stands, and of the Go library beneath it. */
const reasons: readonly (readonly [RegExp, Reason])[] = [
  [
    /unauthorized|authentication required|denied/i,
    ['Denied', 'give buildah the credentials of its registry'],
  ],
  [
    /no such host|connection refused|timeout|timed out|unreachable|received unexpected HTTP status: 5/i,
    ['Unavailable', 'its registry cannot be reached from this worker'],
  ],
];
const ofSettings: Reason = ['Missing', "name one that is there in the worker's settings"];
const ofDockerfile: Reason = ['InvalidArtifact', 'name one that is there in the Dockerfile'];

function baseFailure(base: string, failure: Failure, otherwise: Reason): Failure {
  const words = failure.details.join('\n');
  const [, [type, remedy]] = reasons.find(([pattern]) => pattern.test(words)) ?? [undefined, otherwise];
  const last = failure.details.at(-1) ?? failure.message;
  return new Failure(type, `the base image ${base} cannot be had: ${remedy} (${last})`, {
    details: failure.details,
  });
}

async function digestOf(layout: string): Promise<string> {
  const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as {
    manifests?: { digest?: string }[];
  };
  const [manifest, ...others] = index.manifests ?? [];
  if (!manifest?.digest || others.length > 0)
    throw new Failure('Rejected', `buildah left ${others.length + 1} images in ${layout}: one was asked for`);
  return manifest.digest;
}
