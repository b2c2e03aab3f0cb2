import { Command } from 'commander';
import type { FairwayAccess } from '../client/access.ts';
import type { Named } from '../client/resolve.ts';
import { clean, table } from './output.ts';
import { Problem } from './problem.ts';
import { action, examples } from './session.ts';

const programOf = async (client: FairwayAccess, reference: string | undefined): Promise<Named> => {
  if (reference !== undefined) return (await client.findProgram(reference)).definition;
  const programs = await client.programs();
  const [only] = programs;
  if (only && programs.length === 1) return only.definition;
  throw new Problem('usage', `there are ${programs.length} programs: name one`, 'fairway get programs');
};

const list = () =>
  new Command('list')
    .description('Who is told what executions do, and how that goes')
    .argument('[program]', 'id or unique name; the only one where it is left out')
    .addHelpText('after', examples('fairway webhooks list'))
    .action(
      action(async (session, reference: string | undefined) => {
        const client = await session.client();
        const { id: programId } = await programOf(client, reference);
        const webhooks = await client.webhooks(programId);
        await session.answer(webhooks, () =>
          webhooks.length === 0
            ? [`program ${programId} has no webhooks`]
            : table(
                ['WEBHOOK', 'FORM', 'URL', 'EVENTS', 'UNDER WAY', 'MISSED'],
                webhooks.map(({ id, form, url, events, underWay, missed }) => [
                  ...[id, form, clean(url), events.join(',')],
                  ...[`${underWay}`, { text: `${missed}`, ...(missed > 0 ? { style: 'red' as const } : {}) }],
                ]),
                session.paint,
              ),
        );
      }),
    );

const replay = () =>
  new Command('replay')
    .description('Deliver again what webhooks have missed')
    .argument('[program]', 'id or unique name; the only one where it is left out')
    .option('--webhook <id>', 'of this one only')
    .option('--since <instant>', 'what was given up since then, ISO 8601')
    .addHelpText('after', examples('fairway webhooks replay --webhook ci --since 2026-11-25T08:00:00Z'))
    .action(
      action(
        async (
          session,
          reference: string | undefined,
          { webhook, since }: { readonly webhook?: string; readonly since?: string },
        ) => {
          if (since !== undefined && Number.isNaN(Date.parse(since)))
            throw new Problem(
              'usage',
              `${JSON.stringify(since)} is no instant`,
              'write 2026-11-25T08:00:00Z',
            );
          const client = await session.client();
          const { id: programId } = await programOf(client, reference);
          const known = (await client.webhooks(programId)).map(({ id }) => id);
          if (webhook !== undefined && !known.includes(webhook))
            throw new Problem(
              'notFound',
              `program ${programId} has no webhook ${webhook}`,
              `it has ${known.join(', ') || 'none'}`,
            );
          const replayed = await client.replayEvents(programId, { webhookId: webhook, since });
          await session.answer(replayed, () =>
            replayed.length === 0
              ? ['nothing was missed']
              : replayed.map(
                  ({ webhookId, executionId, events }) =>
                    `${webhookId}: ${events} events of execution ${executionId} are delivered again`,
                ),
          );
        },
      ),
    );

export const webhooksCommand = (): Command =>
  new Command('webhooks')
    .description('Those who are told what executions do')
    .addCommand(list())
    .addCommand(replay());
