import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { Context } from '@temporalio/activity';
import type { ClusterPart, KubernetesActivities, KubernetesInput } from '../model/activities.ts';
import { Failure } from '../systems/failure.ts';
import { cluster, inWords, type Cluster } from '../systems/kubernetes/cluster.ts';
import { keep, kept } from '../systems/kubernetes/kept.ts';
import { partOf, renderConfiguration, type Resource } from '../systems/kubernetes/render.ts';
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
        const all = await configurationOf(storage, input);
        if (!(await kept(storage, input.keep))) {
          for (const resource of all) await there.tryOut(resource);
          say(`the cluster takes all of ${all.length} objects (tried out)`);
          await keep(storage, input.keep, there, all);
        }
        const resources = ofPart(all, input.part);
        for (const resource of resources) {
          await there.apply(resource);
          say(`applied ${inWords(resource)}`);
        }
        return { applied: resources.length };
      }),

    waitForRollout: (input) =>
      onCluster(input, async (there, spoken) => {
        const workloads = ofPart(await configurationOf(storage, input), input.part).filter(isWorkload);
        await wait(input, there, workloads, spoken);
        spoken.say(`${workloads.map(inWords).join(', ')}: rolled out`);
      }),

    undoRollout: async (input) => {
      // Asked before the cluster: one that takes no token was not changed either.
      const before = await kept(storage, input.keep);
      if (!before) return { serving: 'unchanged' };
      return onCluster(input, async (there, spoken) => {
        const workloads = before.filter(isWorkload);
        if (workloads.length === 0) {
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
      });
    },
  };
}

const ofPart = (resources: readonly Resource[], part: ClusterPart): readonly Resource[] =>
  resources.filter((resource) => partOf(resource) === part);

/** A cluster of which each look at a workload frees it from pods that keep it from going back. */
const freeing = (there: Cluster, say: (line: string) => void): Cluster => ({
  ...there,
  async read(resource) {
    for (const pod of await freeStuckPods(there, resource)) say(`deleted pod ${pod}, which was not ready`);
    return there.read(resource);
  },
});

/** @throws Failure `InvalidArtifact` when it is not what was made, `Conflict` when it was made for another namespace */
async function configurationOf(
  storage: Storage,
  { configuration: { files }, cluster: { namespace } }: KubernetesInput,
): Promise<Resource[]> {
  const texts = files.map(async ({ key, sha256 }): Promise<[string, string]> => {
    const content = await text(await storage.get(key));
    if (createHash('sha256').update(content).digest('hex') !== sha256)
      throw new Failure('InvalidArtifact', `${key} is no longer the file that was made: its SHA-256 differs`);
    return [key.slice(key.lastIndexOf('/') + 1), content];
  });
  const resources = renderConfiguration(Object.fromEntries(await Promise.all(texts)));
  const other = resources.find(({ metadata }) => metadata.namespace !== namespace)?.metadata.namespace;
  if (other === undefined) return resources;
  throw new Failure(
    'Conflict',
    `the images were built for namespace ${other}, and the environment is now ${namespace}: start the pipeline anew`,
  );
}
