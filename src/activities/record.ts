import type { Activities } from '../model/activities.ts';
import type { Storage } from '../systems/storage/storage.ts';

/** Storage key of the record of an execution. */
export const recordKey = (executionKey: string): string => `${executionKey}/execution.json`;

export const recordActivities = ({ storage }: { storage: Storage }): Pick<Activities, 'recordExecution'> => ({
  recordExecution: ({ executionKey, state }) =>
    storage.put(recordKey(executionKey), `${JSON.stringify(state, null, 2)}\n`),
});
