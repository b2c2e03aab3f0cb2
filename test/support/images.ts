import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { prepare } from '../../src/local/setup/prepare.ts';
import type { DispatcherArtifact } from '../../src/model/artifacts.ts';
import type { BuildImagesInput } from '../../src/model/images.ts';
import { buildah } from '../../src/systems/images/buildah.ts';
import type { ImageSettings } from '../../src/systems/images/build.ts';
import type { Storage } from '../../src/systems/storage/storage.ts';
import { run } from '../../src/systems/process.ts';
import { fileSet, testHost, type Files } from '../systems/httpd/host.ts';
import { bundle, containerPackage, GROUP, packageFile, storedArtifact } from './aem-packages.ts';

export interface ImageBench {
  readonly settings: ImageSettings;
  readonly storage: Storage;
  readonly input: BuildImagesInput;
  /** What the builder still has: working containers and images. */
  left(): Promise<string[]>;
  /** Gives the builder an image that others may be built on. */
  keep(archive: string, name: string): Promise<void>;
  /** Stores a dispatcher package of a full file set, with changes. */
  dispatcherPackage(changes: Files): Promise<DispatcherArtifact>;
  /** Stores one of the Cloud Service flavour. */
  cloudPackage(): Promise<DispatcherArtifact>;
}

/**
 * A build of two AEM packages, the dependent one first, and a dispatcher package; a builder with a store of its own;
 * all of it in `folder`.
 */
export async function imageBench(folder: string): Promise<ImageBench> {
  const host = await testHost(folder);
  const { buildah: program } = await prepare(['buildah'], () => undefined);
  const store = join(folder, 'buildah');
  const globalArgs = [
    '--root',
    join(store, 'root'),
    '--runroot',
    join(store, 'run'),
    '--storage-driver',
    'vfs',
  ];
  await mkdir(store);
  const coordinates = 'groupId=com.example\nartifactId=site.author\nversion=1.0.0-SNAPSHOT\n';
  const authorBundle = await bundle(
    'site.author',
    { 'Bundle-Version': '1.0.0.SNAPSHOT' },
    { 'META-INF/maven/com.example/site.author/pom.properties': coordinates },
  );
  const all = await containerPackage(folder, {
    files: { 'apps/site-packages/application/install.author/site.author.jar': authorBundle },
  });
  const content = await packageFile(folder, { name: 'site.sample', dependencies: `${GROUP}:site.all:1.0.0` });
  const dispatcherPackage = (changes: Files) => host.store({ ...fileSet('new'), ...changes });
  const isCloud = ([name]: [string, string]) => /^conf\.(dispatcher\.)?d\//.test(name);
  return {
    settings: {
      builder: buildah({ program, globalArgs }),
      base: { aem: 'scratch', dispatcher: 'scratch' },
      dispatcher: host.settings,
    },
    storage: host.storage,
    dispatcherPackage,
    cloudPackage: () => host.store(Object.fromEntries(Object.entries(fileSet('cloud')).filter(isCloud))),
    input: {
      ...{ programId: '1', pipelineId: '2', executionId: '3', commit: 'c0ffee'.repeat(6) + 'c0ff' },
      repository: 'https://git.example.com/site.git',
      artifactsVersion: '2026.1122.183000.0000000003',
      artifacts: [
        await storedArtifact(host.storage, content),
        await storedArtifact(host.storage, all),
        await dispatcherPackage({}),
      ],
      environments: [
        {
          ...{ id: '10', name: 'Stage', type: 'stage', namespace: 'site-stage', repositorySize: '10Gi' },
          ...{ replicas: { publish: 1, dispatcher: 1 }, probe: { path: '/' } },
        },
      ],
      log: '1/2/3/logs/buildImage.log',
    },
    keep: async (archive, name) => {
      const { skopeo } = await prepare(['skopeo'], () => undefined);
      const target = `containers-storage:[vfs@${store}/root+${store}/run]${name}`;
      const { code, stderr } = await run(skopeo, ['copy', `oci-archive:${archive}`, target]);
      if (code !== 0) throw new Error(stderr);
    },
    left: async () => {
      const lists = [
        ['containers', '--quiet'],
        ['images', '--quiet', '--all'],
      ];
      const answers = await Promise.all(lists.map((args) => run(program, [...globalArgs, ...args])));
      return answers.flatMap(({ stdout }) => stdout.split('\n').filter(Boolean));
    },
  };
}
