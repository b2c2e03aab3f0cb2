import assert from 'node:assert/strict';
import { backUp } from '../../../src/systems/httpd/backup.ts';
import { hostFor } from '../../../src/systems/httpd/package.ts';
import { preflight } from '../../../src/systems/httpd/preflight.ts';
import { replace, testReplaced } from '../../../src/systems/httpd/replace.ts';
import { restore } from '../../../src/systems/httpd/restore.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { fileSet, testHost } from './host.ts';

const twoFolders = Object.fromEntries(
  Object.entries(fileSet('cloud')).filter(([path]) => /^conf\.(dispatcher\.)?d\//.test(path)),
);

describe('a dispatcher package of the Cloud Service flavour', () => {
  const folder = temporaryFolder();
  let stop = async () => {};
  after(() => stop());

  it('takes what it does not hold from the host, and leaves it as it is', async () => {
    const host = await testHost(folder());
    await host.start();
    stop = () => host.stop();
    const artifact = { ...(await host.store(twoFolders)), flavour: 'aem_cloud_service' as const };
    const settings = hostFor(host.settings, artifact);
    const kept = ['conf/httpd.conf', 'conf.modules.d/00-mpm.conf'];
    const before = await Promise.all(kept.map((path) => host.live(path)));

    await preflight(settings, host.storage, '1-1-11-a', artifact, host.log);
    await backUp(settings, '1-1-11-a', host.log);
    await replace(host.settings, host.storage, '1-1-11-a', artifact, host.log);
    await testReplaced(host.settings, '1-1-11-a', host.log);
    assert.deepEqual(await Promise.all(kept.map((path) => host.live(path))), before);
    assert.match(await host.live('conf.d/available_vhosts/site.vhost'), /X-Configuration cloud/);
    await assert.rejects(host.live('conf.d/orphan.conf'), { code: 'ENOENT' });

    assert.equal(await restore(host.settings, '1-1-11-a', host.log), 'old');
    assert.match(await host.live('conf.d/available_vhosts/site.vhost'), /X-Configuration old/);
  });

  it('without one of its two folders is refused, as is one that a Managed Services host gets unawares', async () => {
    const host = await testHost(folder());
    const half = Object.entries(twoFolders).filter(([path]) => path.startsWith('conf.d/'));
    const cases = [
      [
        { ...(await host.store(Object.fromEntries(half))), flavour: 'aem_cloud_service' as const },
        /missing conf\.dispatcher\.d/,
      ],
      [await host.store(twoFolders, 'other/target/x.zip'), /missing: folder conf/],
    ] as const;
    for (const [artifact, message] of cases)
      await assert.rejects(
        preflight(hostFor(host.settings, artifact), host.storage, '1-1-11-a', artifact, host.log),
        { type: 'InvalidArtifact', message },
      );
  });
});
