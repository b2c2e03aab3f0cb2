import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FairwayClient } from '../src/client/fairway-client.ts';
import type { NodeRef } from '../src/model/activities.ts';
import { prepare } from '../src/local/setup/prepare.ts';
import { startTemporal } from '../src/local/temporal-server.ts';
import { startWorker, type WorkerProcess } from '../src/local/worker-process.ts';
import type { WorkerSettingsInput } from '../src/worker/settings.ts';
import type { Script } from './worker.ts';

/** A Temporal server, a worker whose activities do nothing, and a client, each in a process of its own. */
export interface Stage {
  readonly client: FairwayClient;
  readonly worker: WorkerProcess;
}

/** So that `memory` can have a worker collect its garbage. */
const launcher = [
  'env',
  `NODE_OPTIONS=${process.env['NODE_OPTIONS'] ?? ''} --import ${new URL('collect.mjs', import.meta.url).href}`,
];

/** A hundred agents in one process, on a machine that is busy after all, take their time. */
const READY_WITHIN_MS = 300_000;

/** @param nodes those whose agents the worker is */
export async function onStage<T>(
  folder: string,
  { nodes = [], ...script }: Script & { readonly nodes?: readonly NodeRef[] },
  use: (stage: Stage) => Promise<T>,
): Promise<T> {
  const tools = await prepare(['temporal'], () => undefined);
  const temporal = await startTemporal({ folder: join(folder, 'temporal'), executable: tools.temporal });
  try {
    const file = join(folder, 'script.json');
    await writeFile(file, JSON.stringify(script));
    const settings: WorkerSettingsInput = {
      temporal: { address: temporal.address },
      build: { engine: 'local' },
      storage: join(folder, 'storage'),
      workFolder: join(folder, 'work'),
      shutdownGraceSeconds: 0,
      agents: nodes.map((node) => ({ node: { ...node }, host: hostless(folder, node) })),
    };
    const program = ['bench/worker.ts', file] as const;
    const worker = await startWorker(folder, settings, { program, launcher, readyWithinMs: READY_WITHIN_MS });
    const client = await FairwayClient.connect({ address: temporal.address });
    try {
      return await use({ client, worker });
    } finally {
      await client.close();
      await worker.stop();
    }
  } finally {
    await temporal.stop();
  }
}

/** The agent of a host that is not there. */
const hostless = (folder: string, { programId, environmentId, nodeId }: NodeRef) => ({
  serverRoot: join(folder, 'nowhere'),
  stateFolder: join(folder, `agent-${programId}-${environmentId}-${nodeId}`),
  configTest: { program: 'true', args: [] },
  graceful: { program: 'true', args: [] },
  environment: {},
  baseline: { url: 'http://127.0.0.1:1', path: '/' },
  flush: { url: 'http://127.0.0.1:1', host: 'flush' },
});
