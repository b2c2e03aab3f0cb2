import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { all, percentile, type Figure } from '../figure.ts';
import { memory } from '../memory.ts';
import { bencher, nodesOf, productionProgram } from '../programs.ts';
import { onStage } from '../stage.ts';
import { readTrace } from '../trace.ts';

/** Fifty programs, one leg each, whose production pipelines start at the same moment; every activity takes half a second. */
export const burst: Figure = {
  name: 'burst',
  title: '50 production pipelines at once: how long each takes',
  runs: 1,
  async run({ smoke, folder, say }) {
    const count = smoke ? 3 : 50;
    const trace = join(folder, 'trace.jsonl');
    const programs = Array.from({ length: count }, (_, n) => productionProgram(String(n + 1), 1));
    const script = {
      activityMs: smoke ? 20 : 500,
      trace,
      nodes: programs.flatMap(nodesOf),
      buildsAtOnce: count,
    };
    return onStage(folder, script, async ({ client, worker }) => {
      for (const program of programs) await client.apply(program, 0, bencher);
      const execute = async (programId: string) => {
        const begun = performance.now();
        const { workflowId, runId } = await client.start({
          ...{ programId, pipelineId: '101' },
          ...{ mode: 'NORMAL', by: bencher },
        });
        await client.temporal.workflow.getHandle(workflowId, runId).result();
        return (performance.now() - begun) / 1000;
      };
      const alone = await execute('1');
      const before = (await readTrace(trace)).length;
      const begun = performance.now();
      const seconds = await all(programs.map(({ id }) => execute(id)));
      const wall = (performance.now() - begun) / 1000;
      const activities = (await readTrace(trace)).length - before;
      say(`${count} at once on ${availableParallelism()} cores: all over after ${wall.toFixed(1)} s`);
      return [
        { what: 'a pipeline alone', value: alone, unit: 's' },
        { what: `one of ${count}, p50`, value: percentile(seconds, 0.5), unit: 's' },
        { what: `one of ${count}, slowest`, value: Math.max(...seconds), unit: 's' },
        { what: 'activities per second', value: activities / wall, unit: '' },
        {
          what: 'resident memory of the worker, with all agents',
          value: (await memory(worker)) / 1024,
          unit: 'MiB',
        },
      ];
    });
  },
};
