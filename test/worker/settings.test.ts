import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fairwayVersion } from '../../src/systems/version.ts';
import { readSettings } from '../../src/worker/settings.ts';
import { temporaryFolder } from '../support/folder.ts';

const examples = join(import.meta.dirname, '../../examples');

describe('The settings of a worker', () => {
  const folder = temporaryFolder();

  it('the example of an agent is valid; what it leaves out comes from elsewhere', async () => {
    const elsewhere = { storage: '/storage', workFolder: '/work', secrets: undefined };
    const settings = await readSettings(join(examples, 'agent/agent.json'), elsewhere);
    assert.equal(settings.storage, '/storage');
    assert.equal(settings.workFolder, '/var/lib/fairway-agent/work');
    assert.deepEqual(settings.agents[0]?.host.graceful.args, ['-n', '/usr/sbin/apachectl', 'graceful']);
  });

  it('the example of one that makes images is valid', async () => {
    const page = await readFile(join(examples, '../docs/cloud-service.md'), 'utf8');
    const [, example = ''] = /```json\n("images": [^]*?)```/.exec(page) ?? [];
    const file = join(folder(), 'worker.json');
    await writeFile(file, `{ "storage": "/storage", "workFolder": "/work", ${example} }`);
    const { images } = await readSettings(file);
    assert.deepEqual(images?.push, { credentials: 'REGISTRY_ACCOUNT' });
  });

  it('the name of a version is one that Temporal takes', async () => {
    const named = (versioning: object) =>
      readSettings(undefined, { storage: '/storage', workFolder: '/work', versioning });
    assert.deepEqual((await named({})).versioning, { deploymentName: 'fairway', buildId: fairwayVersion });
    await assert.rejects(named({ deploymentName: 'fairway.eu' }), { message: /not valid/ });
  });

  it('without a storage they are refused', async () => {
    await assert.rejects(readSettings(join(examples, 'agent/agent.json')), (error: { details: string[] }) => {
      assert.match(error.details.join('\n'), /^storage: /);
      return true;
    });
  });
});
