import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { request } from 'undici';
import { startAem, type AemStandIn } from '../../src/local/aem/aem.ts';
import type { ContentPackage } from '../../src/local/content-package.ts';
import { Failure } from '../../src/systems/failure.ts';
import { packageManagerOf } from '../../src/systems/package-manager/choose.ts';
import { installUploaded, uploadPackage } from '../../src/systems/package-manager/deliver.ts';
import type { PackageManager } from '../../src/systems/package-manager/package-manager.ts';
import { expectationOf, lookBefore, untilSettled } from '../../src/systems/package-manager/settle.ts';
import { preflight } from '../../src/systems/package-manager/preflight.ts';
import { readArtifact } from '../../src/systems/packages/artifact.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import { bundle, GROUP, packageFile, storedArtifact } from '../support/aem-packages.ts';
import { temporaryFolder } from '../support/folder.ts';
import { until } from '../support/until.ts';
import { sling } from './sling.ts';

interface Server {
  readonly url: string;
  readonly credentials: string;
  readonly packageManager: 'crx' | 'composum';
  stop(): Promise<void>;
}

const servers: Readonly<Record<string, (folder: string) => Promise<Server>>> = {
  'crx, on the stand-in of AEM': async (folder) => {
    const options = { runMode: 'publish', password: 'secret', folder, restartMs: 0 } as const;
    const aem: AemStandIn = await startAem(options);
    return { url: aem.url, credentials: aem.credentials, packageManager: 'crx', stop: () => aem.stop() };
  },
  'composum, on Apache Sling': async () => ({
    url: sling().url,
    credentials: sling().credentials,
    packageManager: 'composum',
    stop: async () => undefined,
  }),
};

const NODE =
  '<jcr:root xmlns:jcr="http://www.jcp.org/jcr/1.0" xmlns:no="http://nosuch.example.com" jcr:primaryType=';

