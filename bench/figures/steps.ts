import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Figure } from '../figure.ts';
import { bencher, nodesOf, productionProgram } from '../programs.ts';
import { onStage } from '../stage.ts';
import { criticalPath, readTrace, type Traced } from '../trace.ts';

const LEGS = 2;
const BARE_STEPS = 20;

/** What Fairway adds to a production pipeline on two legs whose activities take 500 ms each. */
export const steps: Figure = {
  name: 'steps',
  title: 'overhead of a sequential step, over the critical path',
  runs: 3,
  async run({ smoke, folder, say }) {
    const activityMs = smoke ? 50 : 500;
    const { overhead, ratio } = await fairwaySteps(folder, activityMs, smoke, say);
    const bare = await bareOverhead(join(folder, 'bare'), activityMs);
    return [
      { what: 'overhead per sequential step', value: overhead, unit: 'ms', goal: { atMost: 15 } },
      { what: 'the same of a bare workflow', value: bare, unit: 'ms' },
      { what: 'wall time / critical path', value: ratio, unit: '', goal: { atMost: 1.03 } },
    ];
  },
};

async function fairwaySteps(folder: string, activityMs: number, smoke: boolean, say: (line: string) => void) {
  const trace = join(folder, 'trace.jsonl');
  const program = productionProgram('1', LEGS);
  return onStage(folder, { activityMs, trace, nodes: nodesOf(program) }, async ({ client }) => {
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
    const busy = durationOf(path);
    say(
      `${path.length} of ${traced.length} activities one after the other: ${Math.round(busy)} of ${Math.round(wall)} ms`,
    );
    return { overhead: (wall - busy) / path.length, ratio: wall / busy };
  });
}

async function bareOverhead(folder: string, activityMs: number): Promise<number> {
  await mkdir(folder);
  const trace = join(folder, 'trace.jsonl');
  const workflowsPath = fileURLToPath(new URL('../bare/steps.ts', import.meta.url));
  return onStage(folder, { activityMs, trace, workflowsPath }, async ({ client }) => {
    const execute = (workflowId: string, count: number) =>
      client.temporal.workflow.execute('bareSteps', { workflowId, taskQueue: 'fairway', args: [count] });
    await execute('warm-up', 2);
    const begun = performance.now();
    await execute('bare', BARE_STEPS);
    const wall = performance.now() - begun;
    return (wall - durationOf((await readTrace(trace)).slice(2))) / BARE_STEPS;
  });
}

const durationOf = (traced: readonly Traced[]): number =>
  traced.reduce((sum, { start, end }) => sum + end - start, 0);
