import { text } from 'node:stream/consumers';
import { Context } from '@temporalio/activity';
import type { KubernetesActivities, KubernetesInput } from '../model/activities.ts';
import { cluster, inWords, type Cluster } from '../systems/kubernetes/cluster.ts';
import { keep, kept } from '../systems/kubernetes/kept.ts';
import { renderConfiguration, type Resource } from '../systems/kubernetes/render.ts';
import { freeStuckPods, isWorkload, untilRolledOut } from '../systems/kubernetes/rollout.ts';
import type { Storage } from '../systems/storage/storage.ts';
import type { Deps } from './deps.ts';
import { whileSpeaking, type Spoken } from './spoken-log.ts';

export interface KubernetesDeps extends Deps {
  /** Between two looks at a rollout, in milliseconds; two seconds unless said otherwise. */
  readonly everyMs?: number;
}

const EVERY_MS = 2_000;

export function kubernetesActivities(deps: KubernetesDeps): KubernetesActivities {
  const { storage, everyMs = EVERY_MS } = deps;
  const onCluster = <T>(
    { cluster: access, log }: KubernetesInput,
    work: (there: Cluster, spoken: Spoken) => Promise<T>,
  ) =>
    whileSpeaking(storage, log, async (spoken) => {
      const token = (await deps.secret(access.token)).trim();
      spoken.conceal([token]);
      return work(await cluster(access, token, spoken.signal), spoken);
    });
  const wait = (
    input: KubernetesInput,
    there: Cluster,
    workloads: readonly Resource[],
    { signal, say }: Spoken,
  ) =>
    untilRolledOut(there, workloads, {
      // Of all attempts together.
      until: Context.current().info.scheduledTimestampMs + input.cluster.rolloutMinutes * 60_000,
      ...{ signal, onWaiting: say, everyMs },
    });

  return {
    applyKubernetes: (input) =>
      onCluster(input, async (there, { say }) => {
        const resources = await configurationOf(storage, input);
        await keep(storage, input.keep, there, resources);
        for (const resource of resources) {
          await there.apply(resource);
          say(`applied ${inWords(resource)}`);
        }
        return { applied: resources.length };
      }),

    waitForRollout: (input) =>
      onCluster(input, async (there, spoken) => {
        const workloads = (await configurationOf(storage, input)).filter(isWorkload);
        await wait(input, there, workloads, spoken);
        spoken.say(`${workloads.map(inWords).join(', ')}: rolled out`);
      }),

    undoRollout: (input) =>
      onCluster(input, async (there, spoken) => {
        const before = await kept(storage, input.keep);
        const workloads = before?.filter(isWorkload) ?? [];
        if (!before || workloads.length === 0) {
          spoken.say('nothing ran before: there is nothing to go back to');
          return { serving: 'none' };
        }
        for (const resource of before) {
          await there.apply(resource);
          spoken.say(`applied ${inWords(resource)} as it was before`);
        }
        await wait(input, freeing(there, spoken.say), workloads, spoken);
        spoken.say(`${workloads.map(inWords).join(', ')}: as before`);
        return { serving: 'before' };
      }),
  };
}

/** A cluster of which each look at a workload frees it from pods that keep it from going back. */
const freeing = (there: Cluster, say: (line: string) => void): Cluster => ({
  ...there,
  async read(resource) {
    for (const pod of await freeStuckPods(there, resource)) say(`deleted pod ${pod}, which was not ready`);
    return there.read(resource);
  },
});

async function configurationOf(
  storage: Storage,
  { configuration: { files } }: KubernetesInput,
): Promise<Resource[]> {
  const texts = files.map(async ({ key }): Promise<[string, string]> => [
    key.slice(key.lastIndexOf('/') + 1),
    await text(await storage.get(key)),
  ]);
  return renderConfiguration(Object.fromEntries(await Promise.all(texts)));
}
