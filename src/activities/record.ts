import type { Activities } from '../model/activities.ts';
import { recordKey } from '../model/execution.ts';
import { indexKey, summaryOf } from '../model/summary.ts';
import type { Storage } from '../systems/storage/storage.ts';
import { whileHeartbeating } from './heartbeat.ts';

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

export const recordActivities = ({
  storage,
}: {
  storage: Storage;
}): Pick<Activities, 'recordExecution' | 'keepReport'> => ({
  recordExecution: ({ executionKey, state }) =>
    whileHeartbeating(async () => {
      const record = await storage.put(recordKey(executionKey), json(state));
      await storage.put(indexKey(state), json(summaryOf(state)));
      return record;
    }),
  keepReport: ({ executionKey, step, ...report }) =>
    whileHeartbeating(() => storage.put(`${executionKey}/results/${step}.json`, json(report))),
});
