import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { recordActivities } from '../../src/activities/record.ts';
import { difference } from '../../src/client/difference.ts';
import { FairwayClient } from '../../src/client/fairway-client.ts';
import { FairwayError, type FairwayErrorKind } from '../../src/client/fairway-error.ts';
import { prepare } from '../../src/local/setup/prepare.ts';
import type { Started } from '../../src/model/program.ts';
import { programSchema, type ProgramInput } from '../../src/model/schema/definition.ts';
import { secretVariableKey } from '../../src/model/variables.ts';
import { run } from '../../src/systems/process.ts';
import { decryptVariable } from '../../src/systems/secret-variables.ts';
import { secrets } from '../../src/systems/secrets.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import { definition } from '../support/definition.ts';
import { temporaryFolder } from '../support/folder.ts';
import { until } from '../support/until.ts';
import { ann, workflowHarness } from '../workflows/harness.ts';

const as = (kind: FairwayErrorKind, reason: RegExp) => (error: unknown) => {
  assert.ok(error instanceof FairwayError, String(error));
  assert.equal(error.kind, kind, error.message);
  assert.match(error.message, reason);
  return true;
};
const noQuestions = { approval: false, schedule: false, cse: undefined };
const repository = { url: 'file:///nowhere', branch: 'main' };
const dev = { ...definition().environments[0]!, id: '10', name: 'Dev', type: 'dev' as const };

/** A program with a pipeline of each kind. */
const whole = (change: Partial<ProgramInput> = {}): ProgramInput =>
  definition(noQuestions, {
    environments: [dev, ...definition().environments],
    pipelines: [
      ...definition(noQuestions).pipelines,
      { id: '102', name: 'Dev', type: 'deployment', repository, devEnvironment: '10' },
      { id: '103', name: 'Quality', type: 'codeQuality', repository },
    ],
    ...change,
  });

