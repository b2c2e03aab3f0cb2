import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { buildImagesActivities, type BuildImagesDeps } from '../../../src/activities/build-images.ts';
import { prepare } from '../../../src/local/setup/prepare.ts';
import type { Problem } from '../../../src/model/activities.ts';
import { packLayout } from '../../../src/systems/images/archive.ts';
import { askRegistry, pushImage, type Push } from '../../../src/systems/images/push.ts';
import { fileStorage } from '../../../src/systems/storage/file-storage.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { startRegistry, type Registry } from '../../support/registry.ts';

const ACCOUNT = 'robot:pass word';

describe('pushing an image', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  let registry: Registry;
  before(() => prepare(['skopeo'], () => undefined));
  beforeEach(async () => void (registry = await startRegistry(ACCOUNT)));
  afterEach(() => registry.close());

  /** An image of one empty layer. */
  async function image(): Promise<Push> {
    const layout = join(folder(), 'layout');
    const blobs = join(layout, 'blobs', 'sha256');
    await mkdir(blobs, { recursive: true });
    const blob = async (mediaType: string, content: string | Buffer) => {
      const hex = createHash('sha256').update(content).digest('hex');
      await writeFile(join(blobs, hex), content);
      return { mediaType, digest: `sha256:${hex}`, size: Buffer.byteLength(content) };
    };
    const layer = await blob('application/vnd.oci.image.layer.v1.tar', Buffer.alloc(1024));
    const configuration = {
      ...{ architecture: 'amd64', os: 'linux' },
      rootfs: { type: 'layers', diff_ids: [layer.digest] },
    };
    const config = await blob('application/vnd.oci.image.config.v1+json', JSON.stringify(configuration));
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    const manifest = await blob(
      mediaType,
      JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [layer] }, undefined, 3),
    );
    await writeFile(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    await writeFile(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }));
    const archive = join(folder(), 'image.tar');
    await packLayout(layout, archive);
    return {
      ...{ archive, digest: manifest.digest, repository: `${registry.host}/site/aem`, tag: '3' },
      ...{ credentials: ACCOUNT, insecure: true, work: folder() },
    };
  }

  it('keeps its digest, and may be done twice', async () => {
    const push = await image();
    await pushImage(push);
    await pushImage(push);
    assert.deepEqual([...registry.manifests.keys()], ['site/aem:3', `site/aem:${push.digest}`]);
  });

  it('fails when the registry is out of order, and is good when it is repeated', async () => {
    registry.outages.push(503);
    const push = await image();
    await assert.rejects(pushImage(push), { type: 'Unavailable' });
    await pushImage(push);
    assert.ok(registry.manifests.has('site/aem:3'));
  });

  it('fails with the place and without the password when the account is refused', async () => {
    const push = { ...(await image()), credentials: 'robot:wrong-one' };
    await assert.rejects(pushImage(push), (error: Error & { type: string; details: string[] }) => {
      assert.equal(error.type, 'Denied');
      assert.match(error.message, /site\/aem:3 cannot be pushed: the registry refuses the account/);
      assert.doesNotMatch(`${error.message}${error.details.join()}`, /wrong-one/);
      return true;
    });
  });

  it('fails when nobody answers', async () => {
    const push = await image();
    await registry.close();
    await assert.rejects(pushImage(push), { type: 'Unavailable' });
  });

  describe('is asked of the registry beforehand', () => {
    const ask = (credentials: string | undefined, settings: object = {}) =>
      askRegistry({
        repository: `${registry.host}/site/aem`,
        credentials,
        insecure: true,
        work: folder(),
        ...settings,
      });

    it('and nothing is pushed', async () => {
      await ask(ACCOUNT);
      await ask(undefined);
      assert.equal(registry.manifests.size, 0);
    });

    it('which refuses an account, or does not answer', async () => {
      await assert.rejects(ask('robot:wrong-one'), (error: Error & { type: string; details: string[] }) => {
        assert.equal(error.type, 'Denied');
        assert.doesNotMatch(`${error.message}${error.details.join()}`, /wrong-one/);
        return true;
      });
      await registry.close();
      await assert.rejects(ask(ACCOUNT), { type: 'Unavailable' });
    });
  });

  it('is what a worker says that it does not do', async () => {
    const activities = buildImagesActivities({
      ...{ storage: fileStorage(join(folder(), 'storage')), workFolder: folder() },
      repository: 'registry.example.com/site',
      ...({} as Pick<BuildImagesDeps, 'builder' | 'base' | 'dispatcher'>), // not asked
    });
    const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    const input = { executionKey: '1/2/3', log: '1/2/3/logs/validate.log' };
    const ask = (given: typeof input) => activities.checkRegistry(given);
    const [found] = await environment.run<[typeof input], readonly Problem[], typeof ask>(ask, input);
    assert.match(found?.problem ?? '', /no worker brings images there/);
    assert.match(found?.remedy ?? '', /add `images\.push`/);
  });
});
