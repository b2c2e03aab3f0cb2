import type { Client } from '@temporalio/client';

/** The history of one run of a workflow. */
export interface CountedRun {
  readonly workflowId: string;
  readonly events: number;
  /** Events by their type. */
  readonly byType: Readonly<Record<string, number>>;
  /** Activities by their type. */
  readonly activities: Readonly<Record<string, number>>;
}

/** The histories of a workflow and of everything that it started, and what that started. */
export async function countTree(client: Client, workflowId: string, runId?: string): Promise<CountedRun[]> {
  const byType: Record<string, number> = {};
  const activities: Record<string, number> = {};
  const children: { workflowId: string; runId: string }[] = [];
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  for (const event of events ?? []) {
    const type = Object.keys(event).find((key) => key.endsWith('EventAttributes')) ?? 'unknown';
    const name = type.slice(0, -'EventAttributes'.length);
    byType[name] = (byType[name] ?? 0) + 1;
    const activity = event.activityTaskScheduledEventAttributes?.activityType?.name;
    if (activity) activities[activity] = (activities[activity] ?? 0) + 1;
    const child = event.childWorkflowExecutionStartedEventAttributes?.workflowExecution;
    if (child?.workflowId && child.runId) children.push({ workflowId: child.workflowId, runId: child.runId });
  }
  const below = await Promise.all(children.map((child) => countTree(client, child.workflowId, child.runId)));
  return [{ workflowId, events: events?.length ?? 0, byType, activities }, ...below.flat()];
}

export const sumOfEvents = (runs: readonly CountedRun[]): number =>
  runs.reduce((sum, { events }) => sum + events, 0);
