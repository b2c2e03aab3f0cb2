import type { WorkerOptions } from '@temporalio/worker';
import { createWorkers } from '../../src/worker/create-workers.ts';
import { readSettings, type WorkerSettingsInput } from '../../src/worker/settings.ts';
import { ScriptedWorld } from '../workflows/scripted-world.ts';

/** Workers as their settings make them, except that their activities touch nothing. */
export async function scriptedWorkers(settings: WorkerSettingsInput) {
  const world = new ScriptedWorld();
  const adjust = (options: WorkerOptions): WorkerOptions => ({
    ...options,
    activities: { ...options.activities, ...world.activities },
  });
  const workers = await createWorkers(await readSettings(undefined, settings), () => undefined, adjust);
  const ended = workers.run();
  return {
    world,
    async stop() {
      workers.shutdown();
      await ended;
      await workers.close();
    },
  };
}
