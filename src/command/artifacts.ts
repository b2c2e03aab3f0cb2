import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { packageLabel } from '../model/artifacts.ts';
import { nameOfCopy, type LeftFile } from '../client/files.ts';
import { clean, table } from './output.ts';
import { action, examples } from './session.ts';
import { findTarget } from './target.ts';

export const artifactsCommand = (): Command =>
  new Command('artifacts')
    .description(
      'List what an execution left, or download it: zips of the build, images, results of the tests',
    )
    .argument(
      '[execution]',
      'id, or pipeline; the only one that is running, or the last one, where it is left out',
    )
    .option('--download <folder>', 'copy them there; each is checked against its SHA-256')
    .addHelpText(
      'after',
      examples('fairway artifacts 0000000007', 'fairway artifacts 0000000007 --download build'),
    )
    .action(
      action(async (session, reference: string | undefined, { download }: { download?: string }) => {
        const { programId, pipelineId, executionId } = await findTarget(session, reference, { orLast: true });
        const client = await session.client();
        const address = { programId, pipelineId, executionId };
        const artifacts = await client.leftFiles(address);
        if (download !== undefined) {
          for (const artifact of artifacts) {
            const path = join(download, nameOfCopy(artifact.path));
            await mkdir(dirname(path), { recursive: true });
            await client.download(artifact, path);
            session.note(`${path}  ${artifact.file.size} bytes, SHA-256 as stored`);
          }
        }
        await session.answer(artifacts, () =>
          artifacts.length === 0
            ? [`execution ${executionId} has no artifacts (yet)`]
            : table(['ARTIFACT', 'KIND', 'PACKAGE', 'BYTES', 'SHA-256'], artifacts.map(row), session.paint),
        );
      }),
    );

const row = (artifact: LeftFile): string[] => [
  clean(artifact.path),
  artifact.kind,
  artifact.package ? clean(packageLabel(artifact.package.id)) : '',
  String(artifact.file.size),
  artifact.file.sha256.slice(0, 16),
];
