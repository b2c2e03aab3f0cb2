import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../../test/support/until.ts';
import { all, type Figure } from '../figure.ts';
import type { ProgramInput } from '../../src/model/schema/definition.ts';
import type { Started } from '../../src/model/program.ts';
import { memory } from '../memory.ts';
import { bencher, environment, repository } from '../programs.ts';
import { onStage } from '../stage.ts';

const PER_PROGRAM = 50;
const WARM_UP = 10;
const LIMIT_MS = 10 * 60_000;

/**
 * Executions that wait at the gate of code scanning, and what each takes of the worker's memory while it is cached; then
 * all are rejected at once, and each ends with its record. Beside them the same number of bare workflows.
 */
export const parked: Figure = {
  name: 'parked',
  title: 'executions parked at a gate: memory of the worker, time to release them',
  runs: 1,
  async run({ smoke, folder, say }) {
    const count = smoke ? 10 : 500;
    const fairway = await fairwayParked(folder, count, say);
    const bare = await bareParked(join(folder, 'bare'), count);
    return [
      { what: `memory each of ${count}`, value: fairway.kib, unit: 'KiB', goal: { atMost: 220 } },
      { what: 'memory each of as many bare workflows', value: bare, unit: 'KiB' },
      {
        what: 'memory / that of a bare workflow',
        value: fairway.kib / bare,
        unit: '',
        goal: { atMost: 1.1 },
      },
      { what: `all ${count} released`, value: fairway.releasedSeconds, unit: 's', goal: { atMost: 5.5 } },
    ];
  },
};

const program = (id: string, pipelines: number): ProgramInput => ({
  ...{ id, name: `Program ${id}`, type: 'aem_managed_services' },
  environments: [environment('10', 'dev', 0)],
  pipelines: Array.from({ length: pipelines }, (_, n) => ({
    ...{
      id: String(101 + n),
      name: `Dev ${n}`,
      type: 'deployment' as const,
      repository,
      devEnvironment: '10',
    },
  })),
});

async function fairwayParked(folder: string, count: number, say: (line: string) => void) {
  return onStage(folder, { activityMs: 0, gate: 'codeQuality' }, async (stage) => {
    const { client } = stage;
    const addresses = Array.from({ length: count }, (_, n) => ({
      programId: String(2 + Math.floor(n / PER_PROGRAM)),
      pipelineId: String(101 + (n % PER_PROGRAM)),
    }));
    const warmUp = Array.from({ length: WARM_UP }, (_, n) => ({
      programId: '1',
      pipelineId: String(101 + n),
    }));
    const ids = new Set([...warmUp, ...addresses].map(({ programId }) => programId));
    for (const id of ids) await client.apply(program(id, PER_PROGRAM), 0, bencher);

    const start = (address: (typeof addresses)[number]) =>
      client
        .start({ ...address, mode: 'NORMAL', by: bencher })
        .then((started) => ({ ...address, ...started }));
    const reject = (address: Pick<Started, 'executionId'> & (typeof addresses)[number]) =>
      client.send(
        'override',
        address,
        { by: bencher, step: 'codeQuality', metrics: [{ kpi: 'coverage', override: false }] },
        'signal',
      );
    const number = async (query: string) =>
      (await client.temporal.workflow.count(`WorkflowType = 'pipelineExecution' AND ${query}`)).count;
    const waiting = (wanted: number) =>
      until(
        'all wait',
        async () =>
          (await number("FairwayWaiting = 'codeQuality' AND ExecutionStatus = 'Running'")) === wanted,
        LIMIT_MS,
      );
    const over = () =>
      until('all have ended', async () => (await number("ExecutionStatus = 'Running'")) === 0, LIMIT_MS);

    const first = await all(warmUp.map(start));
    await waiting(WARM_UP);
    await all(first.map(reject));
    await over();

    const before = await memory(stage.worker);
    const begun = performance.now();
    const started = await all(addresses.map(start));
    await waiting(count);
    say(`${count} parked after ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    const kib = ((await memory(stage.worker)) - before) / count;

    const released = performance.now();
    await all(started.map(reject));
    await over();
    return { kib, releasedSeconds: (performance.now() - released) / 1000 };
  });
}

async function bareParked(folder: string, count: number): Promise<number> {
  await mkdir(folder);
  const workflowsPath = fileURLToPath(new URL('../bare/parked.ts', import.meta.url));
  return onStage(folder, { activityMs: 0, workflowsPath }, async (stage) => {
    const { workflow } = stage.client.temporal;
    const start = (id: string) => workflow.start('bareGate', { workflowId: id, taskQueue: 'fairway' });
    const asked = async (handles: Awaited<ReturnType<typeof start>>[]) => {
      for (const handle of handles) await handle.query('state'); // answered by the worker that has it cached
    };
    const warm = await all(Array.from({ length: WARM_UP }, (_, n) => start(`warm${n}`)));
    await asked(warm);
    await all(warm.map((handle) => handle.signal('approve', { by: 'bench', approved: true })));
    await all(warm.map((handle) => handle.result()));
    const before = await memory(stage.worker);
    await asked(await all(Array.from({ length: count }, (_, n) => start(`bare${n}`))));
    return ((await memory(stage.worker)) - before) / count;
  });
}
