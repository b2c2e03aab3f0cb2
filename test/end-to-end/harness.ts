import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deploymentWorkflowId, type ExecutionState } from '../../src/model/execution.ts';
import type { DeploymentProgress } from '../../src/model/deployment.ts';
import type { Started } from '../../src/model/program.ts';
import { reExecutionRefusal } from '../../src/model/re-execution.ts';
import type { ProgramInput } from '../../src/model/schema/definition.ts';
import type { ExecutionMode } from '../../src/model/steps.ts';
import { startPlatform, type Platform } from '../../src/local/platform.ts';
import { hashTree, immutableTest } from '../../src/systems/httpd/tree.ts';
import { loadBalancerOf } from '../../src/systems/load-balancer/choose.ts';
import { run } from '../../src/systems/process.ts';
import { insist } from '../support/applied.ts';
import { until } from '../support/until.ts';

export const tester = { subject: 'tester', via: 'test', verified: false };

/** A whole local platform for the enclosing `describe`, whose pipeline waits for nobody. */
export function localPlatform(): TestPlatform {
  const test = new TestPlatform();
  before(async function () {
    this.timeout(240_000);
    await test.start();
  });
  after(async function () {
    this.timeout(60_000);
    await test.stop();
  });
  return test;
}

export class TestPlatform {
  platform!: Platform;
  private folder = '';

  async start(): Promise<void> {
    this.folder = await mkdtemp(join(tmpdir(), 'fairway-e2e-'));
    this.platform = await startPlatform({
      folder: this.folder,
      report: () => undefined,
      adjust: (program) => ({
        ...program,
        performance: { ...program.performance, durationSeconds: 1 },
        pipelines: program.pipelines.map((pipeline) => ({
          ...pipeline,
          approval: false,
          schedule: false,
          cse: undefined,
        })),
      }),
    });
    const { client, program } = this.platform;
    await insist('emergency mode is activated', () => client.setEmergency(program.id, true, tester));
  }

  async stop(): Promise<void> {
    await this.platform?.stop();
    if (this.folder) await rm(this.folder, { recursive: true, force: true });
  }

  /** Changes the pipeline of the program. */
  async pipeline(change: Partial<ProgramInput['pipelines'][number]>): Promise<void> {
    const { client, program } = this.platform;
    const revision = (await client.program(program.id))?.revision ?? 0;
    const pipelines = program.pipelines.map((pipeline) => ({ ...pipeline, ...change }));
    await client.apply({ ...program, pipelines }, revision, tester);
  }

  /** Without the tests of stage unless they are wanted: they take their time. */
  begin(mode: ExecutionMode = 'EMERGENCY', reExecutes?: string): Promise<Started> {
    const { client, program, pipelineId } = this.platform;
    return client.start({ programId: program.id, pipelineId, mode, reExecutes, by: tester });
  }

  /** Only the production deployment, of what the last execution built, where that can be had. */
  async beginProduction(): Promise<Started> {
    const { client, program, pipelineId } = this.platform;
    const last = (await client.program(program.id))?.latest?.[pipelineId];
    if (last === undefined) return this.begin();
    const state = await client.execution({ programId: program.id, pipelineId, executionId: last });
    return reExecutionRefusal(state) ? this.begin() : this.begin('NORMAL', last);
  }

  state({ executionId }: Started): Promise<ExecutionState> {
    const { client, program, pipelineId } = this.platform;
    return client.execution({ programId: program.id, pipelineId, executionId });
  }

  async end(started: Started): Promise<ExecutionState> {
    const handle = this.platform.client.temporal.workflow.getHandle(started.workflowId, started.runId);
    await handle.result().catch(() => undefined);
    return this.state(started);
  }

  production(state: ExecutionState): DeploymentProgress {
    const found = state.deployments.find(({ environmentId }) => environmentId === '12');
    assert.ok(found, `there was no production deployment: ${state.failure?.message}`);
    return found;
  }

  /** How the load balancer of production sees its dispatchers. */
  async service(): Promise<string[]> {
    const { definition } = this.platform.production;
    const servers = await loadBalancerOf(definition.loadBalancer!, definition.dispatchers).servers();
    return servers.map(({ name, status }) => `${name} ${status}`);
  }

  async bothInService(): Promise<void> {
    await until('both dispatchers are in service', async () =>
      (await this.service()).every((server) => server.endsWith(' up')),
    );
  }

  deployment(environmentId: string) {
    const { client, program } = this.platform;
    return client.temporal.workflow.getHandle(deploymentWorkflowId(program.id, environmentId));
  }

  /** Fingerprints of the configuration of both dispatchers of production. */
  trees(): Promise<string[]> {
    return Promise.all(
      this.platform.production.dispatchers.map(({ serverRoot }) => hashTree(serverRoot, immutableTest([]))),
    );
  }

  log(state: ExecutionState, step: string): Promise<string> {
    const log = state.steps.find(({ id }) => id === step)?.log ?? '';
    return readFile(join(this.platform.storageFolder, log), 'utf8');
  }

  async git(...args: string[]): Promise<void> {
    const cwd = fileURLToPath(this.platform.repository.url);
    const identity = ['-c', 'user.name=tester', '-c', 'user.email=tester@example.com'];
    const { code, stderr } = await run('git', [...identity, ...args], { cwd });
    assert.equal(code, 0, stderr);
  }

  /** Does something with the repository changed, and takes the change back afterwards. */
  async withCommit(change: () => Promise<void>, body: () => Promise<void>): Promise<void> {
    await change();
    try {
      await body();
    } finally {
      await this.git('reset', '--quiet', '--hard', 'HEAD~1');
    }
  }
}
