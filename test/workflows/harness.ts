import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import {
  bundleWorkflowCode,
  DefaultLogger,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { announceActivities, deliveryActivities } from '../../src/activities/events.ts';
import { failureInterceptor } from '../../src/activities/failure-interceptor.ts';
import { leaseActivities, waitActivities } from '../../src/activities/waits.ts';
import { FairwayClient } from '../../src/client/fairway-client.ts';
import { FairwayError } from '../../src/client/fairway-error.ts';
import type { Actor } from '../../src/model/actor.ts';
import { nodeQueue } from '../../src/model/activities.ts';
import type { ExecutionState } from '../../src/model/execution.ts';
import type { Started } from '../../src/model/program.ts';
import type { ProgramInput } from '../../src/model/schema/definition.ts';
import type { ExecutionMode } from '../../src/model/steps.ts';
import { workflowCode } from '../../src/worker/workflow-code.ts';
import { definition } from '../support/definition.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import type { Storage } from '../../src/systems/storage/storage.ts';
import { destinations } from '../../src/systems/webhooks/destinations.ts';
import { localEnvironment, timeSkippingEnvironment } from '../support/temporal.ts';
import { until } from '../support/until.ts';
import { ScriptedWorld, type World } from './scripted-world.ts';

/** How often a question is asked that is not answered in time. */
const TRIES = 4;

export const ann: Actor = { subject: 'ann', via: 'test', verified: false };

const logger = new DefaultLogger('ERROR', () => undefined);
Runtime.install({ logger, telemetryOptions: { logging: { filter: 'OFF' } } });

let bundle: Promise<WorkflowBundleWithSourceMap> | undefined;
export const workflowBundle = () => (bundle ??= bundleWorkflowCode({ logger, ...workflowCode }));

/** A server, workers for all queues of program 1, and a client; for the enclosing `describe`. */
export function workflowHarness(kind: 'time skipping' | 'real time', productionLegs = 2): Harness {
  const harness = new Harness(productionLegs);
  before(async function () {
    this.timeout(120_000);
    const start = kind === 'time skipping' ? timeSkippingEnvironment : localEnvironment;
    await harness.start(await start());
  });
  after(() => harness.stop());
  return harness;
}

/** The queues of the agents: one dispatcher of dev and stage, those of production by its legs. */
const nodeQueues = (productionLegs: number) =>
  [
    ['10', 'dispatcher1'],
    ['11', 'dispatcher1'],
    ...Array.from({ length: productionLegs }, (_, index) => ['12', `dispatcher${index + 1}`]),
  ].map(([environmentId = '', nodeId = '']) => nodeQueue({ programId: '1', environmentId, nodeId }));

/** On a busy machine workers may not have been heard of for a while. */
function unlessUnavailable(error: unknown): undefined {
  if (!(error instanceof FairwayError) || error.kind !== 'unavailable') throw error;
}

export class Harness {
  readonly world = new ScriptedWorld();
  /** Secrets by name; any other has a value as well. */
  readonly secrets = new Map<string, string>();
  client!: FairwayClient;
  env!: TestWorkflowEnvironment;
  /** Of workers and of whoever else wants to; empty at the start. */
  storage!: Storage;
  folder!: string;
  private readonly productionLegs: number;
  private workers: { worker: Worker; running: Promise<void> }[] = [];

  constructor(productionLegs = 2) {
    this.productionLegs = productionLegs;
  }

  /** `identity`: how client and workers call themselves in histories; by default process and host. */
  async start(env: TestWorkflowEnvironment, identity?: string): Promise<void> {
    this.env = env;
    this.folder = await mkdtemp(join(tmpdir(), 'fairway-harness-'));
    this.storage = fileStorage(join(this.folder, 'storage'));
    const named = identity === undefined ? {} : { identity };
    const plain = new Client({ connection: env.connection, ...named });
    this.client = new FairwayClient(plain);
    await this.startWorkers(identity);
  }

  async startWorkers(identity?: string): Promise<void> {
    const { env } = this;
    const named = identity === undefined ? {} : { identity };
    const { activities } = this.world;
    const plain = this.client.temporal;
    const delivering = deliveryActivities({
      client: plain,
      storage: this.storage,
      secret: async (name) => this.secrets.get(name) ?? `value of ${name}`,
      destinations: destinations(['127.0.0.0/8']),
      apiUrl: 'https://fairway.example.org',
    });
    const common = {
      connection: env.nativeConnection,
      ...named,
      interceptors: { activity: [() => ({ inbound: failureInterceptor })] },
      maxHeartbeatThrottleInterval: 200,
    };
    const workers = [
      Worker.create({
        ...{ ...common, taskQueue: 'fairway', workflowBundle: await workflowBundle() },
        activities: {
          ...activities,
          ...leaseActivities({ client: plain }),
          ...announceActivities({ client: plain }),
        },
      }),
      Worker.create({
        ...{ ...common, taskQueue: 'fairway-waits' },
        activities: { ...waitActivities({ client: plain }), ...delivering },
      }),
      ...['fairway-build', ...nodeQueues(this.productionLegs)].map((taskQueue) =>
        Worker.create({ ...common, taskQueue, activities }),
      ),
    ];
    for (const worker of await Promise.all(workers)) this.workers.push({ worker, running: worker.run() });
  }

  async stopWorkers(): Promise<void> {
    const stopping = this.workers.splice(0);
    for (const { worker } of stopping) worker.shutdown();
    await Promise.all(stopping.map(({ running }) => running));
  }

  async stop(): Promise<void> {
    await this.stopWorkers();
    await this.env.teardown();
    await rm(this.folder, { recursive: true, force: true });
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
    await this.apply(options.program, options.pipeline);
    if (options.mode === 'EMERGENCY') await this.client.setEmergency('1', true, ann);
    return this.client.start({ programId: '1', pipelineId: '101', mode: options.mode ?? 'NORMAL', by: ann });
  }

  /** Defines program 1 anew. */
  async apply(
    program: Partial<ProgramInput> = {},
    pipeline?: Parameters<typeof definition>[0],
  ): Promise<void> {
    const revision = (await this.client.program('1'))?.revision ?? 0;
    const wanted = definition(pipeline, program);
    // A skipping clock may run past the end of the program's own run: then it begins anew, at revision 0.
    await this.client.apply(wanted, revision, ann).catch(() => this.client.apply(wanted, 0, ann));
  }

  /** On a machine that is busy with other tests an answer may come too late; then it is asked for again. */
  async state(executionId?: string): Promise<ExecutionState> {
    const ask = () => this.client.execution({ programId: '1', pipelineId: '101', executionId });
    for (let left = TRIES; left > 1; left--)
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof FairwayError) || error.kind !== 'unavailable') throw error;
      }
    return ask();
  }

  /** Waits in real time until the execution asks a person in this step. */
  async waitsAt(step: string): Promise<ExecutionState> {
    let state!: ExecutionState;
    await until(
      `the execution waits at ${step}`,
      async () => {
        const known = await this.state().catch(unlessUnavailable);
        if (!known) return false;
        state = known;
        if (state.status !== 'RUNNING') throw new Error(`it is ${state.status}: ${state.failure?.message}`);
        return state.waitingFor?.step === step;
      },
      60_000,
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
