import type { BuildImagesInput, ImageRole } from '../../model/images.ts';

/** https://github.com/opencontainers/image-spec/blob/main/annotations.md, and which execution made the image. */
export function labelsOf(role: ImageRole, input: Omit<BuildImagesInput, 'log'>): Record<string, string> {
  const { programId, pipelineId, executionId, commit, repository, artifactsVersion } = input;
  return {
    'org.opencontainers.image.title': { aem: 'AEM', dispatcher: 'AEM dispatcher' }[role],
    'org.opencontainers.image.revision': commit,
    'org.opencontainers.image.source': repository,
    'org.opencontainers.image.version': artifactsVersion ?? commit,
    'fairway.program': programId,
    'fairway.pipeline': pipelineId,
    'fairway.execution': executionId,
    'fairway.commit': commit,
    'fairway.role': role,
  };
}
