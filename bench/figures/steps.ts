import { join } from 'node:path';
import type { Figure } from '../figure.ts';
import { bencher, nodesOf, productionProgram } from '../programs.ts';
import { onStage } from '../stage.ts';
import { criticalPath, readTrace } from '../trace.ts';

const LEGS = 2;
/** What Fairway adds to a production pipeline on two legs whose activities take 500 ms each. */
export const steps: Figure = {
  name: 'steps',
  title: 'overhead of a sequential step, over the critical path',
  runs: 3,
  async run({ smoke, folder, say }) {
    const trace = join(folder, 'trace.jsonl');
    const program = productionProgram('1', LEGS);
    const script = { activityMs: smoke ? 50 : 500, trace, nodes: nodesOf(program) };
    return onStage(folder, script, async ({ client }) => {
      await client.apply(program, 0, bencher);
      const execute = async () => {
        const by = { mode: 'NORMAL', by: bencher } as const;
        const started = await client.start({ programId: '1', pipelineId: '101', ...by });
        await client.temporal.workflow.getHandle(started.workflowId, started.runId).result();
      };
      if (!smoke) await execute(); // what is loaded once is loaded
      const earlier = smoke ? 0 : (await readTrace(trace)).length;
      const begun = performance.now();
      await execute();
      const wall = performance.now() - begun;
      const traced = (await readTrace(trace)).slice(earlier);
      const path = criticalPath(traced);
      const busy = path.reduce((sum, { start, end }) => sum + end - start, 0);
      say(
        `${path.length} of ${traced.length} activities one after the other: ${Math.round(busy)} of ${Math.round(wall)} ms`,
      );
      return [
        {
          what: 'overhead per sequential step',
          value: (wall - busy) / path.length,
          unit: 'ms',
          goal: { atMost: 15 },
        },
        { what: 'wall time / critical path', value: wall / busy, unit: '', goal: { atMost: 1.03 } },
      ];
    });
  },
};
