import { Command } from 'commander';
import { decide, nameOf, withSignal, type DecisionOptions } from './decide.ts';
import { action, examples } from './session.ts';
import { findTarget } from './target.ts';

interface Options extends DecisionOptions {
  readonly reason?: string;
  readonly yes?: boolean;
}

export const cancelCommand = (): Command =>
  withSignal(
    new Command('cancel')
      .description('Cancel an execution; what has begun is brought to an end that leaves every node serving')
      .argument('[execution]', 'id; the only one that is running where it is left out')
      .option('--reason <text>', 'kept with the decision')
      .option('-y, --yes', 'do not ask'),
  )
    .addHelpText('after', examples('fairway cancel 0000000007 --reason "wrong branch"'))
    .action(
      action(async (session, reference: string | undefined, { reason, signal, yes }: Options) => {
        const execution = await findTarget(session, reference);
        // Whoever names it means it.
        if (reference === undefined) await session.confirm(`Cancel ${nameOf(execution, session)}?`, yes);
        await decide(session, 'cancel', execution, { by: session.by, reason }, { signal });
      }),
    );
