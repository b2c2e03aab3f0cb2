import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildModule } from '../../src/local/dispatcher/build-module.ts';
import { createRepository } from '../../src/local/repository.ts';
import { cacheFolder, prepare } from '../../src/local/setup/prepare.ts';
import { startTemporal } from '../../src/local/temporal-server.ts';
import { bundleWorkflows, disturbedRun, type RunOutcome } from './fault-world.ts';
import { bundleWorker } from './bundle-worker.ts';
import { everyPoint, nameOf, shareOut, type KillPoint } from './kill-points.ts';

const quiet = () => undefined;

export interface KillRuns {
  /** Points in all, and those that no process was killed at. */
  readonly planned: number;
  readonly missed: readonly string[];
  readonly kills: number;
  readonly runs: number;
  /** What was not as it must be, run by run. */
  readonly problems: readonly string[];
}

/** Points that were missed, since a run went otherwise than the undisturbed one, are tried again so often. */
const ROUNDS = 3;

/**
 * Runs a whole production pipeline once undisturbed, with a real build; reads its activities from its history; then runs
 * it again and again with what was built, killing worker and agents at the start, in the middle and at the end of each.
 * @param count runs that the points are shared out to
 * @param lanes runs side by side
 */
export async function killRuns({ count, lanes }: { count: number; lanes: number }): Promise<KillRuns> {
  const began = Date.now();
  const report = (line: string) => console.log(`      ${Math.round((Date.now() - began) / 1000)} s: ${line}`);
  const folder = await mkdtemp(join(tmpdir(), 'fairway-kills-'));
  const tools = await prepare(['temporal', 'apache2', 'haproxy', 'git', 'maven', 'javac'], quiet);
  const temporal = await startTemporal({ folder: join(folder, 'temporal'), executable: tools.temporal });
  const worker = await bundleWorker();
  try {
    const around = {
      temporalAddress: temporal.address,
      repository: await createRepository(join(folder, 'repository')),
      modulePath: await buildModule(cacheFolder()),
      workflowBundle: await bundleWorkflows(folder),
      worker: worker.path,
      folder,
    };
    const calm = await disturbedRun('undisturbed', around, []);
    assert.equal(calm.state.status, 'FINISHED', calm.state.failure?.message);
    assert.equal(calm.visitors.failed, 0);
    report(`undisturbed, with a build: FINISHED, ${calm.activities.length} activities`);
    const built = {
      artifacts: calm.state.artifacts,
      reports: { tests: { run: 1, failed: 0, skipped: 0 } },
      engine: 'an earlier build',
    };
    const earlier = { built, storage: join(folder, 'undisturbed', 'storage') };

    const points = everyPoint(calm.activities);
    const problems: string[] = [];
    const reached = new Set<string>();
    const missed = () => points.filter((point) => !reached.has(nameOf(point)));
    let kills = 0;
    let runs = 0;
    const one = async (own: readonly KillPoint[]) => {
      const name = `run${(runs += 1)}`;
      const told = (what: string) => {
        report(`${name}: ${what}`);
        problems.push(`${name} (${own.map(nameOf).join(', ')}): ${what}`);
      };
      try {
        const outcome = await disturbedRun(name, around, own, earlier);
        const before = reached.size;
        outcome.reached.forEach((point) => reached.add(point));
        kills += outcome.kills;
        report(`${name}: ${outcome.state.status}, ${reached.size - before} points by ${outcome.kills} kills`);
        problemsOf(outcome, calm).forEach(told);
      } catch (error) {
        told(String(error));
      }
    };
    for (let round = 0; round < ROUNDS && missed().length > 0 && problems.length === 0; round++) {
      const waiting = shareOut(missed(), calm.activities, count);
      const lane = async () => {
        for (let next = waiting.shift(); next; next = waiting.shift()) await one(next);
      };
      await Promise.all(Array.from({ length: lanes }, lane));
    }
    return { planned: points.length, missed: missed().map(nameOf), kills, runs, problems };
  } finally {
    await temporal.stop();
    await worker.remove();
    await rm(folder, { recursive: true, force: true });
  }
}

function problemsOf(run: RunOutcome, calm: RunOutcome): string[] {
  const { state, visitors, ending } = run;
  const found: string[] = [];
  if (state.status !== 'FINISHED') found.push(`${state.status}: ${state.failure?.message}`);
  if (visitors.failed > 0)
    found.push(`${visitors.failed} visitors failed: ${JSON.stringify(visitors.failures[0])}`);
  ending.trees.forEach((tree, index) => {
    const whole = tree === calm.ending.trees[index];
    if (!whole)
      found.push(`dispatcher ${index} is ${tree === run.before[index] ? 'old' : 'neither old nor new'}`);
  });
  const extra = ending.left.filter((name) => !calm.ending.left.includes(name));
  if (extra.length > 0) found.push(`left behind: ${extra.join(', ')}`);
  return found;
}
