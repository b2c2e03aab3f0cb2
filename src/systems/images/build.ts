import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildImagesInput, ImageRole } from '../../model/images.ts';
import type { Storage } from '../storage/storage.ts';
import { INSTALL_FOLDER, layOutPackages } from './aem.ts';
import { packLayout } from './archive.ts';
import { billOfMaterials } from './bill-of-materials.ts';
import type { ImageBuilder, ImageInLayout } from './builder.ts';
import type { Content } from './contents.ts';
import { layOutConfiguration, SERVER_ROOT, type DispatcherDefaults } from './dispatcher.ts';
import { labelsOf } from './labels.ts';

export interface ImageSettings {
  readonly builder: ImageBuilder;
  /** What the images are built on: a reference each, or `scratch`. */
  readonly base: Readonly<Record<ImageRole, string>>;
  readonly dispatcher: DispatcherDefaults;
}

export interface BuildContext {
  /** The same for every attempt; letters, digits and dashes. */
  readonly id: string;
  /** An empty folder, which the caller removes. */
  readonly work: string;
  readonly storage: Storage;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** An image on this machine, not in storage yet. */
export interface LocalImage extends ImageInLayout {
  readonly role: ImageRole;
  /** Path of the OCI archive. */
  readonly archive: string;
  readonly billOfMaterials: string;
}

/**
 * Makes the images of a build: one of its AEM packages and one of its dispatcher package, as far as there are any.
 * Everything that goes into them is put together and tested before the first is built.
 * @throws Failure of what goes into them (`layOutPackages`, `layOutConfiguration`) and of the builder
 */
export async function buildImages(
  settings: ImageSettings,
  input: Omit<BuildImagesInput, 'log'>,
  context: BuildContext,
): Promise<LocalImage[]> {
  const { artifacts } = input;
  const { storage, log, signal } = context;
  const plans: { role: ImageRole; history: string; root: string; contents: Content[] }[] = [];
  const folder = async (name: string) => {
    await mkdir(join(context.work, name), { recursive: true, mode: 0o755 });
    return join(context.work, name);
  };

  const packages = artifacts.filter((artifact) => artifact.kind === 'aem');
  if (packages.length > 0) {
    const root = await folder('aem');
    const contents = await layOutPackages(packages, root, storage, log, signal);
    plans.push({ role: 'aem', history: `packages in /${INSTALL_FOLDER}`, root, contents });
  } else log('the build has no AEM package: there will be no AEM image');

  const dispatcher = artifacts.find((artifact) => artifact.kind === 'dispatcher');
  if (dispatcher) {
    const [root, work] = [await folder('dispatcher'), await folder('dispatcher.work')];
    log(`${dispatcher.path}: putting the configuration together`);
    const places = { root, work };
    const contents = await layOutConfiguration(settings.dispatcher, dispatcher, places, storage, log, signal);
    plans.push({ role: 'dispatcher', history: `configuration in /${SERVER_ROOT}`, root, contents });
  } else log('the build has no dispatcher package: there will be no dispatcher image');

  const images: LocalImage[] = [];
  for (const { role, history, root, contents } of plans) {
    const labels = labelsOf(role, input);
    const recipe = { base: settings.base[role], content: root, labels, history };
    const layout = join(context.work, `${role}.layout`);
    log(`building the ${role} image on ${recipe.base}`);
    const options = { id: `${context.id}-${role}`, layout, onLine: log, signal };
    const image = await settings.builder.build(recipe, options);
    const archive = join(context.work, `${role}.tar`);
    await packLayout(layout, archive, signal);
    log(`${role} image: ${image.digest}, ${contents.length} ${role === 'aem' ? 'packages' : 'files'}`);
    images.push({ ...image, role, archive, billOfMaterials: billOfMaterials(role, image, labels, contents) });
  }
  return images;
}
