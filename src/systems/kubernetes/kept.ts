import { text } from 'node:stream/consumers';
import type { Storage } from '../storage/storage.ts';
import type { Cluster } from './cluster.ts';
import type { Resource } from './render.ts';

/** What runs before a deployment. Config maps are named by their content: those of before stay where they are. */
export async function keep(
  storage: Storage,
  key: string,
  cluster: Cluster,
  resources: readonly Resource[],
): Promise<void> {
  // An attempt that died may have applied already: what is there now is not what ran before.
  if ((await storage.size(key)) !== undefined) return;
  const found = await Promise.all(
    resources.filter(({ kind }) => kind !== 'ConfigMap').map((resource) => cluster.read(resource)),
  );
  const before = found.filter((one): one is Resource => one !== undefined).map(asApplied);
  await storage.put(key, JSON.stringify(before, undefined, 2));
}

/** Undefined when nothing was kept. */
export async function kept(storage: Storage, key: string): Promise<readonly Resource[] | undefined> {
  if ((await storage.size(key)) === undefined) return undefined;
  return JSON.parse(await text(await storage.get(key))) as Resource[];
}

/** Without what the server adds: it would not be taken back. */
function asApplied({ apiVersion, kind, metadata, spec }: Resource): Resource {
  const { name, namespace, labels, annotations } = metadata;
  return { apiVersion, kind, metadata: { name, namespace, labels, annotations }, spec };
}
