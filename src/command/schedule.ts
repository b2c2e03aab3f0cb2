import { Command, Option } from 'commander';
import type { ExecutionSummary } from '../model/summary.ts';
import { decide, nameOf, withSignal, type DecisionOptions } from './decide.ts';
import { isFairwayError, Problem } from './problem.ts';
import { action, examples, type Session } from './session.ts';
import { findTarget } from './target.ts';
import { exactTime, fromNow } from './times.ts';
import type { Moment } from './when.ts';

interface Options extends DecisionOptions {
  readonly at?: string;
  readonly now?: boolean;
  readonly zone?: string;
  readonly yes?: boolean;
}

export const scheduleCommand = (): Command =>
  withSignal(
    new Command('schedule')
      .description('Say when to deploy to production; until that time it may be moved')
      .argument('[execution]', 'id; the only one that waits for it where it is left out')
      .addOption(
        new Option(
          '--at <time>',
          '"2026-11-30 22:00", also with an offset: "2026-11-30 22:00+01:00"',
        ).conflicts('now'),
      )
      .option('--now', 'at once')
      .option(
        '--zone <name>',
        'IANA name of the zone of --at, such as Europe/Berlin; that of this machine otherwise',
      )
      .option('-y, --yes', 'do not ask to confirm'),
  )
    .addHelpText(
      'after',
      examples(
        'fairway schedule 0000000007 --at "2026-11-30 22:00" --zone Europe/Berlin',
        'fairway schedule 0000000007 --now --yes',
      ),
    )
    .action(
      action(async (session, reference: string | undefined, options: Options) => {
        const { at, now, zone, yes, signal } = options;
        if (at === undefined && !now)
          throw new Problem('usage', 'say when: --at "YYYY-MM-DD HH:MM" or --now');
        const { systemZone, zoneNamed } = await import('./when.ts');
        const timeZone = zone === undefined ? systemZone() : zoneNamed(zone);
        const moment = at === undefined ? undefined : await chosen(session, at, timeZone);
        if (moment && Date.parse(moment.at) <= Date.now())
          throw new Problem(
            'refused',
            `${exactTime(moment.at, moment.zone)} is in the past: ${fromNow(moment.at)}`,
            `it is ${exactTime(new Date().toISOString(), moment.zone)} now; --now deploys at once`,
          );
        const execution = await waitingExecution(session, reference);
        if (!yes) session.note(...inWords(nameOf(execution, session), moment, systemZone()));
        await session.confirm(moment ? 'Schedule it?' : 'Deploy to production now?', yes);
        const body = { by: session.by, at: moment?.at ?? 'NOW', timeZone };
        await decide(session, 'schedule', execution, body, { signal });
      }),
    );

/** One that waits for its time, or whose time may still be moved. */
async function waitingExecution(session: Session, reference: string | undefined): Promise<ExecutionSummary> {
  try {
    return await findTarget(session, reference, { waitingFor: 'schedule' });
  } catch (error) {
    if (reference !== undefined || !isFairwayError(error) || error.kind !== 'notFound') throw error;
    return findTarget(session, undefined);
  }
}

/** A time that the clocks show twice is asked about where somebody can be asked. */
async function chosen(session: Session, text: string, zone: string): Promise<Moment> {
  const { momentOf } = await import('./when.ts');
  const found = momentOf(text, zone);
  if ('at' in found) return found;
  const { earlier, later } = found;
  const both = [`1) ${earlier.at} (daylight saving time)`, `2) ${later.at} (after the clocks are put back)`];
  const twice = `${text} comes twice in ${zone}: the clocks are put back then`;
  if (!session.canAsk)
    throw new Problem(
      'usage',
      twice,
      'say which with an offset:',
      ...[earlier, later].map(({ at }) => `--at "${at}"`),
    );
  session.note(`${twice}.`, ...both);
  const answer = await session.ask('Which one? [1/2] ');
  if (answer === '1') return earlier;
  if (answer === '2') return later;
  throw new Problem('refused', 'nothing was changed');
}

function inWords(name: string, moment: Moment | undefined, own: string): string[] {
  if (!moment) return [`Production deployment of ${name}: at once, as soon as it is confirmed`];
  const zones = [...new Set([moment.zone, own, 'UTC'])];
  return [
    `Production deployment of ${name}`,
    ...zones.map((zone) => `  ${exactTime(moment.at, zone)}`),
    `  ${fromNow(moment.at)}`,
  ];
}
