import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as tick, setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { backUp } from '../../../src/systems/httpd/backup.ts';
import { readJournal } from '../../../src/systems/httpd/journal.ts';
import { unpackedPackage } from '../../../src/systems/httpd/package.ts';
import { reloadReplaced, replace } from '../../../src/systems/httpd/replace.ts';
import { reconcile, recover, restore } from '../../../src/systems/httpd/restore.ts';
import { stage } from '../../../src/systems/httpd/stage.ts';
import { hashTree } from '../../../src/systems/httpd/tree.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { fileSet, testHost, type Files, type TestHost } from './host.ts';

const versions = new Set(['old', 'new', 'newer']);
const script = fileURLToPath(new URL('deploy-forever.ts', import.meta.url));

describe('An agent killed with -9 while it changes a configuration', function () {
  this.timeout(180_000); // each kill starts a process
  const folder = temporaryFolder();
  let host: TestHost;
  const hash = () => hashTree(host.settings.serverRoot, () => false);

  beforeEach(async () => {
    host = await testHost(folder());
  });
  afterEach(() => host.stop());

  /** Starts the script, and ends it by SIGKILL so many milliseconds after its journal says that it is in a phase. */
  const killInPhase = async (phase: string, afterMs: number, argument: { run: string }): Promise<void> => {
    const child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(argument)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
    let output = '';
    child.stderr.on('data', (data) => {
      output += String(data);
    });
    try {
      let running = true;
      void ended.then(() => (running = false));
      while (running && !(await readJournal(host.settings))?.deployment.startsWith(argument.run))
        await tick();
      while (running && (await readJournal(host.settings))?.phase !== phase) await tick();
      await delay(afterMs);
      child.kill('SIGKILL');
      const [code, signal] = await ended;
      assert.equal(signal, 'SIGKILL', `the script ended by itself with ${code}: ${output}`);
    } finally {
      child.kill('SIGKILL');
    }
  };

  const many = (version: string): Files =>
    Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [`conf.d/${version}/${i % 4}/${i}.conf`, `# ${version}\n`]),
    );

  it('finds the old or the new configuration complete at its next start, wherever it died', async () => {
    const complete = new Map([[await hash(), 'old']]);
    const artifacts = [];
    for (const version of ['new', 'newer']) {
      const artifact = await host.store(
        { ...fileSet(version), ...many('shared'), ...many(version) },
        version,
      );
      const content = await unpackedPackage(host.settings, host.storage, artifact, host.log);
      const { root } = await stage(host.settings, 'expected', content);
      complete.set(await hashTree(root, () => false), version);
      artifacts.push(artifact);
    }
    const { stateFolder } = host.settings;
    const moments: [string, number][] = [
      ['replacing', 8],
      ['replacing', 16],
      ['replacing', 30],
      ['restoring', 8],
      ['restoring', 16],
      ['restoring', 30],
      ['backedUp', 0],
    ];
    const found: string[] = [];
    const outages: string[] = [];
    await host.start();
    const visits = setInterval(
      () =>
        void host.served().then(
          (version) => versions.has(version) || outages.push(version),
          (error) => outages.push(String(error)),
        ),
      20,
    );
    try {
      for (const [index, [wanted, afterMs]] of moments.entries()) {
        const argument = {
          settings: host.settings,
          storage: join(folder(), 'storage'),
          artifacts,
          run: `r${index}`,
        };
        await killInPhase(wanted, afterMs, argument);
        const { phase = 'none' } = (await readJournal(host.settings)) ?? {};
        const between = !complete.has(await hash());
        assert.ok(
          !between || ['replacing', 'restoring'].includes(phase),
          `half done, and the journal says ${phase}`,
        );
        const { done } = await recover(host.settings, host.log);
        const now = complete.get(await hash());
        assert.ok(
          now,
          `neither old nor new, killed ${afterMs} ms into ${wanted} (${phase}): ${done.join('; ')}`,
        );
        const stale = (await readdir(stateFolder)).filter((name) => /partial|zip|staging|package/.test(name));
        assert.deepEqual(stale, []);
        await reconcile(host.settings, host.log);
        found.push(`${afterMs} ms into ${wanted}: ${phase}${between ? ', half done' : ''} -> ${now}`);
      }
    } finally {
      clearInterval(visits);
    }
    assert.deepEqual(outages, []);
    const halves = found.filter((line) => line.includes('half done')).length;
    assert.ok(halves >= 1, `no kill in the middle: ${found.join('; ')}`);
  });

  it('goes on with the deployment after its next start, while httpd serves all the time', async () => {
    await host.start();
    const artifact = await host.store({ ...fileSet('new'), ...many('new') });
    const argument = {
      settings: host.settings,
      storage: join(folder(), 'storage'),
      artifacts: [artifact],
      run: 'r',
    };
    await killInPhase('replacing', 0, argument);
    assert.equal(await host.served(), 'old');
    const { state, done } = await recover(host.settings, host.log);
    assert.equal(state, 'old', done.join('\n'));
    assert.equal(await host.served(), 'old');
    const deployment = (await readJournal(host.settings))?.deployment ?? '';
    await backUp(host.settings, deployment, host.log);
    await replace(host.settings, host.storage, deployment, artifact, host.log);
    await reloadReplaced(host.settings, deployment, host.log);
    assert.equal(await host.served(), 'new');
    assert.deepEqual(await reconcile(host.settings, host.log), { state: 'new', done: [] });
  });

  it('makes good what a deployment left before its reload, and says when the backup is gone', async () => {
    await host.start();
    const old = await hash();
    const artifact = await host.store(fileSet('new'));
    await backUp(host.settings, 'd1', host.log);
    await replace(host.settings, host.storage, 'd1', artifact, host.log);
    assert.deepEqual(await recover(host.settings, host.log), { state: 'new', done: [] });
    const { state, done } = await reconcile(host.settings, host.log);
    assert.equal(state, 'old');
    assert.match(done.join('\n'), /d1 was left unfinished \(replaced\)\nbackup put back: 4 written/);
    assert.equal(await hash(), old);

    await backUp(host.settings, 'd2', host.log);
    await replace(host.settings, host.storage, 'd2', artifact, host.log);
    const kept = join(host.settings.stateFolder, 'backup-d2', 'conf.d', 'orphan.conf');
    await writeFile(kept, 'damaged\n');
    assert.equal(await restore(host.settings, 'd2', host.log), 'inconsistent');
    assert.match(host.lines.at(-1) ?? '', /backup-d2 is damaged/);
  });
});
