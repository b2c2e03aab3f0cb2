import { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import {
  bundleWorkflowCode,
  DefaultLogger,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { fileURLToPath } from 'node:url';
import { failureInterceptor } from '../../src/activities/failure-interceptor.ts';
import { waitActivities } from '../../src/activities/waits.ts';
import { FairwayClient } from '../../src/client/fairway-client.ts';
import type { Actor } from '../../src/model/actor.ts';
import { nodeQueue } from '../../src/model/activities.ts';
import type { ExecutionState } from '../../src/model/execution.ts';
import type { Started } from '../../src/model/program.ts';
import type { ProgramInput } from '../../src/model/schema/definition.ts';
import type { ExecutionMode } from '../../src/model/steps.ts';
import { definition } from '../support/definition.ts';
import { localEnvironment, timeSkippingEnvironment } from '../support/temporal.ts';
import { until } from '../support/until.ts';
import { ScriptedWorld, type World } from './scripted-world.ts';

export const ann: Actor = { subject: 'ann', via: 'test', verified: false };

const logger = new DefaultLogger('ERROR', () => undefined);
Runtime.install({ logger, telemetryOptions: { logging: { filter: 'OFF' } } });

let bundle: Promise<WorkflowBundleWithSourceMap> | undefined;
export const workflowBundle = () =>
  (bundle ??= bundleWorkflowCode({
    logger,
    workflowsPath: fileURLToPath(new URL('../../src/workflows/index.ts', import.meta.url)),
  }));

/** A server, workers for all queues of program 1, and a client; for the enclosing `describe`. */
export function workflowHarness(kind: 'time skipping' | 'real time'): Harness {
  const harness = new Harness();
  before(async function () {
    this.timeout(120_000);
    const start = kind === 'time skipping' ? timeSkippingEnvironment : localEnvironment;
    await harness.start(await start());
  });
  after(() => harness.stop());
  return harness;
}

const nodes = [
  ['11', 'dispatcher1'],
  ['12', 'dispatcher1'],
  ['12', 'dispatcher2'],
].map(([environmentId = '', nodeId = '']) => nodeQueue({ programId: '1', environmentId, nodeId }));

export class Harness {
  readonly world = new ScriptedWorld();
  client!: FairwayClient;
  env!: TestWorkflowEnvironment;
  private workers: { worker: Worker; running: Promise<void> }[] = [];

  /** `identity`: how client and workers call themselves in histories; by default process and host. */
  async start(env: TestWorkflowEnvironment, identity?: string): Promise<void> {
    this.env = env;
    const named = identity === undefined ? {} : { identity };
    const plain = new Client({ connection: env.connection, ...named });
    this.client = new FairwayClient(plain);
    const { activities } = this.world;
    const common = {
      connection: env.nativeConnection,
      ...named,
      interceptors: { activity: [() => ({ inbound: failureInterceptor })] },
      maxHeartbeatThrottleInterval: 200,
    };
    const workers = [
      Worker.create({ ...common, taskQueue: 'fairway', workflowBundle: await workflowBundle(), activities }),
      Worker.create({ ...common, taskQueue: 'fairway-waits', activities: waitActivities({ client: plain }) }),
      ...['fairway-build', ...nodes].map((taskQueue) => Worker.create({ ...common, taskQueue, activities })),
    ];
    for (const worker of await Promise.all(workers)) this.workers.push({ worker, running: worker.run() });
  }

  async stop(): Promise<void> {
    for (const { worker } of this.workers) worker.shutdown();
    await Promise.all(this.workers.map(({ running }) => running));
    await this.env.teardown();
  }

  /** Defines program 1 anew and starts an execution of its pipeline in a world with this script. */
  async begin(
    script: Partial<World> = {},
    options: {
      pipeline?: Parameters<typeof definition>[0];
      program?: Partial<ProgramInput>;
      mode?: ExecutionMode;
    } = {},
  ): Promise<Started> {
    this.world.begin(script);
    const revision = (await this.client.program('1'))?.revision ?? 0;
    const wanted = definition(options.pipeline, options.program);
    // A skipping clock may run past the end of the program's own run: then it begins anew, at revision 0.
    await this.client.apply(wanted, revision, ann).catch(() => this.client.apply(wanted, 0, ann));
    if (options.mode === 'EMERGENCY') await this.client.setEmergency('1', true, ann);
    return this.client.start('1', '101', options.mode ?? 'NORMAL', ann);
  }

  state(executionId?: string): Promise<ExecutionState> {
    return this.client.execution({ programId: '1', pipelineId: '101', executionId });
  }

  /** Waits in real time until the execution asks a person in this step. */
  async waitsAt(step: string): Promise<ExecutionState> {
    let state!: ExecutionState;
    await until(
      `the execution waits at ${step}`,
      async () => {
        state = await this.state();
        if (state.status !== 'RUNNING') throw new Error(`it is ${state.status}: ${state.failure?.message}`);
        return state.waitingFor?.step === step;
      },
      30_000,
    );
    return state;
  }

  /** Waits for the end, letting the clock skip, and answers the final state. */
  async end({ workflowId, runId, executionId }: Started): Promise<ExecutionState> {
    const handle = this.env.client.workflow.getHandle(workflowId, runId);
    await handle.result().catch(() => undefined);
    return this.state(executionId);
  }

  address({ executionId }: Started): { programId: string; pipelineId: string; executionId: string } {
    return { programId: '1', pipelineId: '101', executionId };
  }
}
