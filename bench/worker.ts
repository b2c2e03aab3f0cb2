import { appendFileSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { WorkerOptions } from '@temporalio/worker';
import type { TestOutcome } from '../src/model/activities.ts';
import { runProcess } from '../src/worker/run-process.ts';
import type { Traced } from './trace.ts';
import { metric, ScriptedWorld } from '../test/workflows/scripted-world.ts';

/*
 * `worker.ts SETTINGS.json SCRIPT.json`: Fairway's workers as they are, with activities that do nothing but take their
 * time.
 */

export interface Script {
  /** How long every activity takes. */
  readonly activityMs: number;
  /** How many builds at a time, where many workers that build are meant; one when absent, as with one worker. */
  readonly buildsAtOnce?: number;
  /** The step whose gate has a failing important metric. */
  readonly gate?: 'codeQuality' | 'securityTest';
  /** File that gets a line of JSON (`Traced`) for every activity. */
  readonly trace?: string;
  /** Workflows to run instead of Fairway's. */
  readonly workflowsPath?: string;
}

const [settingsFile = '', scriptFile = ''] = process.argv.slice(2);
const script = JSON.parse(readFileSync(scriptFile, 'utf8')) as Script;
const now = () => performance.timeOrigin + performance.now();

const world = new ScriptedWorld();
const failing: TestOutcome = {
  metrics: [metric('coverage', 'important', false)],
  results: { key: 'results.json', sha256: '0', size: 2 },
};
world.begin(script.gate ? { [script.gate]: async () => failing } : {});

const activities = Object.fromEntries(
  Object.entries(world.activities as Record<string, (input: object) => Promise<unknown>>).map(
    ([name, work]) => [
      name,
      async (input: object) => {
        const start = now();
        if (script.activityMs > 0) await delay(script.activityMs);
        const result = await work(input);
        world.journal.length = 0;
        if (script.trace)
          appendFileSync(script.trace, `${JSON.stringify({ name, start, end: now() } satisfies Traced)}\n`);
        return result;
      },
    ],
  ),
);

const adjusted = (options: WorkerOptions): WorkerOptions => ({
  ...options,
  // The server is asked as always.
  ...(options.taskQueue === 'fairway-waits' ? {} : { activities: { ...options.activities, ...activities } }),
  ...(options.taskQueue === 'fairway-build' && script.buildsAtOnce
    ? { maxConcurrentActivityTaskExecutions: script.buildsAtOnce }
    : {}),
  // Those of all hosts share this process: ten long polls for each would be hundreds.
  ...(options.taskQueue?.startsWith('fairway-node-') ? { maxConcurrentActivityTaskPolls: 2 } : {}),
  ...(options.workflowsPath && script.workflowsPath
    ? { workflowsPath: script.workflowsPath, bundlerOptions: { preloadModules: [script.workflowsPath] } }
    : {}),
});

await runProcess(settingsFile, { logLevel: 'ERROR', adjust: adjusted });
