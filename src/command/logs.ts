import { setTimeout as pause } from 'node:timers/promises';
import { Command } from 'commander';
import { allStepIds } from '../model/steps.ts';
import { action, examples } from './session.ts';
import { executionAndStep, withStep } from './step-argument.ts';
import { findTarget } from './target.ts';

const LOOK_MS = 500;

export const logsCommand = (): Command =>
  withStep(new Command('logs'))
    .description("Print a step's log")
    .option('-f, --follow', 'go on until the step has ended')
    .addHelpText('after', examples('fairway logs 0000000007 build', 'fairway logs stageDeploy --follow'))
    .action(
      action(
        async (
          session,
          first: string | undefined,
          second: string | undefined,
          options: { follow?: boolean },
        ) => {
          const { reference, step } = executionAndStep(first, second, allStepIds);
          const { programId, pipelineId, executionId } = await findTarget(session, reference, {
            orLast: true,
          });
          const client = await session.client();
          for (let from = 0; ;) {
            const piece = await client.log({ programId, pipelineId, executionId }, step, from);
            session.io.stdout.write(piece.text);
            const more = piece.next > from;
            from = piece.next;
            if (piece.complete || (!more && !options.follow)) break;
            if (!more) await pause(LOOK_MS);
          }
        },
      ),
    );
