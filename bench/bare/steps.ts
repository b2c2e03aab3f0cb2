import { proxyActivities } from '@temporalio/workflow';

/** What Fairway's steps are held against: the least that does one activity after the other. */

const { loadTest } = proxyActivities<{ loadTest(input: object): Promise<unknown> }>({
  startToCloseTimeout: '1 minute',
});

export async function bareSteps(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await loadTest({});
}
