import type { Command } from 'commander';
import type { MessageName } from '../model/messages.ts';
import type { ExecutionSummary } from '../model/summary.ts';
import type { Body } from '../client/fairway-client.ts';
import { emergency } from './execution-text.ts';
import { clean } from './output.ts';
import { isFairwayError, Problem } from './problem.ts';
import type { Session } from './session.ts';

export interface DecisionOptions {
  readonly signal?: boolean;
}

export const SIGNAL = [
  '--signal',
  'send a plain signal: needs no worker, and a refusal shows only in the execution',
] as const;

export const withSignal = (command: Command): Command => command.option(...SIGNAL);

/** Sends a decision to an execution and says what became of it. */
export async function decide<N extends MessageName>(
  session: Session,
  name: N,
  execution: ExecutionSummary,
  body: Body<N>,
  { signal }: DecisionOptions,
): Promise<void> {
  const client = await session.client();
  const { programId, pipelineId, executionId, mode } = execution;
  const accepted = await client
    .send(name, { programId, pipelineId, executionId }, body, signal ? 'signal' : 'update')
    .catch((error: unknown) => {
      throw isFairwayError(error) && error.kind === 'outcomeUnknown'
        ? unknownOutcome(error.message, executionId, Boolean(signal))
        : error;
    });
  await session.answer({ programId, pipelineId, executionId, mode, accepted }, () => [
    `${nameOf(execution, session)}: ${
      signal ? `sent as a signal; see what became of it: fairway show ${executionId}` : accepted
    }`,
  ]);
}

const unknownOutcome = (message: string, executionId: string, signal: boolean) =>
  new Problem(
    'unavailable',
    `outcome unknown: ${message}`,
    `look first whether it was taken: fairway show ${executionId}`,
    'see whether a worker is running: fairway doctor',
    ...(signal ? [] : ['or add --signal: it needs no worker now, and the next one takes it']),
  );

/** `EMERGENCY · Example · Production, execution 0000000007` */
export const nameOf = (
  { programName, pipelineName, executionId, mode }: ExecutionSummary,
  { paint }: Session,
): string =>
  `${emergency(mode, paint)}${clean(programName)} · ${clean(pipelineName)}, execution ${executionId}`;
