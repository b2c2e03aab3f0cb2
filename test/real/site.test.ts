import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { request } from 'undici';
import { buildActivities } from '../../src/activities/build.ts';
import { probe } from '../../src/local/environment.ts';
import { createRepository, type LocalRepository } from '../../src/local/repository.ts';
import type { BuildInput, BuildOutput } from '../../src/model/activities.ts';
import { packageLabel, type AemArtifact, type PackageId } from '../../src/model/artifacts.ts';
import { programSchema } from '../../src/model/schema/definition.ts';
import { packageManagerOf } from '../../src/systems/package-manager/choose.ts';
import { bundleStates, type PackageManager } from '../../src/systems/package-manager/package-manager.ts';
import { run } from '../../src/systems/process.ts';
import { secrets } from '../../src/systems/secrets.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import { definition } from '../support/definition.ts';
import { until } from '../support/until.ts';
import { logOf, startSlingEnvironment, type SlingEnvironment } from './sling-environment.ts';
import { sling } from './sling.ts';

describe('the example site on Apache Sling, behind a dispatcher and a load balancer', function () {
  this.timeout(600_000);
  let folder = '';
  let environment: SlingEnvironment;
  let repository: LocalRepository;
  let manager: PackageManager;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fairway-site-'));
    repository = await createRepository(join(folder, 'repository'));
    // A site whose visitors may ask for what its servlet answers.
    await repository.change(
      'dispatcher/src/conf.dispatcher.d/filters/site_filters.any',
      (rules) =>
        `${rules}/0202 { /type "allow" /method "GET" /path "/content/*" /selectors "info" /extension "txt" }\n`,
    );
    manager = packageManagerOf({ url: sling().url, packageManager: 'composum' }, sling().credentials);
    environment = await startSlingEnvironment(sling(), folder);
  });
  after(async () => {
    await environment?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** The build of a pipeline, by Maven. */
  async function build(executionId: string): Promise<BuildOutput> {
    const { stdout } = await run('git', ['rev-parse', 'HEAD'], { cwd: join(folder, 'repository') });
    const { pipelines, ...program } = programSchema.parse(
      definition({ repository: { url: repository.url, branch: repository.branch } }),
    );
    const input: BuildInput = {
      ...{ programId: program.id, programName: program.name, pipeline: pipelines[0]!, executionId },
      ...{ commit: stdout.trim(), artifactsVersion: `2026.1125.000000.000000000${executionId}` },
      flavour: 'aem_managed_services',
      log: `1/101/${executionId}/logs/build.log`,
    };
    const activities = buildActivities({
      storage: fileStorage(environment.storage),
      secret: secrets({ env: {} }),
      workFolder: join(folder, 'builds'),
      engine: { engine: 'local' },
      mavenRepository: join(homedir(), '.m2', 'repository'),
      allowFileRepositories: true,
    });
    const activity = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    return activity.run<[BuildInput], BuildOutput, (given: BuildInput) => Promise<BuildOutput>>(
      (given) => activities.build(given),
      input,
    );
  }

  const visitor = async (path: string) => {
    const answer = await request(`${environment.url}${path}`, { headers: { host: probe.host } });
    return `${answer.statusCode} ${(await answer.body.text()).trim()}`;
  };

  /** What a deployment of this build leaves on Sling, and what visitors get. */
  async function assertServing({ artifacts }: BuildOutput): Promise<void> {
    const all = artifacts.find((artifact): artifact is AemArtifact => artifact.kind === 'aem')!;
    const { id, embedded, bundles } = all.package;
    assert.equal(embedded.length, 3, 'ui.apps, ui.config and ui.content are inside');
    const there = await manager.list();
    const installed = there.filter(({ lastUnpacked }) => lastUnpacked > 0).map(packageLabel);
    for (const inner of [id, ...embedded])
      assert.ok(installed.includes(packageLabel(inner)), packageLabel(inner));

    assert.deepEqual(bundles, ['site.core']);
    const states = await manager.bundles();
    const core = states.filter(({ symbolicName }) => symbolicName === 'site.core');
    assert.deepEqual(
      core.map(({ state, version }) => [state, version]),
      [[bundleStates.active, id.version]],
    );
    assert.deepEqual(
      states.filter(({ state, fragment }) => !fragment && state !== bundleStates.active),
      [],
    );

    assert.equal(await visitor('/content/site/en/jcr:content.info.txt'), '200 welcome');
    assert.match(await visitor('/content/site/en.html'), /^200 <!DOCTYPE html>/);
    // The script itself: Sling goes on for a while with what it has compiled of an earlier one.
    const authorization = `Basic ${Buffer.from(sling().credentials).toString('base64')}`;
    const path = `${sling().url}/apps/site/components/page/page.html`;
    const script = await request(path, { headers: { authorization } });
    assert.ok((await script.body.text()).includes(`site ${id.version}"`));
  }
  const version = (executionId: string) => `1.0.0.2026_1125_000000_000000000${executionId}`;

  it('is built by Maven and deployed: the bundle is active, its servlet and the new pages answer', async () => {
    assert.match(await visitor('/content/site/en.html'), /^200 [^]*site 0\.9\.0/);
    const built = await build('1');
    const progress = await (await environment.deploy('1', built.artifacts)).result();
    assert.deepEqual(
      progress.legs.map(({ state }) => state),
      ['NEW'],
      JSON.stringify(progress),
    );
    await assertServing(built);
  });

  it('is deployed again in its next version, although Sling is restarted in the middle', async () => {
    const built = await build('2');
    const deployment = await environment.deploy('2', built.artifacts);
    const arrived = async () => (await manager.list()).some((one) => one.version === version('2'));
    await until('the package has arrived', arrived, 120_000);
    await sling().kill();
    assert.ok(await deployment.isRunning());
    sling().start();
    const progress = await deployment.result();
    await sling().untilReady();
    assert.deepEqual(
      progress.legs.map(({ state }) => state),
      ['NEW'],
      JSON.stringify(progress),
    );
    await assertServing(built);
    const log = await readFile(join(environment.storage, logOf('2')), 'utf8');
    assert.match(log, /publish1 .*site\.all.* has settled/);
  });

  it('is as it was before once its last version is uninstalled', async () => {
    const isLast = ({ name, version: of }: PackageId) => name === 'site.all' && of === version('2');
    const last = (await manager.list()).find(isLast);
    assert.ok(last);
    await manager.uninstall(last.path);
    assert.equal((await manager.list()).find(isLast)?.lastUnpacked, 0);
    const earlier = async () =>
      (await manager.bundles()).some(
        ({ symbolicName, version: of, state }) =>
          symbolicName === 'site.core' && of === version('1') && state === bundleStates.active,
      );
    await until('the earlier version of its bundle is active', earlier, 60_000);
    assert.equal(await visitor('/content/site/en/jcr:content.info.txt'), '200 welcome');
  });
});