describe('the library', function () {
  this.timeout(120_000);
  const fairway = workflowHarness('real time');
  const folder = temporaryFolder();
  const key = Buffer.alloc(32, 7).toString('base64');
  let client: FairwayClient;
  const storage = () => fileStorage(join(folder(), 'storage'));
  const script = () => recordActivities({ storage: storage() });

  beforeEach(async () => {
    client = new FairwayClient(fairway.client.temporal, {
      storage: storage(),
      secrets: secrets({ env: { FAIRWAY_SECRET_VARIABLES_KEY: key } }),
    });
    fairway.world.begin(script());
  });
  const apply = async (program: ProgramInput) =>
    client.apply(program, (await client.program(program.id))?.revision ?? 0, ann);
  const start = (pipelineId: string, more: { branch?: string; tag?: string } = {}) =>
    client.start({ programId: '1', pipelineId, mode: 'NORMAL', by: ann, ...more });
  const address = (pipelineId: string, { executionId }: Started) => ({
    programId: '1',
    pipelineId,
    executionId,
  });
  const ended = (pipelineId: string, started: Started) =>
    until(
      'it has a record',
      async () =>
        (await client.execution(address(pipelineId, started))).finishedAt !== undefined &&
        (await recorded(started)),
    );
  const recorded = async ({ executionId }: Started) =>
    (await storage().list('1/executions/')).some((indexed) => indexed.includes(executionId));

  it('finds things by id or name, and says what is probably meant', async () => {
    await apply(whole());
    await apply({ ...whole(), id: '2', name: 'Other' });
    await until('both are listed', async () => (await client.programs()).length === 2);
    assert.equal((await client.findProgram('example')).definition.id, '1');
    assert.equal((await client.findPipeline('Example/Dev')).thing.id, '102');
    assert.equal((await client.findPipeline('quality', '2')).program.id, '2');
    await assert.rejects(
      client.findPipeline('Dev'),
      as('ambiguous', /102 \(Dev\) of program 1 .*; 102 \(Dev\) of program 2/),
    );
    await assert.rejects(client.findPipeline('Qualty', '1'), as('notFound', /similar: 103 \(Quality\)/));
    await assert.rejects(
      client.findEnvironment('99', '1'),
      as('notFound', /no environment "99"; there are: 10 \(Dev\)/),
    );
    await client.deleteProgram('2', ann);
    assert.deepEqual(
      (await client.programs()).map(({ definition: { id } }) => id),
      ['1'],
    );
  });

  it('deploys to dev without questions, and only judges the code where nothing more is wanted', async () => {
    await apply(whole());
    const toDev = await start('102', { branch: 'feature/x' });
    await ended('102', toDev);
    const state = await client.execution(address('102', toDev));
    assert.equal(state.status, 'FINISHED', state.failure?.message);
    assert.deepEqual(
      state.steps.map(({ id, status }) => `${id} ${status}`),
      ['validate FINISHED', 'build FINISHED', 'codeQuality FINISHED', 'devDeploy FINISHED'],
    );
    assert.deepEqual(
      [state.branch, state.configuredBranch, state.artifactsVersion],
      ['feature/x', 'main', undefined],
    );
    assert.ok(fairway.world.done('installPackage').length > 0);

    fairway.world.begin({
      ...script(),
      codeQuality: async () => ({
        metrics: [{ ...metricFailing, severity: 'important' as const }],
        results: { key: 'r', sha256: '0', size: 1 },
      }),
    });
    const judged = await start('103', { tag: '1.0' });
    await ended('103', judged);
    const verdict = await client.execution(address('103', judged));
    assert.deepEqual([verdict.status, verdict.branch], ['FAILED', 'refs/tags/1.0']);
    assert.match(verdict.failure?.message ?? '', /below the gate: coverage/);
    assert.deepEqual(fairway.world.done('installPackage'), []);
  });

  it('refuses emergency mode for what is not for production, with the reason', async () => {
    await apply(whole());
    await client.setEmergency('1', true, ann);
    await assert.rejects(
      client.start({ programId: '1', pipelineId: '102', mode: 'EMERGENCY', by: ann }),
      as(
        'refused',
        /for production pipelines of Managed Services; pipeline 102 \(Dev\) is a deployment pipeline for dev/,
      ),
    );
    await assert.rejects(start('102', { branch: 'a', tag: 'b' }), as('refused', /not both/));
  });

  it('removes nothing that is in use, and uses no id again', async () => {
    await apply(whole());
    let go = () => undefined as void;
    const held = new Promise<void>((resolve) => (go = resolve));
    fairway.world.begin({
      ...script(),
      validate: async () => {
        await held;
        return { problems: [], warnings: [], commit: 'c0ffee'.repeat(6) };
      },
    });
    const started = await start('102');
    await assert.rejects(
      client.deletePipeline('1', '102', ann),
      as('refused', /pipeline 102 is in use by Example · Dev/),
    );
    await assert.rejects(client.deleteProgram('1', ann), as('refused', /in use by/));
    await assert.rejects(
      client.deleteEnvironment('1', '10', ann),
      as('refused', /devEnvironment: there is no environment 10/),
    );
    assert.equal((await client.program('1'))?.definition.pipelines.length, 3);
    assert.equal((await client.findExecution(undefined)).executionId, started.executionId);
    go();
    await ended('102', started);
    const { handle } = {
      handle: fairway.client.temporal.workflow.getHandle(started.workflowId, started.runId),
    };
    await handle.result();
    await client.deletePipeline('1', '102', ann);
    await client.deleteProgram('1', ann);
    assert.equal(await client.program('1'), undefined);
    await assert.rejects(start('103'), as('refused', /no definition/));
    await client.apply(whole(), 0, ann);
    const next = await start('103');
    assert.ok(Number(next.executionId) > Number(started.executionId));
    await ended('103', next);
  });

  it('of two changes at the same time tells one to read again', async () => {
    const { revision } = await apply(whole());
    const changes = await Promise.allSettled(
      ['One', 'Two'].map((name) => client.apply(whole({ name }), revision, ann)),
    );
    const lost = changes.flatMap((change) =>
      change.status === 'rejected' ? [change.reason as unknown] : [],
    );
    assert.equal(lost.length, 1);
    as('refused', /changed meanwhile: .*Read it again/)(lost[0]);
  });

  it('shows in what two definitions differ', () => {
    const before = programSchema.parse(whole());
    const after = structuredClone(before);
    after.pipelines[0]!.repository.branch = 'release';
    after.pipelines.pop();
    after.environments.push({ ...after.environments[0]!, id: '13', name: 'Dev 2' });
    const found = difference(before, after);
    assert.deepEqual(
      found.map(({ change, path }) => `${change} ${path}`),
      ['added environments[13]', 'changed pipelines[101].repository.branch', 'removed pipelines[103]'],
    );
    assert.deepEqual([found[1]?.before, found[1]?.after], ['main', 'release']);
    assert.deepEqual(difference(before, structuredClone(before)), []);
  });

  it('keeps secret variables as ciphertext; executions get what is set when they start', async () => {
    await apply(
      whole({ pipelines: whole().pipelines.map((p) => ({ ...p, variables: { A: 'file', B: 'file' } })) }),
    );
    const of = { programId: '1', pipelineId: '103', by: ann };
    await client.setVariable({ ...of, name: 'A', value: 'set' });
    await client.setVariable({ ...of, name: 'TOKEN', value: 'do-not-tell', secret: true });
    const builds: unknown[] = [];
    const build = async (input: object) => {
      builds.push(input);
      return {
        artifacts: [],
        reports: { tests: { run: 0, failed: 0, skipped: 0 } },
        engine: 'local process',
      };
    };
    fairway.world.begin({ ...script(), build });
    const started = await start('103');
    await ended('103', started);
    assert.deepEqual(
      (await client.variables('1', '103')).map(({ name, value, from }) => [name, value, from]),
      [
        ['A', 'set', 'set'],
        ['B', 'file', 'definition'],
        ['TOKEN', undefined, 'set'],
      ],
    );
    const [input] = builds as {
      pipeline: { variables: object };
      secretVariables: { name: string; version: string }[];
    }[];
    assert.deepEqual(input?.pipeline.variables, { A: 'set', B: 'file' });
    const [reference] = input?.secretVariables ?? [];
    assert.ok(reference);
    const content = await readFile(
      join(folder(), 'storage', secretVariableKey('1', '103', reference)),
      'utf8',
    );
    assert.doesNotMatch(content, /do-not-tell/);
    const place = { programId: '1', pipelineId: '103', ...reference };
    const keyOf = (text: string) => secrets({ env: { FAIRWAY_SECRET_VARIABLES_KEY: text } });
    assert.equal(await decryptVariable(keyOf(key), place, content), 'do-not-tell');
    await assert.rejects(decryptVariable(keyOf('00'.repeat(32)), place, content), {
      type: 'Denied',
      message: /encrypted with another key.*set the variable again/,
    });
    await assert.rejects(decryptVariable(keyOf('short'), place, content), {
      message: /not a key of 32 bytes.*openssl rand/,
    });
    await assert.rejects(decryptVariable(secrets({ env: {} }), place, content), {
      type: 'Missing',
      message: /secret variables need a key.*FAIRWAY_SECRET_VARIABLES_KEY/,
    });
    await assert.rejects(decryptVariable(keyOf(key), { ...place, pipelineId: '101' }, content), {
      type: 'InvalidArtifact',
    });
    for (const workflowId of ['program-1', started.workflowId]) {
      const history = await fairway.client.temporal.workflow.getHandle(workflowId).fetchHistory();
      assert.doesNotMatch(JSON.stringify(history), /do-not-tell|ZG8tbm90LXRlbGw/);
    }
    await client.deleteVariable({ ...of, name: 'TOKEN' });
    await assert.rejects(
      client.deleteVariable({ ...of, name: 'TOKEN' }),
      as('refused', /has no variable TOKEN/),
    );
    await assert.rejects(
      client.deleteVariable({ ...of, name: 'B' }),
      as('refused', /part of the definition/),
    );
    await assert.rejects(
      client.setVariable({ ...of, name: 'CM_BUILD', value: 'x' }),
      as('refused', /set by the build/),
    );
    await assert.rejects(
      client.setVariable({ ...of, name: 'CM_PERF_TEST_BASIC_PASSWORD', value: 'x' }),
      as('refused', /must be secret: .*--secret/),
    );
    const keyless = new FairwayClient(client.temporal, { storage: storage(), secrets: secrets({ env: {} }) });
    await assert.rejects(
      keyless.setVariable({ ...of, name: 'TOKEN', value: 'x', secret: true }),
      as('unavailable', /need a key/),
    );
  });

  it('lists executions page by page, and those that Temporal has forgotten with their logs', async function () {
    this.timeout(180_000);
    await apply(whole());
    const { temporal } = await prepare(['temporal'], () => undefined);
    const all: Started[] = [];
    for (let n = 0; n < 3; n += 1) {
      const started = await start('103');
      await ended('103', started);
      all.push(started);
    }
    const ids = all.map(({ executionId }) => executionId).reverse();
    const [forgotten] = all;
    assert.ok(forgotten);
    await storage().append(`1/103/${forgotten.executionId}/logs/build.log`, 'one\nzwei: ü\n');
    const { code, stderr } = await run(temporal, [
      ...['workflow', 'delete', '--workflow-id', forgotten.workflowId, '--run-id', forgotten.runId, '--yes'],
      ...['--address', fairway.env.address],
    ]);
    assert.equal(code, 0, stderr);
    const handle = client.temporal.workflow.getHandle(forgotten.workflowId, forgotten.runId);
    // The server deletes once its queues have been through.
    await until(
      'Temporal has forgotten it',
      () =>
        handle.describe().then(
          () => false,
          () => true,
        ),
      90_000,
    );

    const pages: string[] = [];
    let after: string | undefined;
    do {
      const page = await client.executions({ programId: '1', pipelineId: '103', limit: 1, after });
      pages.push(...page.executions.map(({ executionId }) => executionId));
      after = page.next;
    } while (after);
    assert.deepEqual(pages.slice(0, 3), ids);
    assert.equal(new Set(pages).size, pages.length);
    assert.equal((await client.execution(address('103', forgotten))).status, 'FINISHED');
    assert.equal((await client.findExecution(String(Number(forgotten.executionId)))).pipelineName, 'Quality');
    const first = await client.log(address('103', forgotten), 'build');
    assert.deepEqual(first, { text: 'one\nzwei: ü\n', next: 13, complete: true });
    assert.equal((await client.log(address('103', forgotten), 'build', 4)).text, 'zwei: ü\n');
    await assert.rejects(
      client.log(address('103', forgotten), 'stageDeploy'),
      as('notFound', /has no step stageDeploy; it has validate, build/),
    );
    const failed = await client.executions({ programId: '1', status: 'FAILED' });
    assert.ok(failed.executions.every(({ status }) => status === 'FAILED'));
    const without = new FairwayClient(client.temporal);
    await assert.rejects(without.log(address('103', all[1]!), 'build'), as('unavailable', /FAIRWAY_STORAGE/));
  });

  it('says what waits for a person, until when, and finds it without an id', async () => {
    await apply(whole({ pipelines: definition().pipelines }));
    const started = await start('101');
    await until('it waits', async () => (await client.waiting()).length === 1);
    const [waiting] = await client.waiting({ programId: '1' });
    assert.equal(waiting?.execution.executionId, started.executionId);
    assert.equal(waiting?.step, 'approval');
    assert.match(waiting?.question ?? '', /Approve the production deployment/);
    assert.equal(
      Date.parse(waiting?.until ?? '') - Date.parse(waiting?.since ?? ''),
      7 * 24 * 60 * 60 * 1000,
    );
    const found = await client.findExecution(undefined, { waitingFor: 'approval' });
    assert.equal(found.executionId, started.executionId);
    await assert.rejects(
      client.findExecution(undefined, { waitingFor: 'managed' }),
      as('notFound', /waits for CSE Support/),
    );
    await assert.rejects(client.findExecution('99999'), as('notFound', /no execution 0000099999/));
    await client.send('cancel', address('101', started), { by: ann });
    await ended('101', started);
  });

  it('names the address where no Temporal answers', async () => {
    await assert.rejects(
      FairwayClient.connect({ address: '127.0.0.1:9' }),
      as('unavailable', /no Temporal Service answers at 127\.0\.0\.1:9: start one/),
    );
  });
});

const metricFailing = {
  kpi: 'coverage',
  expectedValue: '50',
  actualValue: '10',
  comparator: 'GTE' as const,
  passed: false,
  override: false,
};
