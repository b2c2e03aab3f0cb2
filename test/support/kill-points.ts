import { defaultPayloadConverter } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';

type History = temporal.api.history.v1.IHistory;

/** When an activity has begun, in its middle, or done but not yet reported. */
export const moments = ['start', 'middle', 'end'] as const;
export type Moment = (typeof moments)[number];

/** Where a process is killed. */
export interface KillPoint {
  /** Which activity: `environment type node`. */
  readonly key: string;
  readonly when: Moment;
  /** Half of what it took undisturbed. */
  readonly afterMs: number;
}

export const nameOf = ({ key, when }: Pick<KillPoint, 'key' | 'when'>): string =>
  `${key} ${when}`.replaceAll(/\W+/g, '-');

/** One activity of a recorded run. */
export interface RecordedActivity {
  readonly key: string;
  /** The same for those that were asked for at the same time, and run in the same process. */
  readonly batch: string;
  readonly startedAt: number;
  readonly endedAt: number;
}

interface Named {
  readonly instance?: { readonly id: string };
  readonly dispatcher?: { readonly id: string };
  readonly node?: { readonly nodeId: string; readonly environmentId: string };
  readonly artifact?: { readonly path: string };
}

/** The same for every attempt, and for every run of the same pipeline. */
export function pointKey(workflowId: string, type: string, input: unknown): string {
  const { instance, dispatcher, node, artifact } = (input ?? {}) as Named;
  const environment = /^environment-\d+-(\d+)/.exec(workflowId)?.[1] ?? node?.environmentId ?? 'execution';
  const thing = instance?.id ?? dispatcher?.id ?? node?.nodeId ?? '';
  return [environment, type, thing, instance ? artifact?.path : undefined].filter(Boolean).join(' ');
}

const ms = (time?: temporal.api.history.v1.IHistoryEvent['eventTime']): number =>
  Number(time?.seconds ?? 0) * 1000 + (time?.nanos ?? 0) / 1e6;

/** The activities of a history, in order. @throws when two of them cannot be told apart */
export function activitiesOf(workflowId: string, { events }: History): RecordedActivity[] {
  const all = events ?? [];
  const found = all.flatMap((event): RecordedActivity[] => {
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (!scheduled) return [];
    const [payload] = scheduled.input?.payloads ?? [];
    const type = scheduled.activityType?.name ?? '';
    const isOf = (other?: { scheduledEventId?: unknown } | null) =>
      other != null && String(other.scheduledEventId) === String(event.eventId);
    const started = all.find((other) => isOf(other.activityTaskStartedEventAttributes));
    const ended = all.find((other) => isOf(other.activityTaskCompletedEventAttributes));
    const process = scheduled.taskQueue?.name?.startsWith('fairway-node-') ? 'agents' : 'worker';
    return [
      {
        key: pointKey(workflowId, type, payload ? defaultPayloadConverter.fromPayload(payload) : undefined),
        batch: `${process} ${workflowId} ${String(scheduled.workflowTaskCompletedEventId)}`,
        startedAt: ms(started?.eventTime ?? event.eventTime),
        endedAt: ms(ended?.eventTime ?? event.eventTime),
      },
    ];
  });
  const twice = found.find(({ key }, index) => found.findIndex((other) => other.key === key) < index);
  if (twice) throw new Error(`two activities are called "${twice.key}"`);
  return found;
}

/** Every activity at its start, its middle and its end. */
export const everyPoint = (activities: readonly RecordedActivity[]): KillPoint[] =>
  activities.flatMap(({ key, startedAt, endedAt }) =>
    moments.map((when) => ({ key, when, afterMs: Math.max(1, Math.round((endedAt - startedAt) / 2)) })),
  );

/**
 * Shares points out to runs. In one run an activity, and those that run beside it, die at one of the moments only: their
 * process is killed once or twice meanwhile, and the retry policies (src/workflows/activities.ts) allow for no more.
 */
export function shareOut(
  points: readonly KillPoint[],
  activities: readonly RecordedActivity[],
  count: number,
): KillPoint[][] {
  const batches = [...new Set(activities.map(({ batch }) => batch))];
  const batchOf = new Map(activities.map(({ key, batch }) => [key, batches.indexOf(batch)]));
  const runs = Array.from({ length: count }, (): KillPoint[] => []);
  for (const point of points) {
    const turn = (batchOf.get(point.key) ?? 0) * moments.length + moments.indexOf(point.when);
    runs[turn % count]?.push(point);
  }
  return runs.filter((run) => run.length > 0);
}
