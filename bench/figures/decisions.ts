import { join } from 'node:path';
import { until } from '../../test/support/until.ts';
import { percentile, type Figure, type Measured } from '../figure.ts';
import { bencher, nodesOf, productionProgram } from '../programs.ts';
import { onStage, type Stage } from '../stage.ts';
import { readTrace } from '../trace.ts';

const EXECUTIONS = 50;
const WARM_UP = 5;

/**
 * From the acceptance of a decision (the server's event) to the start of the next step's first activity: of an
 * override of security testing, which the load test follows, and of an approval, which the production deployment
 * follows with its two child workflows.
 */
export const decisions: Figure = {
  name: 'decisions',
  title: 'from an accepted decision to the next step',
  runs: 1,
  async run({ smoke, folder }) {
    const trace = join(folder, 'trace.jsonl');
    const program = productionProgram('1', 1, { approval: true });
    const script = { activityMs: 0, gate: 'securityTest', trace, nodes: nodesOf(program) } as const;
    return onStage(folder, script, async ({ client }) => {
      await client.apply(program, 0, bencher);
      const accepted: Accepted[] = [];
      for (let n = 0; n < (smoke ? 2 : EXECUTIONS + WARM_UP); n += 1)
        accepted.push(...(await oneExecution(client)));
      const starts = (await readTrace(trace)).map(({ start }) => start);
      const waits = (name: string) =>
        accepted
          .filter((one) => one.name === name)
          .slice(smoke ? 0 : WARM_UP)
          // Clocks of two processes may differ by a fraction of a millisecond.
          .map(({ at }) => Math.min(...starts.filter((start) => start >= at - 1)) - at);
      const [override, approval] = [waits('override'), waits('approve')];
      return [
        ...rows('override, then the load test starts', override),
        ...rows('approval, then the deployment starts', approval),
      ];
    });
  },
};

const rows = (what: string, waits: readonly number[]): Measured[] => [
  { what: `${what}, p50`, value: percentile(waits, 0.5), unit: 'ms', goal: { atMost: 20 } },
  { what: `${what}, p95`, value: percentile(waits, 0.95), unit: 'ms', goal: { atMost: 50 } },
];

interface Accepted {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

async function oneExecution(client: Stage['client']): Promise<Accepted[]> {
  const pipeline = { programId: '1', pipelineId: '101' };
  const { workflowId, runId, executionId } = await client.start({ ...pipeline, mode: 'NORMAL', by: bencher });
  const address = { ...pipeline, executionId };
  const waitsAt = (step: string) =>
    until(
      `the execution waits at ${step}`,
      async () => (await client.execution(address)).waitingFor?.step === step,
      30_000,
    );
  await waitsAt('securityTest');
  const metrics = [{ kpi: 'coverage', override: true }];
  await client.send('override', address, { by: bencher, step: 'securityTest', metrics });
  await waitsAt('approval');
  await client.send('approve', address, { by: bencher, approved: true });
  const handle = client.temporal.workflow.getHandle(workflowId, runId);
  await handle.result();
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap(({ eventTime, workflowExecutionUpdateAcceptedEventAttributes: update }) =>
    update
      ? [
          {
            name: update.acceptedRequest?.input?.name ?? '',
            at: Number(eventTime?.seconds ?? 0) * 1000 + (eventTime?.nanos ?? 0) / 1e6,
          },
        ]
      : [],
  );
}
