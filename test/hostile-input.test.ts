import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { collectArtifacts } from '../src/activities/build-artifacts.ts';
import { packageActivities } from '../src/activities/packages.ts';
import { startAem } from '../src/local/aem/aem.ts';
import type { DispatcherArtifact } from '../src/model/artifacts.ts';
import { readBuildReports } from '../src/systems/build-reports.ts';
import { Failure } from '../src/systems/failure.ts';
import { resolveSource } from '../src/systems/git.ts';
import { backUp } from '../src/systems/httpd/backup.ts';
import { preflight } from '../src/systems/httpd/preflight.ts';
import { replace } from '../src/systems/httpd/replace.ts';
import { hashTree } from '../src/systems/httpd/tree.ts';
import { secrets } from '../src/systems/secrets.ts';
import { fileStorage } from '../src/systems/storage/file-storage.ts';
import {
  badAddresses,
  badBranches,
  badFileSets,
  badProperties,
  badReports,
  badZips,
  packageOf,
  wholeFileSet,
} from './hostile-cases.ts';
import { changed, problems } from './model/definition-problems.ts';
import { contentPackage, storedArtifact } from './support/aem-packages.ts';
import { temporaryFolder } from './support/folder.ts';
import { fileSet, testHost, type TestHost } from './systems/httpd/host.ts';
import { rawZip } from './systems/zip/raw-zip.ts';

