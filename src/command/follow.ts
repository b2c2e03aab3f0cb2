import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionState } from '../model/execution.ts';
import type { ExecutionAddress } from '../client/fairway-client.ts';
import { answersTo } from './answers.ts';
import { deploymentLines, headline, stepLines, waitingLines } from './execution-text.ts';
import { LiveView } from './live-view.ts';
import { clean, status } from './output.ts';
import { isFairwayError, type Exit } from './problem.ts';
import { progress } from './progress.ts';
import type { Session } from './session.ts';
import { fromNow, localTime, timeOfDay } from './times.ts';

const LOOK_MS = 500;
/** A worker that is replaced, or a server that is restarted, is away for less. */
const PATIENCE_MS = 5 * 60_000;

type Show = (state: ExecutionState | undefined, trouble: string | undefined) => void;

/**
 * Watches an execution to its end; its outcome is the exit code. Ctrl-C ends the watching, not the execution.
 * @throws FairwayError `unavailable` when nothing answers for five minutes
 */
export async function follow(session: Session, address: Required<ExecutionAddress>): Promise<Exit> {
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once('SIGINT', interrupt);
  try {
    const state = await toTheEnd(session, address, stop.signal);
    if (session.format !== 'table') await session.answer(state, () => []);
    return state.status === 'FINISHED' ? 'finished' : 'failed';
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    const { executionId } = address;
    session.note(
      `fairway: no longer watching; execution ${executionId} goes on`,
      `  watch it again: fairway watch ${executionId}`,
      `  cancel it: fairway cancel ${executionId}`,
    );
    return 'interrupted';
  } finally {
    process.off('SIGINT', interrupt);
  }
}

async function toTheEnd(
  session: Session,
  address: Required<ExecutionAddress>,
  signal: AbortSignal,
): Promise<ExecutionState> {
  const client = await session.client();
  const show = session.format === 'table' && session.io.stdout.isTTY ? live(session) : plain(session);
  let state: ExecutionState | undefined;
  for (let answered = Date.now(); ;) {
    let trouble: string | undefined;
    try {
      state = await client.execution(address);
      answered = Date.now();
    } catch (error) {
      if (!isFairwayError(error) || error.kind !== 'unavailable') throw error;
      if (Date.now() - answered > PATIENCE_MS) throw error;
      trouble = error.message;
    }
    signal.throwIfAborted();
    show(state, trouble);
    if (state && hasEnded(state)) return state;
    await pause(LOOK_MS, undefined, { signal });
  }
}

const hasEnded = ({ finishedAt, status: now }: ExecutionState): boolean =>
  finishedAt !== undefined && now !== 'RUNNING' && now !== 'CANCELLING';

/** On a terminal: one picture that is drawn again and again. */
function live(session: Session): Show {
  const view = new LiveView(session.io.stdout);
  const { paint } = session;
  return (state, trouble) => {
    const lost = trouble ? ['', paint('red', `No answer: ${clean(trouble)}. Still trying`)] : [];
    if (!state) return view.draw(lost);
    const deploying = state.steps.some(({ action, status: now }) => action === 'deploy' && now === 'RUNNING');
    const deployment = deploying ? state.deployments.at(-1) : undefined;
    const waiting = waitingLines(state, paint);
    const { failure } = state;
    view.draw([
      ...headline(state, paint),
      ...stepLines(state, paint),
      ...(deployment ? ['', ...deploymentLines(deployment, paint)] : []),
      ...(waiting.length > 0 ? ['', ...waiting] : []),
      ...(failure ? ['', paint('red', `${failure.step}: ${clean(failure.message)}`)] : []),
      ...lost,
    ]);
  };
}

/** Elsewhere: a line for each thing that happens. For `-o json` and `yaml` on standard error, beside the answer. */
function plain(session: Session): Show {
  const write = (line: string) => (session.format === 'table' ? session.write(line) : session.note(line));
  const say = (line: string) => write(`${timeOfDay(new Date().toISOString())}  ${line}`);
  const paint = session.format === 'table' ? session.paint : (_: unknown, text: string) => text;
  const changes = progress(say);
  let begun = false;
  let asked: string | undefined;
  let lost: string | undefined;
  return (state, trouble) => {
    if (trouble && !lost) say(`no answer: ${clean(trouble)}; still trying`);
    lost = trouble;
    if (!state || trouble) return;
    if (!begun) headline(state, paint).forEach(say);
    begun = true;
    changes(state);
    const asking = state.waitingFor?.since ?? state.scheduledFor?.at;
    if (asking && asking !== asked) {
      const until = state.waitingFor?.until;
      if (until) say(`waits for a person until ${localTime(until)} (${fromNow(until)}); answer with`);
      else if (state.scheduledFor)
        say(`production deployment ${fromNow(state.scheduledFor.at)}; to change that`);
      for (const command of answersTo(state)) say(`    ${command}`);
    }
    asked = asking;
    if (hasEnded(state)) {
      const [first = ''] = headline(state, paint);
      say(first);
      if (state.failure)
        say(status(paint, 'FAILED', `${state.failure.step}: ${clean(state.failure.message)}`));
    }
  };
}
