import { join } from 'node:path';
import { countTree, sumOfEvents } from '../../test/support/event-count.ts';
import type { Figure } from '../figure.ts';
import { memory } from '../memory.ts';
import { bencher, nodesOf, productionProgram } from '../programs.ts';
import { onStage } from '../stage.ts';
import { criticalPath, readTrace } from '../trace.ts';

/** One production pipeline whose production has a hundred legs; every activity takes 20 ms. */
export const legs: Figure = {
  name: 'legs',
  title: 'a production of 100 legs: time, history, memory of the worker',
  runs: 1,
  async run({ smoke, folder, say }) {
    const count = smoke ? 3 : 100;
    const trace = join(folder, 'trace.jsonl');
    const program = productionProgram('1', count);
    const script = { activityMs: 20, trace, nodes: nodesOf(program) };
    return onStage(folder, script, async ({ client, worker }) => {
      await client.apply(program, 0, bencher);
      const begun = performance.now();
      const { workflowId, runId } = await client.start({
        ...{ programId: program.id, pipelineId: '101' },
        ...{ mode: 'NORMAL', by: bencher },
      });
      const handle = client.temporal.workflow.getHandle(workflowId, runId);
      await handle.result();
      const seconds = (performance.now() - begun) / 1000;
      const histories = await countTree(client.temporal, workflowId, runId);
      const traced = await readTrace(trace);
      const busy = criticalPath(traced).reduce((sum, { start, end }) => sum + end - start, 0) / 1000;
      const deployment = await client.temporal.workflow.getHandle('environment-1-12-deployment').describe();
      say(
        `${traced.length} activities in ${seconds.toFixed(1)} s, ${busy.toFixed(1)} s of them one after the other`,
      );
      return [
        { what: `wall time, ${count} legs`, value: seconds, unit: 's' },
        { what: 'of it activities, one after the other', value: busy, unit: 's' },
        { what: 'events of all histories', value: sumOfEvents(histories), unit: '' },
        {
          what: 'events of the largest history',
          value: Math.max(...histories.map(({ events }) => events)),
          unit: '',
          goal: { atMost: 10_240 },
        },
        {
          what: "history of the deployment's workflow",
          value: (deployment.historySize ?? NaN) / 2 ** 20,
          unit: 'MiB',
          goal: { atMost: 10 },
        },
        {
          what: 'resident memory of the worker, with all agents',
          value: (await memory(worker)) / 1024,
          unit: 'MiB',
        },
      ];
    });
  },
};