for (const [title, start] of Object.entries(servers))
  describe(`the package manager ${title}`, function () {
    this.timeout(240_000);
    afterEach(() => server?.stop());
    const folder = temporaryFolder();
    let server: Server | undefined;
    let manager: PackageManager;

    beforeEach(async () => {
      server = await start(join(folder(), 'aem'));
      manager = packageManagerOf(server, server.credentials);
      for (const { name, path } of await manager.list())
        if (name.startsWith('contract')) await manager.remove(path);
    });

    const contract = (files: NonNullable<ContentPackage['files']>, rest: Partial<ContentPackage> = {}) =>
      packageFile(folder(), { name: 'contract', filterRoots: ['/content/contract'], files, ...rest });
    const text = (name: string, words: string) => ({ [`content/contract/${name}.txt`]: words });
    const deliver = async (file: string) => {
      const read = await readArtifact(file);
      assert.ok(read.kind === 'aem');
      const { signal } = new AbortController();
      const uploaded = await uploadPackage(manager, { file, id: read.package.id, signal });
      await installUploaded(manager, uploaded, signal);
      return uploaded;
    };
    const content = async (name: string) => {
      const { url = '', credentials = '' } = server ?? {};
      const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
      const answer = await request(`${url}/content/contract/${name}.txt`, { headers: { authorization } });
      return answer.statusCode === 200
        ? answer.body.text()
        : answer.body.dump().then(() => answer.statusCode);
    };
    const listed = async () => (await manager.list()).filter(({ name }) => name.startsWith('contract'));
    const failing = async (words: RegExp, files: Readonly<Record<string, string>>) => {
      const { path } = await manager.upload(await contract(files));
      await assert.rejects(manager.install(path), (error) => {
        assert.ok(error instanceof Failure, String(error));
        assert.ok(['Rejected', 'Damaged'].includes(error.type), error.type);
        assert.match(`${error.message} ${error.details.join(' ')}`, words);
        return true;
      });
    };

    it('lists what was uploaded under its id, not as installed', async () => {
      const file = await contract(text('a', 'one'), { version: '1.2.0-SNAPSHOT' });
      const { path } = await manager.upload(file);
      assert.equal(path, `/etc/packages/${GROUP}/contract-1.2.0-SNAPSHOT.zip`);
      const read = await readArtifact(file);
      assert.ok(read.kind === 'aem');
      assert.deepEqual(
        (await listed()).map(({ group, name, version, path: at, lastUnpacked }) => [
          { group, name, version },
          at,
          lastUnpacked,
        ]),
        [[read.package.id, path, 0]],
      );
    });

    it('puts the content of a package in place of what is there, and takes it away again', async () => {
      await deliver(await contract({ ...text('a', 'one'), ...text('b', 'stays for one version') }));
      assert.deepEqual([await content('a'), await content('b')], ['one', 'stays for one version']);
      const again = await deliver(await contract(text('a', 'two'), { version: '2.0.0' }));
      assert.deepEqual([await content('a'), await content('b')], ['two', 404]);
      const [, installed] = await listed();
      assert.ok((installed?.lastUnpacked ?? 0) > 0);
      await manager.uninstall(again.path);
      assert.deepEqual([await content('a'), await content('b')], ['one', 'stays for one version']);
      assert.deepEqual(
        (await listed()).map(({ version, lastUnpacked }) => [version, lastUnpacked > 0]),
        [
          ['1.0.0', true],
          ['2.0.0', false],
        ],
      );
      await assert.rejects(manager.uninstall(again.path), /No snapshot present/);
    });

    it('fails for XML that is not well formed, and names the file', () =>
      failing(/\/content\/contract.*lineNumber/, {
        'content/contract/.content.xml': `${NODE}"nt:unstructured"><a`,
      }));

    it('does not settle with a bundle that cannot be resolved, and is well again once that is taken away', async () => {
      const jar = await bundle('contract.broken', { 'Import-Package': 'com.nosuch.pkg;version="[1,2)"' });
      const filterRoots = ['/apps/contract'];
      const file = await contract({ 'apps/contract/install/contract.broken.jar': jar }, { filterRoots });
      const read = await readArtifact(file);
      assert.ok(read.kind === 'aem');
      const expectation = expectationOf(read.package);
      const before = await lookBefore(manager, expectation);
      const { path } = await deliver(file);
      await assert.rejects(
        untilSettled(manager, expectation, before, { standstillMs: 1_000 }),
        (error) =>
          (error as Failure).type === 'Damaged' &&
          /contract\.broken 1\.0\.0 is Installed \(com\.nosuch\.pkg.*resolved/.test(String(error)),
      );
      await manager.uninstall(path);
      await until('its bundle is gone', async () =>
        (await manager.bundles()).every(({ symbolicName }) => symbolicName !== 'contract.broken'),
      );
      assert.deepEqual(await untilSettled(manager, { packages: [], bundles: [] }, before), before.broken);
    });

    it('refuses what is no package', async () => {
      const { path } = await manager.upload(await contract(text('a', 'one')));
      await manager.remove(path);
      await assert.rejects(manager.install(path), (error) => (error as Failure).type === 'Rejected');
      assert.deepEqual(await listed(), []);
    });

    it('is asked for missing dependencies before anything is touched', async () => {
      const file = await contract(text('a', 'one'), { dependencies: 'com.nosuch:base:[1.0,2.0)' });
      const artifact = await storedArtifact(fileStorage(join(folder(), 'storage')), file);
      const { problems } = await preflight(manager, [artifact]);
      assert.equal(problems.length, 1, problems.join('; '));
      assert.match(problems[0]!, /needs com\.nosuch:base/);
    });

    it('has done what it was asked although its answer was lost', async () => {
      const lost = await losingAnswers(server!.url, /upload/, /cmd=install|operation=install/);
      try {
        manager = packageManagerOf({ ...server!, url: lost.url }, server!.credentials);
        await deliver(await contract(text('a', 'once')));
        assert.equal(lost.count(), 2);
        assert.equal(await content('a'), 'once');
      } finally {
        await lost.close();
      }
    });

    if (title.startsWith('composum'))
      it('fails for a node type that nobody knows, and names both', () =>
        failing(/\/content\/contract .*NoSuchNodeTypeException: .*no:Such/, {
          'content/contract/.content.xml': `${NODE}"no:Such"/>`,
        }));
  });

/** Stands between client and server; the first answer to a request that fits each pattern does not come through. */
async function losingAnswers(target: string, ...patterns: readonly RegExp[]) {
  const left = [...patterns];
  const server = createServer((from, to) => {
    const chunks: Buffer[] = [];
    from.on('data', (chunk: Buffer) => chunks.push(chunk));
    from.on('end', () => {
      const body = Buffer.concat(chunks);
      const { 'content-type': type, authorization } = from.headers;
      const headers = { authorization, ...(type && { 'content-type': type }), 'user-agent': 'fairway' };
      request(`${target}${from.url}`, {
        method: from.method as 'GET',
        headers,
        ...(from.method === 'GET' ? {} : { body }),
      })
        .then(async (answer) => {
          const text = await answer.body.text();
          const all = `${from.url} ${body.subarray(0, 1_000).toString('latin1')}`;
          const fits = from.method === 'POST' ? left.findIndex((pattern) => pattern.test(all)) : -1;
          if (fits >= 0) {
            left.splice(fits, 1);
            to.destroy();
          } else to.writeHead(answer.statusCode).end(text);
        })
        .catch(() => to.destroy());
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: () => patterns.length - left.length,
    close: () =>
      new Promise<void>((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
