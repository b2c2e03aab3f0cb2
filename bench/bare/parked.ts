import { condition, defineQuery, defineSignal, setHandler } from '@temporalio/workflow';

/** What Fairway's executions are held against: the least that waits for a decision and can be asked for its state. */

interface Decision {
  readonly by: string;
  readonly approved: boolean;
}

const isDecision = (value: unknown): value is Decision =>
  typeof value === 'object' &&
  value !== null &&
  'by' in value &&
  typeof value.by === 'string' &&
  'approved' in value &&
  typeof value.approved === 'boolean';

export async function bareGate(): Promise<boolean> {
  let decision: Decision | undefined;
  setHandler(defineSignal<[unknown]>('approve'), (message) => {
    if (isDecision(message)) decision = message;
  });
  setHandler(defineQuery('state'), () => decision ?? 'waiting');
  await condition(() => decision !== undefined, '7 days');
  return decision?.approved ?? false;
}
