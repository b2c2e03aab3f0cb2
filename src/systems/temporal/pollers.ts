import type { Client } from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';

export const { TaskQueueType } = proto.temporal.api.enums.v1;

const DEADLINE_MS = 5_000;

export interface Poller {
  /** What the worker calls itself: `<pid>@<host>` unless told otherwise. */
  readonly identity: string;
  /** The host of that; the whole where it has none. */
  readonly host: string;
  readonly secondsAgo: number;
  /** The instant, by the clock of the server. */
  readonly lastAccess: number;
}

/** Who has asked a task queue for tasks of late: the server remembers those that are gone for minutes. */
export async function pollers(
  { connection, options }: Client,
  queue: string,
  taskQueueType: proto.temporal.api.enums.v1.TaskQueueType,
): Promise<Poller[]> {
  const { pollers: known } = await connection.withDeadline(Date.now() + DEADLINE_MS, () =>
    connection.workflowService.describeTaskQueue({
      namespace: options.namespace,
      taskQueue: { name: queue },
      taskQueueType,
    }),
  );
  return (known ?? []).map(({ identity, lastAccessTime }) => {
    const lastAccess = optionalTsToMs(lastAccessTime) ?? 0;
    return {
      identity: identity ?? '',
      host: (identity ?? '').replace(/^\d+@/, ''),
      secondsAgo: (Date.now() - lastAccess) / 1000,
      lastAccess,
    };
  });
}
