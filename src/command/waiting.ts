import { Command } from 'commander';
import { stepTitle } from '../model/steps.ts';
import type { WaitingExecution } from '../client/waiting.ts';
import { answersTo, whoAnswers } from './answers.ts';
import { emergency } from './execution-text.ts';
import { clean, type Paint } from './output.ts';
import { action, examples } from './session.ts';
import { placeOf, withPlace, type PlaceOptions } from './target.ts';
import { distance, localTime } from './times.ts';

export const waitingCommand = (): Command =>
  withPlace(new Command('waiting'))
    .description('Show everything that waits for a person, the most urgent first')
    .addHelpText('after', examples('fairway waiting', 'fairway waiting -o json'))
    .action(
      action(async (session, filter: PlaceOptions) => {
        const client = await session.client();
        const all = await client.waiting(await placeOf(client, filter));
        await session.answer(all, () =>
          all.length === 0
            ? ['nothing waits for a person']
            : all.flatMap((waiting, index) => [...(index > 0 ? [''] : []), ...lines(waiting, session.paint)]),
        );
      }),
    );

function lines({ execution, step, question, since, until }: WaitingExecution, paint: Paint): string[] {
  const { executionId, programName, pipelineName, mode } = execution;
  const left = distance(Date.parse(until) - Date.now());
  return [
    `${emergency(mode, paint)}${clean(programName)} · ${clean(pipelineName)}, execution ${paint('bold', executionId)}`,
    `  ${paint(['bold', 'yellow'], stepTitle(step) ?? step)} waits for ${whoAnswers(step)}${question ? `: ${clean(question)}` : ''}`,
    `  ${since ? `since ${localTime(since)}, ` : ''}until ${localTime(until)} (${left} left)`,
    ...answersTo({ executionId, waitingFor: { step, question: '', since: since ?? '', until } }).map(
      (command) => `  ${paint('cyan', command)}`,
    ),
  ];
}
