import { Command, InvalidArgumentError } from 'commander';
import { action, examples } from './session.ts';

function days(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('a number of days, 1 at least.');
}

export const setupCommand = (): Command =>
  new Command('setup')
    .description(
      'Make what Fairway needs in Temporal: namespace, retention, search attributes; may be repeated',
    )
    .option('--retention-days <days>', 'how long closed executions are kept; 30 in a new namespace', days)
    .addHelpText('after', examples('fairway setup', 'fairway setup --retention-days 90'))
    .action(
      action(async (session, { retentionDays }: { readonly retentionDays?: number }) => {
        const client = await session.direct();
        const { setUpTemporal } = await import('../client/setup.ts');
        const done = await setUpTemporal(client.temporal, retentionDays);
        await session.answer(done, () => (done.length > 0 ? done : ['all is there, nothing was changed']));
      }),
    );
