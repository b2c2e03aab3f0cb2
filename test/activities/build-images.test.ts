import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { buildImagesActivities } from '../../src/activities/build-images.ts';
import type { BuildImagesInput, BuildImagesOutput } from '../../src/model/images.ts';
import { secrets } from '../../src/systems/secrets.ts';
import { temporaryFolder } from '../support/folder.ts';
import { imageBench, type ImageBench } from '../support/images.ts';
import { startRegistry, type Registry } from '../support/registry.ts';

describe('the step Build Images', function () {
  this.timeout(300_000);
  const folder = temporaryFolder();
  let bench: ImageBench;
  let registry: Registry;
  beforeEach(async () => {
    bench = await imageBench(folder());
    registry = await startRegistry('robot:secret-word');
  });
  afterEach(() => registry.close());
  const log = async () => text(await bench.storage.get(bench.input.log));
  const work = () => readdir(join(folder(), 'work'));
  const stored = async () => (await bench.storage.list('')).filter((key) => key.startsWith('1/2/3/images/'));

  /** @param onHeartbeat called with each line that is on its way to the server */
  function buildImages(
    input: BuildImagesInput,
    onHeartbeat: (line: string, cancel: () => void) => void = () => {},
  ) {
    const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    environment.on('heartbeat', (detail: unknown) => onHeartbeat(String(detail), () => environment.cancel()));
    const activities = buildImagesActivities({
      ...bench.settings,
      storage: bench.storage,
      workFolder: join(folder(), 'work'),
      repository: `${registry.host}/site`,
      push: {
        secret: secrets({ env: { FAIRWAY_SECRET_REGISTRY: 'robot:secret-word' } }),
        ...{ credentials: 'REGISTRY', insecure: true },
      },
    });
    const activity = (given: BuildImagesInput) => activities.buildImages(given);
    return environment.run<[BuildImagesInput], BuildImagesOutput, typeof activity>(activity, input);
  }

  it('keeps images, bills of materials and Kubernetes configuration in storage; again, it gives the same', async () => {
    const heartbeats: string[] = [];
    const output = await buildImages(bench.input, (line) => heartbeats.push(line));
    assert.match(output.builder, /^buildah \d/);
    const names = output.images.map(({ role, digest }) => `1/2/3/images/${role}@${digest.replace(':', '-')}`);
    assert.equal(names.length, 2);
    assert.deepEqual(
      await stored(),
      [
        ...names.flatMap((name) => [`${name}.cdx.json`, `${name}.tar`]),
        ...['author', 'dispatcher', 'kustomization', 'publish'].map(
          (name) => `1/2/3/images/kubernetes/10/${name}.yaml`,
        ),
      ].sort(),
    );
    const [environment] = output.kubernetes;
    assert.equal(environment?.files.length, 4);
    const kustomization = await text(
      await bench.storage.get('1/2/3/images/kubernetes/10/kustomization.yaml'),
    );
    for (const { role, digest } of output.images) {
      assert.ok(kustomization.includes(`newName: ${registry.host}/site/${role}\n`));
      assert.ok(registry.manifests.has(`site/${role}:${digest}`));
      assert.ok(kustomization.includes(digest));
    }
    const written = await log();
    assert.match(written, /^building images of (c0ff|ee)+ with buildah/);
    assert.match(
      written,
      /install\/001-com\.example\.site\.site\.all-1\.0\.0\.zip: com\.example\.site:site\.all:1\.0\.0\n/,
    );
    assert.match(written, /Apache's config test is good\n/);
    assert.match(written, /\$ buildah commit /);
    assert.match(written, /pushed 127\.0\.0\.1:\d+\/site\/aem@sha256:/);
    assert.doesNotMatch(written, /secret-word/);
    assert.match(written, /stored 2 images and the Kubernetes configuration of 1 environments\n$/);
    assert.ok(heartbeats.some((line) => line.startsWith('$ buildah copy')));
    assert.deepEqual(await work(), []);

    assert.deepEqual(await buildImages(bench.input), output);
  });

  it('fails on a configuration that Apache refuses, with its words in the log, and stores nothing', async () => {
    const bad = await bench.dispatcherPackage({
      'conf.d/available_vhosts/site.vhost': 'NoSuchDirective on\n',
    });
    const artifacts = [...bench.input.artifacts.slice(0, 2), bad];
    await assert.rejects(buildImages({ ...bench.input, artifacts }), { type: 'Rejected' });
    const written = await log();
    assert.match(written, /Apache's config test refuses dispatcher\/target\/.*\.zip: .*NoSuchDirective/);
    assert.doesNotMatch(written, /\$ buildah/);
    assert.deepEqual(await stored(), []);
    assert.deepEqual(await work(), []);
  });

  it('leaves its log and nothing else when it is cancelled', async () => {
    const cancelled = buildImages(
      bench.input,
      (line, cancel) => line.startsWith('$ buildah commit') && cancel(),
    );
    await assert.rejects(cancelled, { name: 'CancelledFailure' });
    assert.match(await log(), /\ncancelled\n$/);
    assert.deepEqual(await stored(), []);
    assert.deepEqual(await work(), []);
    assert.deepEqual(await bench.left(), []);
  });
});
