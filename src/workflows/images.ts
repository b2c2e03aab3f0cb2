import type { Problem } from '../model/activities.ts';
import type { StepState } from '../model/execution.ts';
import { imagesInWords } from '../model/images.ts';
import { configured } from '../model/kubernetes.ts';
import { imaging, readingWhereBuildsRun } from './activities.ts';
import type { Run } from './run.ts';

/** D1: where an environment is on a cluster, images must come to their registry. Asked before there are any. */
export async function registryProblems(run: Run, log: string): Promise<readonly Problem[]> {
  const onClusters = Object.values(run.input.environments).filter(({ kubernetes }) => kubernetes);
  if (onClusters.length === 0 || !run.plans('buildImage')) return [];
  return readingWhereBuildsRun.checkRegistry.executeWithOptions(
    {
      summary: `Ask the registry, where ${onClusters.map(({ name }) => name).join(' and ')} will find images`,
    },
    [{ executionKey: run.key, log }],
  );
}

/** Makes images of the build, and Kubernetes configuration for every environment of the pipeline. */
export async function buildImages(run: Run, step: StepState, log: string): Promise<void> {
  const { program, pipeline, executionId, environments } = run.input;
  const { commit = '', artifactsVersion, artifacts } = run.state;
  const built = await imaging.buildImages.executeWithOptions(
    { summary: `Build images of ${commit.slice(0, 10)}` },
    [
      {
        ...{
          programId: program.id,
          pipelineId: pipeline.id,
          executionId,
          commit,
          artifactsVersion,
          artifacts,
        },
        repository: pipeline.repository.url,
        environments: Object.values(environments).map((one) => configured(program.id, one)),
        log,
      },
    ],
  );
  const { builder, images, pushed, kubernetes } = built;
  run.state.images = built;
  step.findings = [
    ...images.flatMap(({ archive, billOfMaterials }) => [archive, billOfMaterials]),
    ...kubernetes.flatMap(({ files }) => files),
  ];
  const what = imagesInWords(images) || 'nothing to put into an image';
  step.details = `${what}; ${builder}${pushed ? ', pushed' : ''}`;
}
