import { Command } from 'commander';
import { action, examples } from './session.ts';
import { findTarget } from './target.ts';

export const watchCommand = (): Command =>
  new Command('watch')
    .description('Watch an execution to its end, which becomes the exit code; Ctrl-C stops watching only')
    .argument(
      '[execution]',
      'id, or pipeline; the only one that is running, or the last one, where it is left out',
    )
    .addHelpText('after', examples('fairway watch', 'fairway watch 0000000007 -o json > outcome.json'))
    .action(
      action(async (session, reference: string | undefined) => {
        const { programId, pipelineId, executionId } = await findTarget(session, reference, { orLast: true });
        const { follow } = await import('./follow.ts');
        return follow(session, { programId, pipelineId, executionId });
      }),
    );
