import { createReadStream } from 'node:fs';
import type { ImageActivities } from '../model/activities.ts';
import type { BuildImagesInput, BuildImagesOutput, BuiltImage } from '../model/images.ts';
import { buildImages, type ImageSettings, type LocalImage } from '../systems/images/build.ts';
import { pushImage } from '../systems/images/push.ts';
import { kubernetesConfiguration } from '../systems/kubernetes/manifests.ts';
import type { Secrets } from '../systems/secrets.ts';
import type { Storage } from '../systems/storage/storage.ts';
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
});

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
    for (const image of local) images.push(await store(deps.storage, prefix, image, signal));
    const { push, repository } = deps;
    const credentials = push?.credentials && (await push.secret(push.credentials));
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
    return { builder, images, kubernetes };
  });
}

/** The key holds the digest: what is there under it is that image. */
async function store(
  storage: Storage,
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
  return { role, digest, archive: stored, billOfMaterials: bill, ...(base && { base }) };
}

async function storeKubernetes(
  { storage, repository }: BuildImagesDeps,
  { environments, programId }: BuildImagesInput,
  prefix: string,
  images: readonly BuiltImage[],
): Promise<BuildImagesOutput['kubernetes']> {
  const references = Object.fromEntries(
    images.map(({ role, digest }) => [role, { name: `${repository}/${role}`, digest }]),
  );
  return Promise.all(
    environments.map(async (environment) => {
      const files = kubernetesConfiguration(programId, environment, references);
      const folder = `${prefix}/kubernetes/${environment.id}`;
      const stored = Object.entries(files).map(([name, text]) => storage.put(`${folder}/${name}`, text));
      return { environmentId: environment.id, files: await Promise.all(stored) };
    }),
  );
}
