import type { Client } from '@temporalio/client';
import { nodeQueue } from '../../model/activities.ts';
import type { Program } from '../../model/schema/definition.ts';
import { searchAttributes } from '../../model/search-attributes.ts';
import { messageOf } from '../../systems/failure.ts';
import { pollers, TaskQueueType } from '../../systems/temporal/pollers.ts';
import { attributeTrouble } from '../setup.ts';
import type { Finding } from './finding.ts';

const DEADLINE_MS = 5_000;
/** The server remembers workers that are gone for minutes. */
const STALE_SECONDS = 120;

/** The namespace and its search attributes. */
export async function temporalFindings({ connection, options }: Client): Promise<Finding[]> {
  const { namespace } = options;
  const area = 'Temporal';
  return connection.withDeadline(Date.now() + DEADLINE_MS, async () => {
    const { serverVersion } = await connection.workflowService.getSystemInfo({});
    const server: Finding = { area, what: 'server', state: 'good', found: `version ${serverVersion}` };
    try {
      const { config } = await connection.workflowService.describeNamespace({ namespace });
      const days = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) / 86_400;
      const found = `closed executions are kept for ${days} ${days === 1 ? 'day' : 'days'}; their records in storage stay`;
      return [
        server,
        { area, what: `namespace ${namespace}`, state: 'good', found },
        await attributes(connection, namespace),
      ];
    } catch (error) {
      const remedy = 'fairway setup';
      return [
        server,
        { area, what: `namespace ${namespace}`, state: 'bad', found: messageOf(error), remedy },
      ];
    }
  });
}

async function attributes(connection: Client['connection'], namespace: string): Promise<Finding> {
  const common = { area: 'Temporal', what: 'search attributes' } as const;
  const { missing, mistyped } = await attributeTrouble(connection, namespace);
  if (mistyped.length > 0) {
    const found = `of another type than ours: ${mistyped.map(([name]) => name).join(', ')}`;
    return {
      ...common,
      state: 'bad',
      found,
      remedy: 'remove them, then: fairway setup; or take another namespace',
    };
  }
  if (missing.length > 0) {
    const found = `missing: ${missing.map(([name]) => name).join(', ')}`;
    return { ...common, state: 'bad', found, remedy: 'fairway setup' };
  }
  return { ...common, state: 'good', found: `all ${Object.keys(searchAttributes).length} are there` };
}

/** Whether somebody takes the tasks: of workflows, of builds, and of each dispatcher host. */
export async function workerFindings(client: Client, programs: readonly Program[]): Promise<Finding[]> {
  const queues = [
    {
      queue: 'fairway',
      type: TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
      what: 'orchestrator',
      remedy: 'start a worker (docs/configuration.md, "A worker"); on this machine: npm start',
      node: false,
    },
    {
      queue: 'fairway-build',
      type: TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
      what: 'builds',
      remedy: 'start a worker that builds: fairway worker --role build',
      node: false,
    },
    ...programs.flatMap(({ id: programId, environments }) =>
      environments.flatMap(({ id: environmentId, name, dispatchers }) =>
        dispatchers.map(({ id: nodeId }) => ({
          queue: nodeQueue({ programId, environmentId, nodeId }),
          type: TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
          what: `agent of ${nodeId} in ${name}`,
          remedy: `start the agent on the host of ${nodeId} (docs/configuration.md, "An agent")`,
          node: true,
        })),
      ),
    ),
  ];
  return Promise.all(
    queues.map(async ({ queue, type, what, remedy, node }): Promise<Finding> => {
      const known = await pollers(client, queue, type);
      const recent = known.filter(({ secondsAgo }) => secondsAgo < STALE_SECONDS);
      const common = { area: 'Workers', what } as const;
      if (recent.length === 0)
        return { ...common, state: 'bad', found: `nobody on task queue ${queue}`, remedy };
      const hosts = [...new Set(recent.map(({ host }) => host))];
      if (node && hosts.length > 1) {
        const found = `agents on ${hosts.length} hosts take its tasks: ${hosts.join(', ')}`;
        return { ...common, state: 'bad', found, remedy: 'stop all but the one on its own host' };
      }
      return { ...common, state: 'good', found: `${recent.length} on task queue ${queue}` };
    }),
  );
}
