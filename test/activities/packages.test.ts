import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { packageActivities } from '../../src/activities/packages.ts';
import { preflightActivities } from '../../src/activities/preflight.ts';
import { startAem, type AemStandIn } from '../../src/local/aem/aem.ts';
import type { AemArtifact } from '../../src/model/artifacts.ts';
import type { EnvironmentAnswers, Installed, InstallInput } from '../../src/model/activities.ts';
import { Failure } from '../../src/systems/failure.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import {
  containerPackage,
  contentPackage,
  GROUP,
  packageFile,
  storedArtifact,
} from '../support/aem-packages.ts';
import { temporaryFolder } from '../support/folder.ts';
import { until } from '../support/until.ts';

const LOG = '1/2/3/deploy.log';

/** Failures are what is tested here: nobody needs to read about them. */
const environment = (attempt = 1) =>
  new MockActivityEnvironment({ attempt }, { logger: new DefaultLogger('ERROR') });

describe('package activities', () => {
  afterEach(() => Promise.all(running.splice(0).map((aem) => aem.stop()))); // before their folders go
  const running: AemStandIn[] = [];
  const folder = temporaryFolder();

  const start = async (id: string, restartMs = 100) => {
    const aem = await startAem({
      runMode: 'publish',
      password: 'secret',
      folder: join(folder(), id),
      restartMs,
    });
    running.push(aem);
    return aem;
  };
  const storage = () => fileStorage(join(folder(), 'storage'));
  const workFolder = () => join(folder(), 'work');
  const activities = (password = 'secret') =>
    packageActivities({
      storage: storage(),
      secret: async () => `admin:${password}`,
      workFolder: workFolder(),
    });
  const instance = (aem: AemStandIn, id = 'publish1') => ({ id, url: aem.url, credentials: 'AEM' });
  const input = (aem: AemStandIn, artifact: AemArtifact, more: Partial<InstallInput> = {}): InstallInput => ({
    deployment: '1-2-3',
    instance: instance(aem),
    artifact,
    log: LOG,
    ...more,
  });
  const install = (job: InstallInput, env = environment()): Promise<Installed> =>
    env.run(activities().installPackage, job);
  /** What is wrong with publish1, in sentences; how it failed if it could not be asked. */
  const preflight = async (aem: AemStandIn, artifacts: readonly AemArtifact[], password = 'secret') => {
    const { preflightEnvironment } = preflightActivities({
      storage: storage(),
      secret: async () => `admin:${password}`,
    });
    const { troubles }: EnvironmentAnswers = await environment().run(preflightEnvironment, {
      ...{ instances: [instance(aem)], dispatchers: [], log: LOG },
      artifacts,
    });
    assert.ok(troubles.every(({ thing }) => thing === 'publish1'));
    return troubles;
  };
  const page = (rest = {}) =>
    contentPackage(folder(), 'Home', rest).then((path) => storedArtifact(storage(), path));
  const actions = (aem: AemStandIn) => aem.actions.map(({ what }) => what);
  const leftOver = async () => readdir(workFolder()).catch(() => []);

  describe('preflight', () => {
    it('says what is wrong in sentences; an instance that cannot be asked is a failure of its kind', async () => {
      const aem = await start('publish1');
      assert.deepEqual(await preflight(aem, [await page()]), []);
      const [denied] = await preflight(aem, [], 'other');
      assert.equal(denied?.type, 'Denied');
      assert.match(denied.message, /refuses the user admin \(status 401\)\. Check the secret/);
      const needy = await page({ dependencies: `${GROUP}:base:[1.0,2.0)` });
      const [missing, ...others] = await preflight(aem, [needy]);
      assert.match(missing!.message, /^package .*site\.content.* needs com\.example\.site:base/);
      assert.deepEqual(others, []);
      await aem.crash();
      const [away] = await preflight(aem, []);
      assert.equal(away?.type, 'Unavailable');
      assert.match(away.message, /does not answer/);
      await aem.resume();
    });

    it('counts what is installed as there, and not what is only uploaded', async () => {
      const aem = await start('publish1');
      const base = await storedArtifact(storage(), await packageFile(folder(), { name: 'base' }));
      const needy = await page({ dependencies: `${GROUP}:base:1.0` });
      aem.faults.failing.set('base', 'javax.jcr.RepositoryException');
      await assert.rejects(install(input(aem, base)));
      assert.equal((await preflight(aem, [needy])).length, 1);
      aem.faults.failing.clear();
      await install(input(aem, base));
      assert.deepEqual(await preflight(aem, [needy]), []);
    });

    it('says that the instance is busy', async () => {
      const aem = await start('publish1', 0);
      const container = await storedArtifact(storage(), await containerPackage(folder()));
      const done = install(input(aem, container));
      let busy: EnvironmentAnswers['troubles'] = [];
      await until('it is busy', async () => (busy = await preflight(aem, [])).length > 0);
      assert.match(busy[0]!.message, /installer is busy \(\d items\)\. Wait/);
      await done;
    });
  });

  describe('install', () => {
    it('fails with AEM’s own words, and again on a retry', async () => {
      const aem = await start('publish1');
      aem.faults.withErrors.add('site.content');
      const job = input(aem, await page());
      for (let attempt = 1; attempt <= 2; attempt += 1) {
        await assert.rejects(install(job), (error) => {
          assert.ok(error instanceof Failure);
          assert.equal(error.type, 'Damaged');
          assert.match(error.message, /with errors: .*ConstraintViolationException/);
          return true;
        });
        assert.equal(actions(aem).filter((action) => action === 'install').length, attempt);
      }
      assert.deepEqual(await leftOver(), []);
    });

    it('asks for another attempt while the package manager is away', async () => {
      const aem = await start('publish1');
      aem.faults.restartPackageManager(60_000);
      await assert.rejects(
        install(input(aem, await page())),
        (error) => (error as Failure).type === 'Unavailable',
      );
    });

    it('uploads and installs once although both answers are lost', async () => {
      const aem = await start('publish1');
      aem.faults.dropAnswerOfNext('upload');
      aem.faults.dropAnswerOfNext('install');
      const { how } = await install(input(aem, await page()));
      assert.equal(how, 'installed');
      assert.deepEqual(actions(aem), ['upload', 'install']);
    });

    it('stops in the middle of an upload when it is cancelled, and leaves nothing behind', async () => {
      const aem = await start('publish1');
      const files = { '/big.bin': randomBytes(30_000_000) };
      const big = await storedArtifact(storage(), await packageFile(folder(), { name: 'big', files }));
      const env = environment();
      env.on('heartbeat', (detail: unknown) => {
        if (/^uploading [1-9]\d* of 30 MB$/.test(String(detail))) env.cancel();
      });
      await assert.rejects(install(input(aem, big), env), { name: 'CancelledFailure' });
      assert.deepEqual(actions(aem), []);
      assert.deepEqual(await leftOver(), []);
    });

    it('ends an attempt that was given up and has not heard of it, before the next one begins', async () => {
      const aem = await start('publish1');
      const job = input(aem, await page());
      aem.faults.uploads.hold();
      const first = install(job, environment(1));
      await aem.faults.uploads.waiting(1);
      const second = install(job, environment(2));
      await assert.rejects(first, { name: 'CancelledFailure', message: 'a later attempt has begun' });
      aem.faults.uploads.release();
      assert.equal((await second).how, 'installed');
      assert.deepEqual(actions(aem), ['upload', 'install']);
      assert.deepEqual(await leftOver(), []);
    });

    it('installs nothing twice when it was cancelled while AEM was installing', async () => {
      const aem = await start('publish1');
      const job = input(aem, await page());
      const env = environment();
      aem.faults.installs.hold();
      const first = install(job, env);
      await aem.faults.installs.waiting(1);
      env.cancel();
      await assert.rejects(first, { name: 'CancelledFailure' });
      const second = install(job);
      aem.faults.installs.release();
      assert.equal((await second).how, 'alreadyInstalled');
      assert.deepEqual(actions(aem), ['upload', 'install']);
    });

    /** An attempt that died a minute after it had begun to install, which the instance is still doing. */
    const diedWhileInstalling = async (aem: AemStandIn, job: InstallInput) => {
      const env = environment();
      aem.faults.installs.hold();
      const first = install(job, env);
      await aem.faults.installs.waiting(1);
      env.cancel();
      await assert.rejects(first, { name: 'CancelledFailure' });
      const { deployment, instance: on, artifact } = job;
      const key = `deployments/${deployment}/${on.id}/${artifact.file.sha256}.json`;
      const intent = JSON.parse(await text(await storage().get(key))) as { at: number };
      await storage().put(key, JSON.stringify({ ...intent, at: intent.at - 60_000 }));
    };
    const untilItWaits = (env: MockActivityEnvironment) =>
      new Promise<void>((resolve) => {
        env.on('heartbeat', (detail: unknown) => {
          if (String(detail).includes('by an earlier attempt may be under way')) resolve();
        });
      });

    it('installs nothing twice when the worker died long ago and AEM is still installing', async () => {
      const aem = await start('publish1');
      const job = input(aem, await page());
      await diedWhileInstalling(aem, job);
      const env = environment();
      const waits = untilItWaits(env);
      const second = install(job, env);
      await Promise.race([waits, second]);
      aem.faults.installs.release();
      assert.equal((await second).how, 'alreadyInstalled');
      assert.deepEqual(actions(aem), ['upload', 'install']);
    });

    it('installs again when AEM was restarted over the installation of an attempt that died', async () => {
      const aem = await start('publish1');
      const job = input(aem, await page());
      await diedWhileInstalling(aem, job);
      const env = environment();
      const waits = untilItWaits(env);
      const second = install(job, env);
      await Promise.race([waits, second]);
      await aem.crash();
      await aem.resume();
      aem.faults.restartPackageManager(500);
      assert.equal((await second).how, 'installed');
      assert.deepEqual(actions(aem), ['upload', 'install', 'upload', 'install']);
    });

    it('knows on a retry that this deployment installed it, and installs it again for another one', async () => {
      const aem = await start('publish1');
      const job = input(aem, await storedArtifact(storage(), await containerPackage(folder())));
      const env = environment();
      env.on('heartbeat', (detail: unknown) => {
        if (String(detail).startsWith('waiting:')) env.cancel();
      });
      await assert.rejects(install(job, env), { name: 'CancelledFailure' });
      assert.equal((await install(job)).how, 'alreadyInstalled');
      assert.deepEqual(actions(aem), ['upload', 'install']);
      assert.equal(aem.installed().length, 3, 'what is embedded has been waited for');
      assert.equal((await install({ ...job, deployment: '1-2-4' })).how, 'installed');
      assert.deepEqual(actions(aem), ['upload', 'install', 'upload', 'install']);
    });

    it('serves several instances at the same time', async () => {
      const [one, two] = [await start('publish1'), await start('publish2')];
      const artifact = await page();
      for (const aem of [one, two]) aem.faults.installs.hold();
      const both = Promise.all([
        install(input(one, artifact)),
        install(input(two, artifact, { instance: instance(two, 'publish2') })),
      ]);
      await Promise.all([one, two].map((aem) => aem.faults.installs.waiting(1)));
      for (const aem of [one, two]) aem.faults.installs.release();
      assert.deepEqual(
        (await both).map(({ how }) => how),
        ['installed', 'installed'],
      );
    });

    it('writes what AEM did into the log of the step', async () => {
      const aem = await start('publish1');
      await install(input(aem, await page()));
      const log = await text(await storage().get(LOG));
      assert.match(log, /publish1 {2}uploading com\.example\.site:site\.content:1\.0\.0 \(\d+ bytes\)/);
      assert.match(log, /A \/content\/site\/en\n/);
      assert.match(log, /Package imported\.\n/);
      assert.match(log, /has settled after \d+(\.\d)? s\n$/);
    });
  });
});
