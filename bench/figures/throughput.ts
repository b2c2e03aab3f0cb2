import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { FairwayClient } from '../../src/client/fairway-client.ts';
import { FairwayError } from '../../src/client/fairway-error.ts';
import type { Started } from '../../src/model/program.ts';
import { all, type Figure } from '../figure.ts';
import { bencher, nodesOf, productionProgram } from '../programs.ts';
import { onStage } from '../stage.ts';
import { readTrace } from '../trace.ts';

/** Whole production pipelines, one leg each, whose activities do nothing; server, worker and client on this machine. */
export const throughput: Figure = {
  name: 'throughput',
  title: 'pipelines per second, server included',
  runs: 3,
  async run({ smoke, folder, say }) {
    const [inFlight, each] = smoke ? [2, 2] : [8, 6];
    const trace = join(folder, 'trace.jsonl');
    const programs = Array.from({ length: inFlight }, (_, n) => productionProgram(String(n + 1), 1));
    const nodes = programs.flatMap(nodesOf);
    return onStage(folder, { activityMs: 0, trace, nodes }, async ({ client }) => {
      for (const program of programs) await client.apply(program, 0, bencher);
      const execute = async (programId: string, times: number) => {
        for (let n = 0; n < times; n += 1) {
          const { workflowId, runId } = await started(client, programId);
          await client.temporal.workflow.getHandle(workflowId, runId).result();
        }
      };
      const everywhere = (times: number) => all(programs.map(({ id }) => execute(id, times)));
      await everywhere(1);
      const warm = (await readTrace(trace)).length;
      const begun = performance.now();
      await everywhere(each);
      const seconds = (performance.now() - begun) / 1000;
      const activities = (await readTrace(trace)).length - warm;
      say(
        `${inFlight} in flight, ${inFlight * each} in ${seconds.toFixed(1)} s on ${availableParallelism()} cores`,
      );
      return [
        { what: 'pipelines per second', value: (inFlight * each) / seconds, unit: '', goal: { atLeast: 7 } },
        { what: 'activities per second', value: activities / seconds, unit: '' },
      ];
    });
  },
};

/** The program learns a moment later than the client that its last execution has ended. */
async function started(client: FairwayClient, programId: string): Promise<Started> {
  for (;;)
    try {
      return await client.start({ programId, pipelineId: '101', mode: 'NORMAL', by: bencher });
    } catch (error) {
      if (!(error instanceof FairwayError && error.kind === 'refused')) throw error;
      await delay(5);
    }
}
