import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { startAem, type AemStandIn } from '../../../src/local/aem/aem.ts';
import { freePorts } from '../../../src/local/ports.ts';
import { Failure } from '../../../src/systems/failure.ts';
import { crxPackageManager } from '../../../src/systems/package-manager/crx.ts';
import { LostAnswer } from '../../../src/systems/package-manager/http.ts';
import type { PackageManager } from '../../../src/systems/package-manager/package-manager.ts';
import { contentPackage, GROUP, packageFile } from '../../support/aem-packages.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { httpServer } from '../../support/http-server.ts';

const failure = (type: Failure['type'], words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Failure, String(error));
  assert.equal(error.type, type, error.message);
  assert.match(error.message, words);
  return true;
};

describe('CRX package manager', () => {
  afterEach(() => aem.stop()); // before its folder goes
  const folder = temporaryFolder();
  let aem: AemStandIn;
  let manager: PackageManager;

  beforeEach(async () => {
    aem = await startAem({
      runMode: 'publish',
      password: 'secret',
      folder: join(folder(), 'aem'),
      restartMs: 0,
    });
    manager = crxPackageManager(aem);
  });

  it('names an instance that is not there, and is ready to try again', async () => {
    const [port] = await freePorts(1);
    const nobody = crxPackageManager({ url: `http://127.0.0.1:${port}`, credentials: 'admin:x' });
    await assert.rejects(
      nobody.list(),
      failure('Unavailable', new RegExp(`127.0.0.1:${port} does not answer`)),
    );
    const file = await contentPackage(folder(), 'Home');
    await assert.rejects(nobody.upload(file), (error) => {
      assert.ok(!(error instanceof LostAnswer), 'nothing was sent: nothing can have been done');
      return failure('Unavailable', /does not answer/)(error);
    });
  });

  it('names the user whose password is refused, never the password', async () => {
    const wrong = crxPackageManager({ url: aem.url, credentials: 'deployer:letmein' });
    const file = await contentPackage(folder(), 'Home');
    for (const attempt of [
      () => wrong.list(),
      () => wrong.bundles(),
      () => wrong.upload(file),
      () => wrong.install('/etc/packages/x.zip'),
    ])
      await assert.rejects(attempt, (error) => {
        assert.ok(!String(error).includes('letmein'));
        return failure('Denied', /refuses the user deployer \(status 401\)/)(error);
      });
  });

  it('takes a redirection to a login page for a refusal', async () => {
    const server = await httpServer((_, response) => {
      response.writeHead(302, { location: '/libs/granite/core/content/login.html' }).end();
    });
    try {
      const redirected = crxPackageManager({ url: server.url, credentials: 'admin:x' });
      await assert.rejects(
        redirected.bundles(),
        failure('Denied', /sends the user admin to \/libs\/granite/),
      );
    } finally {
      await server.close();
    }
  });

  it('does not believe an answer with status 200 that is not the package manager’s', async () => {
    for (const body of ['', '<html>proxy</html>', '{}', '{"results":{}}']) {
      const server = await httpServer((request, response) => {
        request.resume().on('end', () => response.end(body));
      });
      try {
        const odd = crxPackageManager({ url: server.url, credentials: 'admin:x' });
        await assert.rejects(odd.list(), failure('Unavailable', /not the package manager's/), body);
        await assert.rejects(odd.install('/etc/packages/x.zip'), LostAnswer);
        await assert.rejects(odd.upload(await contentPackage(folder(), 'Home')), Failure, body);
      } finally {
        await server.close();
      }
    }
  });

  it('waits for no package manager that restarts, but says so', async () => {
    aem.faults.restartPackageManager(60_000);
    for (let attempt = 0; attempt < 3; attempt += 1)
      await assert.rejects(manager.list(), failure('Unavailable', /restarting|does not answer/));
  });

  it('finds the refusal of a package inside an answer with status 200', async () => {
    const missing = await packageFile(folder(), { name: 'second', dependencies: `${GROUP}:first:1.0` });
    const { path } = await manager.upload(missing);
    await assert.rejects(manager.install(path), (error) => {
      assert.ok(error instanceof Failure);
      assert.match(
        error.details[0]!,
        /^org\.apache.*required dependencies missing: \[com\.example\.site:first:1\.0\]$/,
      );
      return failure('Rejected', /Deploy what is missing/)(error);
    });
    aem.faults.failing.set('second', 'javax.jcr.nodetype.NoSuchNodeTypeException: a <b> & c');
    await assert.rejects(manager.install(path), failure('Rejected', /NoSuchNodeTypeException: a <b> & c/));
  });

  it('counts an import with errors as a failure, with AEM’s own lines', async () => {
    const files = { 'content/site/.content.xml': '<jcr:root>' };
    const { path } = await manager.upload(await contentPackage(folder(), '', { files }));
    await assert.rejects(manager.install(path), (error) => {
      assert.ok(error instanceof Failure);
      assert.match(
        error.details.join(),
        /^\/content\/site \(org\.xml\.sax\.SAXParseException; lineNumber: 1/,
      );
      return failure('Damaged', /with errors: \/content\/site/)(error);
    });
  });

  it('names the full disk that AEM calls an inaccessible value', async () => {
    aem.faults.fullDisk = true;
    const upload = manager.upload(await contentPackage(folder(), 'Home'));
    await assert.rejects(
      upload,
      failure('Rejected', /Inaccessible value\. Its disk is probably full: free space/),
    );
  });

  it('tells an answer that was lost from a request that was never sent', async () => {
    const file = await contentPackage(folder(), 'Home');
    aem.faults.dropAnswerOfNext('upload');
    await assert.rejects(manager.upload(file), LostAnswer);
    const { path } = await manager.upload(file);
    aem.faults.dropAnswerOfNext('install');
    await assert.rejects(manager.install(path), LostAnswer);
    assert.equal(aem.installed().length, 1);
  });

  it('ends an upload when it is told to', async () => {
    const server = await httpServer((request) => request.pause());
    try {
      const controller = new AbortController();
      const file = await packageFile(folder(), {
        name: 'big',
        files: { '/big.bin': randomBytes(20_000_000) },
      });
      const upload = crxPackageManager({ url: server.url, credentials: 'admin:x' }).upload(file, {
        signal: controller.signal,
        onSent: () => controller.abort(new Error('enough')),
      });
      await assert.rejects(upload, /enough/);
    } finally {
      await server.close();
    }
  });

  it('uploads, lists, installs, uninstalls and removes', async () => {
    const { path } = await manager.upload(await contentPackage(folder(), 'Home'));
    const listed = async () =>
      (await manager.list()).map(({ name, lastUnpacked }) => [name, lastUnpacked > 0]);
    assert.deepEqual(await listed(), [['site.content', false]]);
    assert.deepEqual((await manager.install(path)).slice(-1), ['Package imported.']);
    assert.deepEqual(await listed(), [['site.content', true]]);
    await manager.uninstall(path);
    assert.deepEqual(await listed(), [['site.content', false]]);
    await assert.rejects(manager.uninstall(path), failure('Rejected', /No snapshot present/));
    await manager.remove(path);
    assert.deepEqual(await listed(), []);
  });

  it('sends and receives 60 MB without holding them', async () => {
    const piece = randomBytes(20_000_000);
    const files = { '/a.bin': piece, '/b.bin': piece, '/c.bin': piece };
    const file = await packageFile(folder(), { name: 'big', files });
    const before = process.memoryUsage().rss;
    let most = 0;
    let sent = 0;
    const { path } = await manager.upload(file, {
      onSent: (bytes) => {
        sent = bytes;
        most = Math.max(most, process.memoryUsage().rss);
      },
    });
    assert.equal((await manager.list())[0]!.size, sent);
    assert.ok(sent > 60_000_000);
    assert.ok(most - before < 40_000_000, `${Math.round((most - before) / 1e6)} MB more than before`);
    assert.equal(path, `/etc/packages/${GROUP}/big-1.0.0.zip`);
  });
});
