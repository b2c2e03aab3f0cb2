import { createReadStream } from 'node:fs';
import type { ImageActivities, Problem } from '../model/activities.ts';
import type { BuildImagesInput, BuildImagesOutput, BuiltImage } from '../model/images.ts';
import { buildImages, type ImageSettings, type LocalImage } from '../systems/images/build.ts';
import { askRegistry, pushImage } from '../systems/images/push.ts';
import { kubernetesConfiguration } from '../systems/kubernetes/manifests.ts';
import type { Secrets } from '../systems/secrets.ts';
import type { Storage } from '../systems/storage/storage.ts';
import { problems } from './problems.ts';
import { secretsOf } from './hiding.ts';
import { whileSpeaking, type Spoken } from './spoken-log.ts';
import { markOf, withWorkFolder } from './work-folder.ts';

export interface BuildImagesDeps extends ImageSettings {
  readonly storage: Storage;
  /** Where images are put together, each time in a folder of its own that is removed afterwards. */
  readonly workFolder: string;
  /** Where clusters find the images, `registry.example.com/site`: `/aem` and `/dispatcher` are added. */
  readonly repository: string;
  /** Brings the images there; absent: somebody else does. */
  readonly push?: {
    readonly secret: Secrets;
    /** Name of the secret with `user:password` of the registry; absent: it is open to this worker. */
    readonly credentials?: string;
    /** Whether the registry has no TLS that can be verified. */
    readonly insecure?: boolean;
  };
}

export const buildImagesActivities = (deps: BuildImagesDeps): ImageActivities => ({
  buildImages: (input) => whileSpeaking(deps.storage, input.log, (spoken) => build(deps, input, spoken)),

  checkRegistry: ({ executionKey, log }) =>
    whileSpeaking(deps.storage, log, async ({ signal, say, conceal }) => {
      const { push, repository, workFolder } = deps;
      const thing = `registry of ${repository}`;
      const found = push
        ? await problems(
            thing,
            'see to the registry, to skopeo on the workers that build, and to `images.push` of their settings',
            signal,
            () =>
              withWorkFolder(workFolder, executionKey.replaceAll('/', '-'), async (work) => {
                const credentials = await accountOf(push);
                conceal(credentials ? secretsOf(credentials) : []);
                const { insecure } = push;
                await askRegistry({ repository: `${repository}/aem`, credentials, insecure, work, signal });
                return [];
              }),
          )
        : [notPushing(thing)];
      for (const { problem, remedy } of found) say(`${thing}: ${problem} (${remedy})`);
      return found;
    }),
});

const notPushing = (thing: string): Problem => ({
  thing,
  problem: 'no worker brings images there, and a cluster finds them nowhere else',
  remedy: 'add `images.push` to the settings of the workers that build (docs/cloud-service.md)',
});

const accountOf = async ({ credentials, secret }: NonNullable<BuildImagesDeps['push']>) =>
  credentials === undefined ? undefined : secret(credentials);

async function build(
  deps: BuildImagesDeps,
  input: BuildImagesInput,
  { signal, say, conceal }: Spoken,
): Promise<BuildImagesOutput> {
  const { programId, pipelineId, executionId } = input;
  const id = `${programId}-${pipelineId}-${executionId}`;
  const builder = await deps.builder.version(signal);
  say(`building images of ${input.commit} with ${builder}`);
  return withWorkFolder(deps.workFolder, id, async (work) => {
    const context = { id: markOf(deps.workFolder, id), work, storage: deps.storage, log: say, signal };
    const local = await buildImages(deps, input, context);
    // Until here nothing has been stored: a step that fails or is cancelled leaves its log only.
    signal.throwIfAborted();
    const prefix = `${programId}/${pipelineId}/${executionId}/images`;
    const images: BuiltImage[] = [];
    for (const image of local) images.push(await store(deps, prefix, image, signal));
    const { push, repository } = deps;
    const credentials = push && (await accountOf(push));
    conceal(credentials ? secretsOf(credentials) : []);
    for (const { role, digest, archive } of push ? local : []) {
      const target = { repository: `${repository}/${role}`, tag: executionId };
      await pushImage({ ...target, archive, digest, credentials, insecure: push?.insecure, work, signal });
      say(`pushed ${target.repository}@${digest}`);
    }
    const kubernetes = await storeKubernetes(deps, input, prefix, images);
    say(
      `stored ${images.length} images and the Kubernetes configuration of ${kubernetes.length} environments`,
    );
    return { builder, images, pushed: push !== undefined, kubernetes };
  });
}

/** The key holds the digest: what is there under it is that image. */
async function store(
  { storage, repository }: BuildImagesDeps,
  prefix: string,
  { role, digest, base, archive, billOfMaterials }: LocalImage,
  signal: AbortSignal,
): Promise<BuiltImage> {
  const key = `${prefix}/${role}@${digest.replace(':', '-')}`;
  const stored = await storage.put(`${key}.tar`, createReadStream(archive, { signal })).catch((error) => {
    signal.throwIfAborted();
    throw error;
  });
  const bill = await storage.put(`${key}.cdx.json`, billOfMaterials);
  return {
    ...{ role, name: `${repository}/${role}`, digest, archive: stored, billOfMaterials: bill },
    ...(base && { base }),
  };
}

async function storeKubernetes(
  { storage }: BuildImagesDeps,
  { environments, programId }: BuildImagesInput,
  prefix: string,
  images: readonly BuiltImage[],
): Promise<BuildImagesOutput['kubernetes']> {
  const references = Object.fromEntries(images.map(({ role, name, digest }) => [role, { name, digest }]));
  return Promise.all(
    environments.map(async (environment) => {
      const files = kubernetesConfiguration(programId, environment, references);
      const folder = `${prefix}/kubernetes/${environment.id}`;
      const stored = Object.entries(files).map(([name, text]) => storage.put(`${folder}/${name}`, text));
      return { environmentId: environment.id, files: await Promise.all(stored) };
    }),
  );
}
