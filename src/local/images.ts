import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkerSettingsInput } from '../worker/settings.ts';
import { layOut } from './dispatcher/layout.ts';
import { siteConfiguration, type LocalDispatcher } from './dispatcher/node.ts';

export interface LocalImages {
  readonly folder: string;
  /** Path of buildah. */
  readonly program: string;
  readonly modulePath: string;
  /** One whose httpd has the variables that the site's configuration needs. */
  readonly dispatcher: LocalDispatcher;
}

/**
 * How the local worker makes images: files only, on `scratch`, by a builder with a store of its own; configurations
 * are tested by this machine's httpd.
 */
export async function localImages(options: LocalImages): Promise<WorkerSettingsInput['images']> {
  const { folder, program, modulePath, dispatcher } = options;
  const { serverRoot } = await layOut(join(folder, 'defaults'), siteConfiguration(), modulePath, undefined);
  const store = join(folder, 'store');
  await mkdir(store, { recursive: true });
  const { program: httpd } = dispatcher.control;
  return {
    program,
    globalArgs: ['--root', join(store, 'root'), '--runroot', join(store, 'run'), '--storage-driver', 'vfs'],
    base: { aem: 'scratch', dispatcher: 'scratch' },
    repository: 'registry.example.com/site',
    // The instances listen on the loopback interface.
    uiTests: { runArgs: ['--network=host'] },
    httpd: {
      serverRoot,
      configTest: { program: httpd, args: ['-t', '-d', '{root}', '-f', 'conf/httpd.conf'] },
      environment: { ...dispatcher.environment },
    },
  };
}