/** Everything hostile that Fairway knows of: refused with an error that names it, and nothing touched. */
describe('hostile input', () => {
  const folder = temporaryFolder();
  const { TMPDIR } = process.env;
  beforeEach(async () => {
    await mkdir((process.env.TMPDIR = join(folder(), 'tmp')));
  });
  afterEach(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  });
  const storage = () => fileStorage(join(folder(), 'storage'));

  const invalid = (place: string, told: RegExp) => (error: unknown) => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.type, 'InvalidArtifact', error.message);
    assert.ok(error.message.startsWith(place), error.message);
    assert.match(error.message, told);
    assert.ok(error.message.length < 1000, `${error.message.length} characters`);
    return true;
  };
  const filesBelow = async (path: string) =>
    (await readdir(path, { recursive: true, withFileTypes: true })).flatMap((entry) =>
      entry.isDirectory() ? [] : [join(entry.parentPath, entry.name).slice(folder().length + 1)],
    );

  /** A build that left this zip: nothing gets to storage, nothing is written anywhere. */
  async function builtAs(zip: Buffer, inside: string, told: RegExp): Promise<void> {
    const path = 'all/target/site.zip';
    await mkdir(dirname(join(folder(), 'project', path)), { recursive: true });
    await writeFile(join(folder(), 'project', path), zip);
    const collecting = collectArtifacts(join(folder(), 'project'), '1/2/3', storage(), () => undefined);
    await assert.rejects(collecting, invalid(`${path}: site.zip${inside}`, told));
    assert.deepEqual(await filesBelow(folder()), [`project/${path}`]);
    assert.deepEqual(await readdir(join(folder(), 'tmp')), []);
  }

  /** A host that is offered this zip, as if no build had looked at it. */
  async function offeredToHost(zip: Buffer, told: RegExp): Promise<void> {
    const host = await testHost(folder());
    const path = 'dispatcher/target/site.zip';
    const file = await host.storage.put(`1/2/3/${path}`, zip);
    const before = [await hashTree(folder(), () => false), await filesBelow(folder())];
    const artifact = { kind: 'dispatcher', path, file } as const;
    await assert.rejects(
      preflight(host.settings, host.storage, 'd1', artifact, host.log),
      invalid(path, told),
    );
    assert.deepEqual([await hashTree(folder(), () => false), await filesBelow(folder())], before);
  }

  for (const [what, make, told] of badZips) {
    it(`${what}: as a content package`, () => builtAs(make(packageOf()), '', told));
    it(`${what}: in a package that is embedded in one`, () => {
      const inner = { name: 'jcr_root/apps/x/install/inner.zip', data: make(packageOf('inner')), method: 0 };
      return builtAs(rawZip([...packageOf(), inner]), `!${inner.name}`, told);
    });
    it(`${what}: as a dispatcher package`, async () => {
      await builtAs(make(wholeFileSet), '', told);
      await rm(join(folder(), 'project'), { recursive: true });
      await offeredToHost(make(wholeFileSet), told);
    });
  }

  for (const [what, entries, told] of badFileSets)
    it(`${what}: as a dispatcher package`, async () => {
      const zip = rawZip([...wholeFileSet, ...entries]);
      await builtAs(zip, '', told);
      await rm(join(folder(), 'project'), { recursive: true });
      await offeredToHost(zip, told);
    });

  it('zips in zips without end', async () => {
    let inner = rawZip(packageOf('p0'));
    for (let depth = 1; depth <= 6; depth += 1)
      inner = rawZip([...packageOf(`p${depth}`), { name: 'jcr_root/etc/packages/i.zip', data: inner }]);
    await builtAs(inner, '!', /more than 5 deep/);
  });

  it('zips in zips that each are compressed a little less than what one may be', async () => {
    const blank = { name: 'jcr_root/blank', data: Buffer.alloc(12 * 1024 ** 2) };
    const inner = rawZip([...packageOf('inner'), blank]);
    const copies = Array.from({ length: 6 }, (_, n) => ({
      name: `jcr_root/etc/packages/${n}.zip`,
      data: inner,
    }));
    await builtAs(rawZip([...packageOf(), ...copies]), '!', /compressed more than 200 to 1, all depths/);
  });

  for (const [what, xml, told] of badProperties)
    it(`${what} in properties.xml`, () => builtAs(rawZip(packageOf('site', xml)), '', told));

  for (const [what, xml, told] of badReports)
    it(`${what} in a report of a build`, async () => {
      const path = 'target/surefire-reports/TEST-a.xml';
      await mkdir(dirname(join(folder(), path)), { recursive: true });
      await writeFile(join(folder(), path), xml());
      await assert.rejects(readBuildReports(folder()), invalid(`the report ${path}`, told));
    });

  for (const branch of badBranches)
    it(`branch ${JSON.stringify(branch.slice(0, 30))}`, async () => {
      const [problem = '', ...others] = problems(changed(['pipelines', 0, 'repository', 'branch'], branch));
      assert.match(
        problem,
        /^pipelines\.0\.repository\.branch: must be a name as git takes it, such as main/,
      );
      assert.deepEqual(others, []);
      await assert.rejects(resolveSource(`file://${folder()}`, { branch }, { allowFile: true }), {
        type: 'InvalidInput',
        message: /is not a valid name of a branch/,
      });
      assert.deepEqual(await readdir(folder()), ['tmp']);
    });

  for (const url of badAddresses)
    it(`repository ${JSON.stringify(url.slice(0, 50))}`, async () => {
      const [problem = '', ...others] = problems(changed(['pipelines', 0, 'repository', 'url'], url));
      assert.match(
        problem,
        /^pipelines\.0\.repository\.url: must (be an address like https:|not contain cred)/,
      );
      assert.doesNotMatch(problem, /hunter2/);
      assert.deepEqual(others, []);
      await assert.rejects(resolveSource(url, { branch: 'main' }, { allowFile: true }), (error: Failure) => {
        assert.equal(error.type, 'InvalidInput');
        assert.match(error.message, /^the repository ".*" cannot be read: it must /);
        assert.doesNotMatch(error.message, /hunter2/);
        return true;
      });
    });

  for (const name of ['/etc/passwd', '../../etc/passwd', 'file:/etc/passwd'])
    it(`${name} as a secret`, async () => {
      const [problem = ''] = problems(changed(['environments', 0, 'author', 0, 'credentials'], name));
      assert.match(problem, /^environments\.0\.author\.0\.credentials: must be upper-case letters/);
      await assert.rejects(secrets({ env: {}, folder: folder() })(name), {
        type: 'InvalidInput',
        message: /passwd" is not the name of a secret/,
      });
    });

  describe('a file that changes in storage', () => {
    let host: TestHost;
    beforeEach(async () => {
      host = await testHost(folder());
    });
    const CHANGED = /^1\/2\/3\/\S+ in storage is not the file that was stored .*run the pipeline again/;
    /** Puts a good zip of other content in its place. */
    const change = (key: string) =>
      writeFile(join(folder(), 'storage', key), rawZip([...wholeFileSet, { name: 'conf.d/evil.conf' }]));
    const live = () => hashTree(host.settings.serverRoot, () => false);
    const packages = async () =>
      (await readdir(host.settings.stateFolder)).filter((name) => name.startsWith('package'));

    it('after the build: the preflight of a dispatcher host refuses it', async () => {
      const artifact = await host.store(fileSet('new'));
      const before = await live();
      await change(artifact.file.key);
      await assert.rejects(
        preflight(host.settings, host.storage, 'd1', artifact, host.log),
        invalid('1/2/3', CHANGED),
      );
      assert.deepEqual([await live(), await packages()], [before, []]);
    });

    it('after the preflight: the host deploys what it checked, or nothing', async () => {
      const artifact = await host.store(fileSet('new'));
      const before = await live();
      await preflight(host.settings, host.storage, 'd1', artifact, host.log);
      await backUp(host.settings, 'd1', host.log);
      await change(artifact.file.key);
      const [kept = ''] = await packages();
      await rm(join(host.settings.stateFolder, kept), { recursive: true });
      const replacing = (built: DispatcherArtifact) =>
        replace(host.settings, host.storage, 'd1', built, host.log);
      await assert.rejects(replacing(artifact), invalid('1/2/3', CHANGED));
      assert.deepEqual([await live(), await packages()], [before, []]);
      assert.match(await readFile(join(host.settings.stateFolder, 'journal.json'), 'utf8'), /"backedUp"/);

      const again = await host.store(fileSet('new'));
      await preflight(host.settings, host.storage, 'd1', again, host.log);
      await change(again.file.key);
      await replacing(again);
      assert.match(await host.live('conf.d/available_vhosts/site.vhost'), /X-Configuration new/);
      await assert.rejects(host.live('conf.d/evil.conf'), { code: 'ENOENT' });
    });

    it('after the build: it is not uploaded to an instance', async () => {
      const artifact = await storedArtifact(host.storage, await contentPackage(folder(), 'Home'));
      await change(artifact.file.key);
      const aem = await startAem({ runMode: 'publish', password: 'x', folder: join(folder(), 'aem') });
      try {
        const { installPackage } = packageActivities({
          storage: host.storage,
          secret: async () => aem.credentials,
          workFolder: join(folder(), 'work'),
        });
        const instance = { id: 'publish1', url: aem.url, credentials: 'AEM' };
        const input = { deployment: '1-2-3', instance, artifact, log: '1/2/3/deploy.log' };
        const environment = new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });
        await assert.rejects(environment.run(installPackage, input), invalid('1/2/3', CHANGED));
        assert.deepEqual([aem.actions, aem.installed()], [[], []]);
        assert.deepEqual(await readdir(join(folder(), 'work')), []);
      } finally {
        await aem.stop();
      }
    });
  });
});
