import { Command } from 'commander';
import { executionLines } from './execution-text.ts';
import { action, examples } from './session.ts';
import { findTarget } from './target.ts';

export const showCommand = (): Command =>
  new Command('show')
    .description('Show an execution: steps, decisions, what it waits for, every node of its deployments')
    .argument(
      '[execution]',
      'id, or pipeline; the only one that is running, or the last one, where it is left out',
    )
    .addHelpText('after', examples('fairway show', 'fairway show 0000000007 -o yaml'))
    .action(
      action(async (session, reference: string | undefined) => {
        const target = await findTarget(session, reference, { orLast: true });
        const { programId, pipelineId, executionId } = target;
        const state = await (await session.client()).execution({ programId, pipelineId, executionId });
        await session.answer(state, () => executionLines(state, session.paint));
      }),
    );
