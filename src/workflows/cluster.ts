import { isCancellation, workflowInfo } from '@temporalio/workflow';
import type { ClusterPart, KubernetesInput } from '../model/activities.ts';
import { initialProgress, type DeploymentInput, type LegProgress } from '../model/deployment.ts';
import { imagesInWords, type BuildImagesOutput, type BuiltImage } from '../model/images.ts';
import { imagesRefusal } from '../model/kubernetes.ts';
import type { Kubernetes } from '../model/schema/kubernetes.ts';
import { applying, rollingOut } from './activities.ts';
import type { Report } from './deployment-report.ts';
import { failure, understood } from './failures.ts';
import { always } from './scopes.ts';
import type { Target } from './target.ts';

/** In the order of a deployment: a dispatcher that began before its publish instances would keep their old pages. */
const parts: readonly ClusterPart[] = ['aem', 'dispatcher'];

/**
 * A namespace of a Kubernetes cluster, which is told what to run and replaces instance after instance by itself. What
 * fails or is cancelled is undone: the version of before serves on.
 */
export function cluster(input: DeploymentInput, kubernetes: Kubernetes): Target {
  const { environment, programId, log, images: built } = input;
  const refusal = imagesRefusal(environment, built);
  if (!built || refusal !== undefined) throw failure('InvalidArtifact', refusal ?? 'there are no images');
  const configuration = configurationFor(environment.id, built);
  const where = `namespace ${kubernetes.namespace}`;
  const images = built.images.map(({ role, name, digest }) => ({ role, name, digest }));
  return {
    progress: { ...initialProgress(environment, [], [where]), images },
    deploy: async (report) => {
      const work: Work = {
        ...{ kubernetes, images: built.images, where, report, leg: report.leg(where)! },
        given: {
          ...{ cluster: kubernetes, configuration, log },
          keep: `${programId}/environments/${environment.id}/deployments/${workflowInfo().runId}.json`,
        },
      };
      try {
        for (const part of parts) await deployPart(part, work);
        work.leg.state = 'NEW';
      } catch (error) {
        const why = isCancellation(error) ? undefined : understood(error);
        const outcome = await always(() => undo(work));
        if (why) throw failure(why.type, `${why.message}; ${outcome}`);
        if (work.leg.state === 'MIXED') throw failure('NotReady', `cancelled, but ${outcome}`);
        throw error;
      }
    },
    settle: () => undefined,
  };
}

interface Work {
  readonly kubernetes: Kubernetes;
  readonly images: readonly BuiltImage[];
  readonly where: string;
  readonly report: Report;
  readonly leg: LegProgress;
  readonly given: KubernetesInput;
}

const configurationFor = (id: string, { kubernetes }: BuildImagesOutput) =>
  kubernetes.find(({ environmentId }) => environmentId === id)!;

async function deployPart(
  part: ClusterPart,
  { kubernetes, images, where, report, leg, given }: Work,
): Promise<void> {
  const own = images.filter(({ role }) => role === part);
  if (own.length === 0) return;
  const what = imagesInWords(own);
  leg.state = 'IN PROGRESS';
  report.show(`applying ${what} to ${where}`);
  const input = [{ ...given, part }] as const;
  await applying.applyKubernetes.executeWithOptions({ summary: `Apply ${what} to ${where}` }, [...input]);
  report.show(`waiting until ${what} has rolled out`);
  await rollingOut(kubernetes).waitForRollout.executeWithOptions(
    { summary: `Wait until ${what} has rolled out in ${where}` },
    [...input],
  );
}

/** @returns what serves now, for people */
async function undo({ kubernetes, where, report, leg, given }: Work): Promise<string> {
  report.show('undoing the rollout');
  const say = (state: LegProgress['state'], reason: string) => {
    Object.assign(leg, { state, reason });
    return reason;
  };
  try {
    const { serving } = await rollingOut(kubernetes).undoRollout.executeWithOptions(
      { summary: `Undo the rollout in ${where}` },
      [given],
    );
    if (serving === 'unchanged') return say('OLD', 'nothing was changed');
    if (serving === 'before') return say('OLD', 'undone: what ran before serves');
    return say('OUT', 'nothing ran there before: what was applied stays, and is not ready');
  } catch (error) {
    return say('MIXED', `the rollout could not be undone: ${understood(error).message}`);
  }
}
