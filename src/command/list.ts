import { Command, InvalidArgumentError, Option } from 'commander';
import type { ExecutionStatus } from '../model/execution.ts';
import { currentStepTitle, type ExecutionSummary } from '../model/summary.ts';
import { waitingSteps, type WaitingStep } from '../model/timeouts.ts';
import { clean, statusCell, table, type Cell, type Paint } from './output.ts';
import { action, examples } from './session.ts';
import { placeOf, withPlace, type PlaceOptions } from './target.ts';
import { localTime } from './times.ts';

interface Options extends PlaceOptions {
  readonly status?: ExecutionStatus;
  readonly mode?: 'NORMAL' | 'EMERGENCY';
  readonly waiting?: true | WaitingStep;
  readonly limit: number;
  readonly after?: string;
}

const statuses: readonly ExecutionStatus[] = [
  'RUNNING',
  'CANCELLING',
  'CANCELLED',
  'FINISHED',
  'FAILED',
  'ERROR',
];
const upperCase = (text: string) => text.toUpperCase();

export const listCommand = (): Command =>
  withPlace(new Command('list'))
    .description('List executions, newest first')
    .addOption(choice('--status <status>', statuses))
    .addOption(choice('--mode <mode>', ['NORMAL', 'EMERGENCY']))
    .addOption(
      new Option('--waiting [step]', 'only those that wait for a person, in any step or in this one').choices(
        waitingSteps,
      ),
    )
    .option('--limit <count>', 'how many', count, 20)
    .option('--after <place>', 'the next page: what the page before ends with')
    .addHelpText(
      'after',
      examples(
        'fairway list --pipeline Production --status failed',
        'fairway list --waiting approval',
        'fairway list --mode emergency --limit 100 -o json',
      ),
    )
    .action(
      action(async (session, { limit, after, status, mode, waiting, ...filter }: Options) => {
        const client = await session.client();
        const page = await client.executions({
          ...(await placeOf(client, filter)),
          waitingFor: waiting === true ? 'anything' : waiting,
          ...{ status, mode, limit, after },
        });
        await session.answer(page, () =>
          page.executions.length === 0
            ? ['no executions']
            : [
                ...table(headings, page.executions.map(row), session.paint),
                ...more(page.next, session.paint),
              ],
        );
      }),
    );

const choice = (flags: string, values: readonly string[]) => {
  const option = new Option(flags, values.map((value) => value.toLowerCase()).join(', '));
  return option.argParser((text) => {
    const value = upperCase(text);
    if (values.includes(value)) return value;
    throw new InvalidArgumentError(
      `Allowed choices are ${values.map((known) => known.toLowerCase()).join(', ')}.`,
    );
  });
};

function count(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= 1000) return number;
  throw new InvalidArgumentError('It must be a number from 1 to 1000.');
}

const headings = ['EXECUTION', 'PROGRAM', 'PIPELINE', 'MODE', 'STATUS', 'STEP', 'BRANCH', 'STARTED', 'BY'];

const row = (found: ExecutionSummary): (string | Cell)[] => [
  found.executionId,
  clean(found.programName || found.programId),
  clean(found.pipelineName || found.pipelineId),
  statusCell(found.mode),
  found.waitingFor ? statusCell('WAITING') : statusCell(found.status),
  currentStepTitle(found) ?? '',
  clean(found.branch.replace(/^refs\/tags\//, 'tag ')),
  localTime(found.createdAt),
  clean(found.startedBy.subject),
];

const more = (next: string | undefined, paint: Paint) =>
  next ? [paint('dim', `more: --after ${next}`)] : [];
