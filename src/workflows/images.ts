import type { StepState } from '../model/execution.ts';
import { kubernetesLikeHosts } from '../model/kubernetes.ts';
import { imaging } from './activities.ts';
import type { Run } from './run.ts';

/** As much of a digest as tells images apart on a page. */
const SHOWN = 'sha256:'.length + 12;

/** Makes images of the build, and Kubernetes configuration for every environment of the pipeline. */
export async function buildImages(run: Run, step: StepState, log: string): Promise<void> {
  const { program, pipeline, executionId, environments } = run.input;
  const { commit = '', artifactsVersion, artifacts } = run.state;
  const { builder, images, kubernetes } = await imaging.buildImages.executeWithOptions(
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
        environments: Object.values(environments).map((one) => kubernetesLikeHosts(program.id, one)),
        log,
      },
    ],
  );
  step.findings = [
    ...images.flatMap(({ archive, billOfMaterials }) => [archive, billOfMaterials]),
    ...kubernetes.flatMap(({ files }) => files),
  ];
  const named = images.map(({ role, digest }) => `${role} ${digest.slice(0, SHOWN)}`);
  step.details = `${named.join(', ') || 'nothing to put into an image'}; ${builder}`;
}
