import { Command } from 'commander';
import { decide, withSignal, type DecisionOptions } from './decide.ts';
import { action, examples } from './session.ts';
import { findTarget } from './target.ts';

interface Options extends DecisionOptions {
  readonly comment?: string;
}

const command = (name: string, description: string, start: boolean) =>
  withSignal(
    new Command(name)
      .description(description)
      .argument('[execution]', 'id; the only one that waits for CSE support where it is left out')
      .option('--comment <text>', 'kept with the decision'),
  )
    .addHelpText('after', examples(`fairway cse ${name} 0000000007`))
    .action(
      action(async (session, reference: string | undefined, { comment, signal }: Options) => {
        const execution = await findTarget(session, reference, { waitingFor: 'managed' });
        await decide(session, 'cseSupport', execution, { by: session.by, start, comment }, { signal });
      }),
    );

export const cseCommand = (): Command =>
  new Command('cse')
    .description('Oversee a production deployment as its Customer Success Engineer')
    .addCommand(command('start', 'Start the production deployment', true))
    .addCommand(command('refuse', 'Refuse it; the execution ends as FAILED', false));
