import type { ExecutionAddress } from '../../src/client/one-execution.ts';
import { until } from '../../test/support/until.ts';
import type { ProgramInput } from '../../src/model/schema/definition.ts';
import { all, type Figure } from '../figure.ts';
import { memory } from '../memory.ts';
import { bencher, environment, repository } from '../programs.ts';
import { onStage } from '../stage.ts';

/** A program has at most 50 environments, and each pipeline here two of its own. */
const PER_PROGRAM = 25;
const LIMIT_MS = 30 * 60_000;

/** Production pipelines, deployed to a stage of their own, that all wait for their approval and get it at once. */
export const approvals: Figure = {
  name: 'approvals',
  title: '1,000 executions parked at approval: memory, history, time to release them',
  runs: 1,
  async run({ smoke, folder, say }) {
    const count = smoke ? 4 : 1_000;
    return onStage(folder, { activityMs: 0, buildsAtOnce: 10 }, async ({ client, worker }) => {
      const addresses = Array.from({ length: count }, (_, n) => ({
        programId: String(1 + Math.floor(n / PER_PROGRAM)),
        pipelineId: String(1001 + (n % PER_PROGRAM)),
      }));
      const programs = [...new Set(addresses.map(({ programId }) => programId))];
      for (const id of programs) await client.apply(program(id, Math.min(count, PER_PROGRAM)), 0, bencher);
      const number = async (query: string) =>
        (await client.temporal.workflow.count(`WorkflowType = 'pipelineExecution' AND ${query}`)).count;
      const before = await memory(worker);

      const begun = performance.now();
      const started: Started[] = await all(
        addresses.map(async (address) => ({
          ...address,
          ...(await client.start({ ...address, mode: 'NORMAL', by: bencher })),
        })),
      );
      const accepted = (performance.now() - begun) / 1000;
      say(`${count} started in one moment, accepted after ${accepted.toFixed(1)} s`);
      const waiting = "FairwayWaiting = 'approval' AND ExecutionStatus = 'Running'";
      await until('all wait', async () => (await number(waiting)) === count, LIMIT_MS);
      const parked = (performance.now() - begun) / 1000;
      say(`${count} parked after ${parked.toFixed(1)} s`);
      const kib = ((await memory(worker)) - before) / count;
      const sizes = await all(
        started.slice(0, 20).map(async ({ workflowId, runId }) => {
          const { historySize = NaN } = await client.temporal.workflow
            .getHandle(workflowId, runId)
            .describe();
          return historySize / 1024;
        }),
      );

      const released = performance.now();
      await all(
        started.map((address) => client.send('approve', address, { by: bencher, approved: true }, 'signal')),
      );
      await until(
        'all have ended',
        async () => (await number("ExecutionStatus = 'Running'")) === 0,
        LIMIT_MS,
      );
      const seconds = (performance.now() - released) / 1000;
      const finished = await number("ExecutionStatus = 'Completed'");
      if (finished !== count) throw new Error(`${finished} of ${count} executions finished`);
      return [
        { what: `all ${count}, started in one moment, accepted`, value: accepted, unit: 's' },
        { what: `all ${count} parked`, value: parked, unit: 's' },
        { what: 'memory each, in the cache of the worker', value: kib, unit: 'KiB' },
        { what: 'history of one that waits', value: Math.max(...sizes), unit: 'KiB' },
        { what: `all ${count} approved, deployed and ended`, value: seconds, unit: 's' },
      ];
    });
  },
};

type Started = Required<ExecutionAddress> & { readonly workflowId: string; readonly runId: string };

/** Every pipeline has a stage and a production of its own, with nothing but an author in it: none waits for another. */
const program = (id: string, pipelines: number): ProgramInput => {
  const numbers = Array.from({ length: pipelines }, (_, n) => n);
  return {
    ...{ id, name: `Program ${id}`, type: 'aem_managed_services' },
    environments: numbers.flatMap((n) => [
      environment(String(2001 + n), 'stage', 0),
      environment(String(3001 + n), 'prod', 0),
    ]),
    pipelines: numbers.map((n) => ({
      ...{ id: String(1001 + n), name: `Production ${n}`, type: 'production' as const, repository },
      ...{ stageEnvironment: String(2001 + n), productionEnvironment: String(3001 + n) },
      ...{ approval: true, schedule: false },
    })),
  };
};
