import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { request } from 'undici';
import { buildModule } from '../../../src/local/dispatcher/build-module.ts';
import { siteConfiguration, startDispatcher } from '../../../src/local/dispatcher/node.ts';
import type { LocalDispatcher } from '../../../src/local/dispatcher/node.ts';
import { freePorts } from '../../../src/local/ports.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { cacheFolder } from '../../../src/local/setup/prepare.ts';
import { startPublish, type TestPublish } from './publish.ts';

/** The module is compiled once for all test runs of the same source. */
export const testModule = (): Promise<string> => buildModule(cacheFolder());

export interface Bench {
  readonly publish: TestPublish;
  readonly dispatcher: LocalDispatcher;
  /** Status and body of a visitor's request to the dispatcher. */
  readonly visit: (
    path: string,
    options?: Asked,
  ) => Promise<{ status: number; body: string; headers: NodeJS.Dict<string | string[]> }>;
  /** Status of a flush request. */
  readonly flush: (handle: string, headers?: Record<string, string>) => Promise<number>;
}

interface Asked {
  readonly method?: 'GET' | 'POST' | 'HEAD';
  readonly headers?: Record<string, string>;
}

/** For each test of the enclosing `describe`: call `start`, with changes to files of the example site's configuration. */
export function bench(): {
  readonly start: (changes?: Record<string, (text: string) => string>) => Promise<Bench>;
} {
  const folder = temporaryFolder();
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(stops.splice(0).map((stop) => stop()));
  });
  return {
    async start(changes = {}) {
      const configuration = join(folder(), 'configuration');
      await cp(siteConfiguration(), configuration, { recursive: true, verbatimSymlinks: true });
      await change(configuration, changes);
      const publish = await startPublish();
      stops.push(publish.stop);
      const [port = 0] = await freePorts(1);
      const dispatcher = await startDispatcher({
        folder: join(folder(), 'node'),
        port,
        publishUrl: publish.url,
        modulePath: await testModule(),
        nodeId: 'dispatcher1',
        configuration,
      });
      stops.push(() => dispatcher.stop());
      const visit: Bench['visit'] = async (path, { method = 'GET', headers = {} } = {}) => {
        const answer = await request(dispatcher.url + path, { method, headers, reset: true });
        return { status: answer.statusCode, body: await answer.body.text(), headers: answer.headers };
      };
      const flush: Bench['flush'] = async (handle, headers = {}) => {
        const all = {
          host: 'flush',
          'CQ-Action': 'Activate',
          'CQ-Handle': handle,
          'CQ-Path': handle,
          ...headers,
        };
        return (await visit('/dispatcher/invalidate.cache', { method: 'POST', headers: all })).status;
      };
      return { publish, dispatcher, visit, flush };
    },
  };
}

/** Rewrites files below `folder`; the names are relative to it. */
export async function change(
  folder: string,
  changes: Record<string, (text: string) => string>,
): Promise<void> {
  for (const [name, rewritten] of Object.entries(changes)) {
    const file = join(folder, name);
    const before = await readFile(file, 'utf8');
    const after = rewritten(before);
    if (after === before) throw new Error(`${name} is as it was`);
    await writeFile(file, after);
  }
}
