import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { keysIn, localTokens } from '../api/keys.ts';
import { createApi } from '../api/server.ts';
import { FairwayClient } from '../client/fairway-client.ts';
import type { Platform } from './platform.ts';
import type { Ports } from './ports.ts';
import { Running } from './running.ts';

export interface LocalApi {
  readonly url: string;
  /** Changes that were asked for, and internal errors. */
  readonly log: string;
  stop(): Promise<void>;
}

const PORT = 8090;

/** Serves the Cloud Manager compatible API of a local platform, on loopback, with a key set in its folder. */
export async function startApi(folder: string, platform: Platform, ports: Ports): Promise<LocalApi> {
  const running = new Running();
  const { temporal, storageFolder: storage, secretsFolder: secrets } = platform;
  const client = await FairwayClient.connect({
    ...{ address: temporal.address, storage, secrets, localRepositories: true },
  });
  running.add({ stop: () => client.close() });
  try {
    const keyFile = join(folder, 'api-keys.json');
    const keys = await keysIn(keyFile);
    const log = join(folder, 'api.log');
    const stream = createWriteStream(log, { flags: 'a' });
    running.add({ stop: () => new Promise((resolve) => stream.end(resolve)) });
    const api = await createApi({
      ...{ client, linkSecret: keys.linkSecret, log: stream },
      tokens: localTokens(keyFile),
    });
    running.add({ stop: () => api.close() });
    const url = await api.listen({ host: '127.0.0.1', port: await ports('the API', PORT) });
    return { url, log, stop: running.stop };
  } catch (error) {
    await running.stop();
    throw error;
  }
}
