import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { Storage } from '../storage/storage.ts';
import type { Intent } from './deliver.ts';
import type { Before } from './settle.ts';

const schema = z.object({
  at: z.number(),
  lastUnpacked: z.number(),
  refused: z.boolean().optional(),
  ended: z.boolean().optional(),
  broken: z.array(z.string()),
  indistinct: z.boolean(),
});

/**
 * Keeps what a deployment is about to do to an instance. It is written before the installation begins; its presence
 * says that an attempt of this very deployment may have installed the package.
 */
export async function writeIntent(storage: Storage, key: string, intent: Intent & Before): Promise<void> {
  await storage.put(key, JSON.stringify(intent));
}

/** Undefined when no attempt has come so far. */
export async function readIntent(storage: Storage, key: string): Promise<(Intent & Before) | undefined> {
  if ((await storage.size(key)) === undefined) return undefined;
  return schema.parse(JSON.parse(await text(await storage.get(key))));
}
