import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BuildOutput } from '../../src/model/activities.ts';
import type { ActivityInboundCallsInterceptor, WorkerOptions } from '@temporalio/worker';
import { Context } from '@temporalio/activity';
import { runProcess } from '../../src/worker/run-process.ts';
import { nameOf, pointKey, type KillPoint, type Moment } from './kill-points.ts';

/*
 * `killable-worker SETTINGS.json PLAN.json`: a worker that ends itself by SIGKILL at the points of a plan, each once.
 */

export interface KillPlan {
  readonly points: readonly KillPoint[];
  /** One file for each point at which an activity has died, across all processes. */
  readonly reachedFolder: string;
  readonly workflowBundle: string;
  /** What the build answers instead of building. */
  readonly built?: BuildOutput;
}

/** Activities that were asked for together come to the same point within so long, and die together. */
const TOGETHER_MS = { start: 150, end: 600 } as const;

const [settingsFile = '', planFile = ''] = process.argv.slice(2);
const plan = JSON.parse(readFileSync(planFile, 'utf8')) as KillPlan;
const fileOf = (point: Pick<KillPoint, 'key' | 'when'>) => join(plan.reachedFolder, nameOf(point));

/** What it is to each activity under way when this process dies now. */
const underWay = new Map<string, Moment>();

function die(): void {
  for (const [key, when] of underWay) writeFileSync(fileOf({ key, when }), '');
  process.kill(process.pid, 'SIGKILL');
}

function dieAt(key: string, when: 'start' | 'end', counted: Moment = when): Promise<never> {
  underWay.set(key, counted);
  setTimeout(die, TOGETHER_MS[when]);
  return new Promise(() => undefined);
}

const killer: ActivityInboundCallsInterceptor = {
  async execute(input, next) {
    const { workflowExecution, activityType } = Context.current().info;
    const key = pointKey(workflowExecution?.workflowId ?? '', activityType, input.args[0]);
    const due = plan.points.find((point) => point.key === key && !existsSync(fileOf(point)));
    if (due?.when === 'start') return dieAt(key, 'start');
    underWay.set(key, 'middle');
    const timer = due?.when === 'middle' ? setTimeout(die, due.afterMs) : undefined;
    try {
      const result = await next(input);
      // One that was quicker this time: its end is as near to its middle as it gets.
      if (due) return await dieAt(key, 'end', due.when);
      return result;
    } finally {
      clearTimeout(timer);
      underWay.delete(key);
    }
  },
};

const adjusted = (options: WorkerOptions): WorkerOptions => ({
  ...options,
  ...(options.workflowsPath
    ? {
        workflowsPath: undefined,
        bundlerOptions: undefined,
        workflowBundle: { codePath: plan.workflowBundle },
      }
    : {}),
  ...(options.taskQueue === 'fairway-build' && plan.built
    ? { activities: { ...options.activities, build: async () => plan.built } }
    : {}),
  interceptors: {
    activity: [() => ({ inbound: killer }), ...(options.interceptors?.activity ?? [])],
  },
});

await runProcess(settingsFile, { logLevel: 'ERROR', adjust: adjusted });
