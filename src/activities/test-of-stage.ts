import { Context } from '@temporalio/activity';
import type { Storage } from '../systems/storage/storage.ts';
import { whileHeartbeating } from './heartbeat.ts';
import { stepLog } from './step-log.ts';

export interface Telling {
  readonly signal: AbortSignal;
  /** The detail of the next heartbeats. */
  readonly beat: (detail: unknown) => void;
  /** Adds a line to the log of the step. */
  readonly say: (line: string) => Promise<void>;
}

/** An activity that tests an environment: heartbeats, a log; one that died begins anew. */
export const testOfStage =
  <I extends { readonly log: string }, O>(
    storage: Storage,
    step: string,
    work: (input: I, telling: Telling) => Promise<O>,
  ): ((input: I) => Promise<O>) =>
  (input) =>
    whileHeartbeating(async (signal, beat) => {
      const say = stepLog(storage, input.log, step);
      const { attempt } = Context.current().info;
      if (attempt > 1) await say(`attempt ${attempt}: the one before did not come to its end; begins anew`);
      return work(input, { signal, beat, say });
    });
