import assert from 'node:assert/strict';
import { appendFile, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageLabel } from '../../src/model/artifacts.ts';
import { sendVisitors } from '../../src/local/demo/visitors.ts';
import { run } from '../../src/systems/process.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import { until } from '../support/until.ts';
import { localPlatform, tester } from './harness.ts';

describe('a rolling deployment on real servers', function () {
  this.timeout(300_000);
  const fairway = localPlatform();
  const aem = () => fairway.platform.production;
  const states = (legs: readonly { state: string }[]) => legs.map(({ state }) => state);

  it('survives a worker killed in an installation and in a replacement; visitors notice nothing', async () => {
    const { production } = fairway.platform;
    const immutable = join(production.dispatchers[0]!.serverRoot, 'conf.d/dispatcher_vhost.conf');
    const protectedText = await readFile(immutable, 'utf8');
    // What a package says of an immutable file is ignored, even where it could not work.
    await fairway.platform.repository.change(
      'dispatcher/src/conf.d/dispatcher_vhost.conf',
      () => 'NoSuchDirective\n',
    );

    production.author.faults.installs.hold();
    const started = await fairway.begin('NORMAL');
    await production.author.faults.installs.waiting(1);
    const visitors = sendVisitors(production.loadBalancer.url);
    await fairway.platform.killWorker();
    production.author.faults.installs.release();
    await fairway.platform.startWorker();

    const journal = join(production.agents[0]!.host.stateFolder, 'journal.json');
    await until(
      'dispatcher1 replaces its configuration',
      async () => /"replac/.test(await readFile(journal, 'utf8').catch(() => '')),
      60_000,
    );
    await fairway.platform.killWorker();
    await fairway.platform.startWorker();

    const state = await fairway.end(started);
    const load = await visitors.finish();
    assert.equal(state.status, 'FINISHED', state.failure?.message);
    assert.deepEqual(states(fairway.production(state).legs), ['NEW', 'NEW']);
    const [label] = state.artifacts.flatMap((artifact) =>
      artifact.kind === 'aem' ? [packageLabel(artifact.package.id)] : [],
    );
    for (const instance of [production.author, ...production.publish]) {
      assert.ok(
        instance
          .installed()
          .map(packageLabel)
          .includes(label ?? ''),
      );
      const installs = instance.actions.filter(
        ({ what, path }) => what === 'install' && path.includes('site.all'),
      );
      assert.equal(installs.length, 1, 'each instance installed the package once');
    }
    const [first, second] = await fairway.trees();
    assert.equal(first, second, 'both dispatchers have the same configuration');
    assert.equal(await readFile(immutable, 'utf8'), protectedText);
    assert.match(await fairway.log(state, 'prodDeploy'), /dispatcher_vhost\.conf/);
    assert.deepEqual([load.failed, load.failures], [0, []]);
    assert.equal(Object.keys(load.labels).length, 2, 'visitors saw the old and the new version');
    await fairway.bothInService();
  });

  it('cancelled in the middle, finishes the leg it has begun and leaves every node serving', async () => {
    const [publish1] = aem().publish;
    publish1!.faults.installs.hold();
    const started = await fairway.beginProduction();
    await publish1!.faults.installs.waiting(1);
    const { client, program, pipelineId } = fairway.platform;
    const address = { programId: program.id, pipelineId, executionId: started.executionId };
    await client.send('cancel', address, { by: tester, reason: 'second thoughts' }, 'signal');
    publish1!.faults.installs.release();
    const state = await fairway.end(started);
    assert.equal(state.status, 'CANCELLED');
    assert.deepEqual(states(fairway.production(state).legs), ['NEW', 'OLD']);
    await fairway.bothInService();
  });

  it('that fails on AEM in its second leg is MIXED, says so, and serves', async () => {
    const publish2 = aem().publish[1]!;
    publish2.faults.failing.set('site.all', 'javax.jcr.nodetype.ConstraintViolationException: no such type');
    const state = await fairway.end(await fairway.beginProduction());
    publish2.faults.failing.clear();
    assert.equal(state.status, 'FAILED');
    assert.match(state.failure?.message ?? '', /publish2: .*ConstraintViolationException/s);
    const { legs } = fairway.production(state);
    assert.deepEqual(states(legs), ['NEW', 'MIXED']);
    assert.match(legs[1]?.reason ?? '', /publish2 old, dispatcher2 new|dispatcher2 new, publish2 old/);
    await fairway.bothInService();
  });

  it('keeps a host that was damaged meanwhile from the visitors; the next deployment makes it good', async () => {
    const [publish1] = aem().publish;
    const damaged = join(aem().dispatchers[1]!.serverRoot, 'conf/httpd.conf');
    const good = await readFile(damaged, 'utf8');
    publish1!.faults.installs.hold();
    const started = await fairway.beginProduction();
    await publish1!.faults.installs.waiting(1);
    await appendFile(damaged, '\nNoSuchDirective on\n');
    publish1!.faults.installs.release();
    const state = await fairway.end(started);
    assert.equal(state.status, 'FAILED');
    assert.match(state.failure?.message ?? '', /dispatcher2: .*NoSuchDirective/s);
    assert.deepEqual(states(fairway.production(state).legs), ['NEW', 'OUT']);
    assert.deepEqual(await fairway.service(), ['dispatcher1 up', 'dispatcher2 maintenance']);

    await writeFile(damaged, good);
    const next = await fairway.end(await fairway.beginProduction());
    assert.equal(next.status, 'FINISHED', next.failure?.message);
    assert.ok(fairway.production(next).reconciled.includes('dispatcher2: returned to service'));
    await fairway.bothInService();

    // It was the production deployment of the failed one, done again with what that had.
    assert.deepEqual(
      [next.reExecutes, ...next.steps.map(({ id, status }) => `${id} ${status}`)],
      [state.executionId, 'validate FINISHED', 'build FINISHED', 'prodDeploy FINISHED'],
    );
    const had = ({ artifactsVersion, artifacts }: typeof state) => [
      artifactsVersion,
      ...artifacts.map(({ path, file: { sha256 } }) => `${path} ${sha256}`),
    ];
    assert.deepEqual(had(next), had(state));
    assert.match(
      await fairway.log(next, 'build'),
      /site\.all-.*\.zip: copied from .*SHA-256 as it was built/,
    );
    const installed = next.artifacts.flatMap((one) =>
      one.kind === 'aem' ? [packageLabel(one.package.id)] : [],
    );
    assert.equal(installed.length, 1);
    for (const instance of [aem().author, ...aem().publish])
      assert.ok(instance.installed().map(packageLabel).includes(installed[0]!));
  });

  it('leaves artifacts that may go after half a year, as the documentation says; the last are deployed again', async () => {
    const { storageFolder } = fairway.platform;
    const documentation = await readFile(join(import.meta.dirname, '../../docs/operations.md'), 'utf8');
    const removal = /^cd STORAGE [^]*?-delete$/m.exec(documentation)![0];
    const clean = async () => {
      const { code, stderr } = await run('sh', ['-c', removal.replace('STORAGE', storageFolder)]);
      assert.deepEqual([code, stderr], [0, '']);
    };
    const storage = fileStorage(storageFolder);
    const before = await storage.list('');
    const daysAgo = (days: number, keys: readonly string[]) => {
      const at = Date.now() / 1000 - days * 86_400;
      return Promise.all(keys.map((key) => utimes(join(storageFolder, key), at, at)));
    };
    await daysAgo(179, before);
    await clean();
    assert.deepEqual(await storage.list(''), before, 'nothing goes too soon');

    const artifacts = before.filter((key) => key.includes('/artifacts/'));
    const executions = [...new Set(artifacts.map((key) => key.split('/artifacts/')[0]))];
    assert.ok(executions.length > 1);
    await daysAgo(182, before);
    await clean();
    const stay = before.filter((key) => !artifacts.includes(key) || key.startsWith(`${executions.at(-1)}/`));
    assert.deepEqual(await storage.list(''), stay);

    const state = await fairway.end(await fairway.beginProduction());
    assert.equal(state.status, 'FINISHED', state.failure?.message);
    assert.equal(state.reExecutes, executions.at(-1)!.split('/').at(-1));
  });

  it('terminated in the middle, still cleans up and lets go of the environment', async () => {
    const [publish1] = aem().publish;
    publish1!.faults.installs.hold();
    const started = await fairway.beginProduction();
    await publish1!.faults.installs.waiting(1);
    await fairway.platform.client.temporal.workflow.getHandle(started.workflowId).terminate('test');
    publish1!.faults.installs.release();
    await until(
      'the deployment is closed',
      async () => (await fairway.deployment('12').describe()).status.name === 'CANCELLED',
      60_000,
    );
    await fairway.bothInService();
    const repaired = await fairway.platform.client.repair('1001', '12', tester);
    assert.deepEqual(
      [repaired.reconciled, repaired.remaining ?? []],
      [[], []],
      'free, and nothing is left to do',
    );
  });
});
