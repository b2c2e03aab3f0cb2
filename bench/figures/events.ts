import { countTree, sumOfEvents } from '../../test/support/event-count.ts';
import type { Figure, Measured } from '../figure.ts';
import { bencher, nodesOf, productionProgram } from '../programs.ts';
import { onStage } from '../stage.ts';

/** All histories of one execution of a production pipeline that waits for nobody. */
export const events: Figure = {
  name: 'events',
  title: 'history events of an execution and everything that it starts, per legs',
  runs: 1,
  async run({ smoke, folder }) {
    const programs = (smoke ? [1] : [1, 2, 4, 8]).map((legs) => ({
      legs,
      program: productionProgram(String(legs), legs),
    }));
    const nodes = programs.flatMap(({ program }) => nodesOf(program));
    return onStage(folder, { activityMs: 0, nodes }, async ({ client }) => {
      const rows: Measured[] = [];
      for (const { legs, program } of programs) {
        await client.apply(program, 0, bencher);
        const { workflowId, runId } = await client.start({
          ...{ programId: program.id, pipelineId: '101' },
          ...{ mode: 'NORMAL', by: bencher },
        });
        await client.temporal.workflow.getHandle(workflowId, runId).result();
        const value = sumOfEvents(await countTree(client.temporal, workflowId, runId));
        rows.push({
          what: `events, ${legs === 1 ? '1 leg' : `${legs} legs`}`,
          value,
          unit: '',
          goal: { atMost: 120 + 60 * legs },
        });
      }
      return rows;
    });
  },
};
