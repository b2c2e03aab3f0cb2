import { Command } from 'commander';
import { decide, withSignal, type DecisionOptions } from './decide.ts';
import { action, examples } from './session.ts';
import { findTarget } from './target.ts';

interface Options extends DecisionOptions {
  readonly comment?: string;
}

const answer = (approved: boolean) =>
  action(async (session, reference: string | undefined, { comment, signal }: Options) => {
    const execution = await findTarget(session, reference, { waitingFor: 'approval' });
    await decide(session, 'approve', execution, { by: session.by, approved, comment }, { signal });
  });

const command = (name: string, description: string) =>
  withSignal(
    new Command(name)
      .description(description)
      .argument('[execution]', 'id; the only one that waits for an approval where it is left out')
      .option('--comment <text>', 'kept with the decision'),
  );

export const approveCommand = (): Command =>
  command('approve', 'Approve a production deployment')
    .addHelpText('after', examples('fairway approve 0000000007', 'fairway approve --comment "release 24"'))
    .action(answer(true));

export const rejectCommand = (): Command =>
  command('reject', 'Reject a production deployment; the execution ends as FAILED')
    .addHelpText('after', examples('fairway reject 0000000007 --comment "not before the holidays"'))
    .action(answer(false));
