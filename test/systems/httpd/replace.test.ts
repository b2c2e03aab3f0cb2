import assert from 'node:assert/strict';
import { chmod, lstat, mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { request } from 'undici';
import { backUp } from '../../../src/systems/httpd/backup.ts';
import { preflight } from '../../../src/systems/httpd/preflight.ts';
import { reloadReplaced, replace, testReplaced } from '../../../src/systems/httpd/replace.ts';
import { run } from '../../../src/systems/process.ts';
import { reconcile, recover, restore } from '../../../src/systems/httpd/restore.ts';
import { hashTree } from '../../../src/systems/httpd/tree.ts';
import type { DispatcherArtifact } from '../../../src/model/artifacts.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { until } from '../../support/until.ts';
import { fileSet, testHost, writeFiles, type Files, type TestHost } from './host.ts';

describe('Dispatcher configuration on a host', () => {
  const folder = temporaryFolder();
  let host: TestHost;
  let before: string;
  const hash = () => hashTree(host.settings.serverRoot, () => false);
  const state = (...path: string[]) => join(host.settings.stateFolder, ...path);
  const root = (path: string) => join(host.settings.serverRoot, path);
  const without = (files: Files, ...paths: string[]): Files =>
    Object.fromEntries(
      Object.entries(files).filter(
        ([path]) => !paths.some((gone) => path === gone || path.startsWith(`${gone}/`)),
      ),
    );

  beforeEach(async () => {
    host = await testHost(folder());
    await host.start();
    before = await hash();
  });
  afterEach(() => host.stop());

  const check = (artifact: DispatcherArtifact) =>
    preflight(host.settings, host.storage, 'd1', artifact, host.log);
  const replaced = async (artifact: DispatcherArtifact, deployment = 'd1') => {
    await backUp(host.settings, deployment, host.log);
    return replace(host.settings, host.storage, deployment, artifact, host.log);
  };
  const deploy = async (artifact: DispatcherArtifact, deployment = 'd1') => {
    const result = await replaced(artifact, deployment);
    await testReplaced(host.settings, deployment, host.log);
    await reloadReplaced(host.settings, deployment, host.log);
    return result;
  };

  describe('preflight', () => {
    afterEach(async () => {
      assert.equal(await hash(), before, 'preflight must not change the live configuration');
      assert.equal(await host.served(), 'old');
    });

    it('stops a directive that Apache does not know, with its message and the live path', async () => {
      const artifact = await host.store({
        ...fileSet('new'),
        'conf.d/available_vhosts/site.vhost': 'NoSuchDirective on\n',
      });
      await assert.rejects(check(artifact), (error: Error & { type: string; details: string[] }) => {
        assert.equal(error.type, 'Rejected');
        assert.match(error.message, /site\.dispatcher-1\.0\.0\.zip: AH00526: Syntax error on line 1/);
        assert.ok(error.message.includes(root('conf.d/enabled_vhosts/site.vhost')), error.message);
        assert.match(error.message, /Invalid command 'NoSuchDirective'/);
        return true;
      });
    });

    it('names every missing folder and file at once', async () => {
      const artifact = await host.store(
        without(fileSet('new'), 'conf.modules.d', 'conf.d/security.conf', 'conf.dispatcher.d/enabled_farms'),
      );
      await assert.rejects(check(artifact), {
        type: 'InvalidArtifact',
        message:
          /missing: folder conf\.modules\.d, conf\.d\/security\.conf, conf\.modules\.d\/00-base\.conf,.*enabled_farms/,
      });
    });

    it('refuses a file where the host has a folder with immutable files', async () => {
      await writeFiles(host.settings.serverRoot, { 'conf.d/rewrites/base_rewrite.rules': '# host\n' });
      before = await hash();
      const artifact = await host.store({ ...fileSet('new'), 'conf.d/rewrites': '-> ../modules' });
      await assert.rejects(check(artifact), { type: 'InvalidArtifact' });
    });

    it('accepts a good package and names what it leaves out', async () => {
      const artifact = await host.store({
        ...fileSet('new'),
        'META-INF/MANIFEST.MF': 'Manifest-Version: 1.0\n',
        'scripts/run.sh': 'exit\n',
        'conf.d/rewrites/base_rewrite.rules': '# immutable, and not on the host\n',
      });
      await check(artifact);
      await check(artifact);
      assert.ok(host.lines.includes('not configuration, left out: scripts'));
      assert.ok(host.lines.includes("immutable, the package's change is ignored: conf/httpd.conf"));
      assert.ok(
        host.lines.includes('immutable, not on this host, not written: conf.d/rewrites/base_rewrite.rules'),
      );
      assert.match(host.lines.at(-1) ?? '', /config test .* good/);
    });
  });

  it('serves the new configuration without a failed request, orphans gone, links kept, immutable files as they were', async () => {
    const httpdConf = await host.live('conf/httpd.conf');
    const artifact = await host.store(fileSet('new'));
    await check(artifact);
    let running = true;
    const failed: string[] = [];
    let asked = 0;
    const visitor = async () => {
      while (running) {
        const status = await request(host.url, { reset: true }).then(
          async ({ statusCode, body }) => body.dump().then(() => String(statusCode)),
          String,
        );
        asked += 1;
        if (status !== '200') failed.push(status);
      }
    };
    const visitors = [visitor(), visitor(), visitor(), visitor()];
    const result = await deploy(artifact);
    assert.equal(await host.served(), 'new', 'serving at the moment that the reload returns');
    running = false;
    await Promise.all(visitors);
    assert.deepEqual(failed, []);
    assert.ok(asked > 50, `only ${asked} requests were made meanwhile`);
    assert.deepEqual(result, { written: 2, removed: 2, ignored: ['conf/httpd.conf'] });
    assert.equal(await host.live('conf/httpd.conf'), httpdConf);
    assert.equal(await readlink(root('conf.d/enabled_vhosts/site.vhost')), '../available_vhosts/site.vhost');
    await assert.rejects(lstat(root('conf.d/orphan.conf')), { code: 'ENOENT' });
    await assert.rejects(lstat(root('conf.d/orphans')), { code: 'ENOENT' });
    for (const path of ['logs/kept', 'run/kept', 'htdocs/index.html', 'modules']) await lstat(root(path));
  });

  it('never writes through a link in the live configuration', async () => {
    const outside = join(folder(), 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'site.vhost'), 'precious\n');
    await rm(root('conf.d/available_vhosts'), { recursive: true });
    await symlink(outside, root('conf.d/available_vhosts'));
    await replaced(await host.store(fileSet('new')));
    assert.equal(await readFile(join(outside, 'site.vhost'), 'utf8'), 'precious\n');
    assert.ok((await lstat(root('conf.d/available_vhosts'))).isDirectory());
    assert.equal(
      await restore(host.settings, 'd1', host.log),
      'inconsistent',
      'the old site.vhost is broken',
    );
    assert.equal(await readlink(root('conf.d/available_vhosts')), outside);
  });

  it('counts files that the host protects by chattr as immutable', async () => {
    const { serverRoot } = host.settings;
    const path = 'conf.d/available_vhosts/site.vhost';
    const { code } = await run('chattr', ['+i', path], { cwd: serverRoot });
    try {
      const { ignored } = await replaced(await host.store(fileSet('new')));
      // Not every file system and user can protect files: then there is nothing to respect.
      assert.deepEqual(ignored, code === 0 ? ['conf/httpd.conf', path] : ['conf/httpd.conf']);
      assert.equal(await restore(host.settings, 'd1', host.log), 'old');
    } finally {
      await run('chattr', ['-i', path], { cwd: serverRoot });
    }
  });

  it('puts everything back: contents, links, empty folders, permissions and times', async () => {
    await chmod(root('conf.d/orphan.conf'), 0o640);
    await mkdir(root('conf.d/empty'), { mode: 0o750 });
    const { mtimeMs } = await lstat(root('conf.d/orphan.conf'));
    before = await hash();
    await deploy(await host.store(fileSet('new')));
    assert.equal(await host.served(), 'new');
    assert.equal(await restore(host.settings, 'd1', host.log), 'old');
    assert.equal(await restore(host.settings, 'd1', host.log), 'old', 'again');
    assert.equal(await hash(), before);
    assert.equal(Math.round((await lstat(root('conf.d/orphan.conf'))).mtimeMs), Math.round(mtimeMs));
    assert.equal(await host.served(), 'old');
  });

  it('restores after a fault that only the live configuration shows', async () => {
    await replaced(await host.store(fileSet('new')));
    await writeFile(root('conf.d/logformat.conf'), 'NoSuchDirective\n'); // immutable: nothing of ours looks at it
    await assert.rejects(reloadReplaced(host.settings, 'd1', host.log), {
      type: 'Rejected',
      message: /NoSuchDirective/,
    });
    assert.equal(await host.served(), 'old', 'httpd was not told to reload');
    assert.equal(
      await restore(host.settings, 'd1', host.log),
      'inconsistent',
      'nor can the old one be tested',
    );
    await writeFile(root('conf.d/logformat.conf'), fileSet('old')['conf.d/logformat.conf'] ?? '');
    assert.deepEqual((await reconcile(host.settings, host.log)).state, 'old');
    assert.equal(await hash(), before);
  });

  it('repeats every step, keeps the first backup, and refuses to go on where it must not', async () => {
    const artifact = await host.store(fileSet('new'));
    await assert.rejects(replace(host.settings, host.storage, 'd1', artifact, host.log), {
      type: 'Conflict',
    });
    await backUp(host.settings, 'd1', host.log);
    await assert.rejects(testReplaced(host.settings, 'd1', host.log), { type: 'Conflict' });
    assert.equal(await restore(host.settings, 'd1', host.log), 'old', 'nothing was changed');
    await deploy(artifact);
    const again = await deploy(artifact);
    assert.deepEqual([again.written, again.removed], [0, 0]);
    await writeFile(root('conf.d/available_vhosts/site.vhost'), '# by hand\n');
    await assert.rejects(testReplaced(host.settings, 'd1', host.log), { type: 'Conflict' });
    assert.equal(await restore(host.settings, 'd1', host.log), 'old');
    assert.equal(await hash(), before);
    await assert.rejects(replace(host.settings, host.storage, 'd1', artifact, host.log), {
      type: 'Conflict',
      message: /d1 is restored/,
    });
  });

  it('keeps three backups and removes what is stale', async () => {
    for (const deployment of ['a', 'b', 'c', 'd', 'e']) await backUp(host.settings, deployment, host.log);
    await mkdir(state('backup-x.partial'));
    await recover(host.settings, host.log);
    assert.deepEqual((await readdir(state())).sort(), ['backup-c', 'backup-d', 'backup-e', 'journal.json']);
  });

  it('leaves a cancelled replacement to be restored or repeated, and no other deployment gets between', async () => {
    const artifact = await host.store({ ...fileSet('new'), ...many(120) });
    await backUp(host.settings, 'd1', host.log);
    const abort = new AbortController();
    const running = replace(host.settings, host.storage, 'd1', artifact, host.log, abort.signal);
    await Promise.race([running, untilExists(root('conf.d/many/20.conf'))]);
    abort.abort(new Error('cancelled by a person'));
    await assert.rejects(running, /cancelled by a person/);
    assert.notEqual(await hash(), before);
    assert.match(await readFile(state('journal.json'), 'utf8'), /"replacing"/);
    await assert.rejects(backUp(host.settings, 'd2', host.log), { type: 'Conflict', message: /d1 left/ });
    assert.equal(await restore(host.settings, 'd2', host.log), 'inconsistent');
    await deploy(artifact);
    assert.equal(await host.served(), 'new');
  });

  it('tells when httpd does not run, never starts it, and makes it good once it does', async () => {
    await replaced(await host.store(fileSet('new')));
    await host.stop();
    await assert.rejects(reloadReplaced(host.settings, 'd1', host.log), {
      type: 'Unavailable',
      message: /httpd is not running/,
    });
    const restoring = reconcile(host.settings, host.log);
    await until('it restores', async () =>
      (await readFile(state('journal.json'), 'utf8')).includes('"restoring"'),
    );
    await host.start();
    assert.equal((await restoring).state, 'old');
    assert.equal(await host.served(), 'old');
    assert.equal(await hash(), before);
  });
});

const many = (count: number): Files =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`conf.d/many/${i}.conf`, `# ${i}\n`]));

async function untilExists(path: string): Promise<void> {
  for (;;) {
    if (await lstat(path).catch(() => undefined)) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
