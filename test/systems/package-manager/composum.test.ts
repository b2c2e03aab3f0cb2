import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../../src/systems/failure.ts';
import { composumPackageManager } from '../../../src/systems/package-manager/composum.ts';
import { LostAnswer } from '../../../src/systems/package-manager/http.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { httpServer, type HttpServer } from '../../support/http-server.ts';

/** Answers as Composum Nodes 4.2.2 on Apache Sling CMS 1.1.8 gave them. */
const recorded = {
  list: [
    {
      definition: {
        group: 'com.example.site',
        name: 'site',
        version: '1.0.0',
        lastUnpacked: '2026-11-24 17:33:06',
      },
      path: '/com.example.site/site-1.0.0.zip',
    },
    {
      definition: { group: 'com.example.site', name: 'needy', version: '1.0.0' },
      path: '/com.example.site/needy-1.0.0.zip',
    },
  ],
  ls:
    '<repo><request><param name="cmd" value="ls"/></request><response><data><packages><package>' +
    '<group>com.example.site</group><name>site</name><version>1.0.0</version><size>1405</size></package></packages>' +
    '</data><status code="200">ok</status></response></repo>',
  brokenXml: `Collecting import information...
Importing content...
java.util.concurrent.ExecutionException: javax.jcr.RepositoryException: XML document structures must start
\tat java.base/java.util.concurrent.FutureTask.report(FutureTask.java:122)
Caused by: org.xml.sax.SAXParseException; systemId: file:///jcr_root/content/site/.content.xml; lineNumber: 1; columnNumber: 86; XML document structures must start and end within the same entity.
\t... 18 more`,
  badType: `Importing content...
  E  /content/site
  ! javax.jcr.nodetype.NoSuchNodeTypeException: Node type no:Such does not exist
saving approx 1 nodes...
Package imported (with errors, check logs!)
`,
  good: `Importing content...
  A  /content/site
saving approx 1 nodes...
Package imported.
`,
  report: (active: string, processed = '') => `*** OSGi Installer:

Apache Sling OSGi Installer
===========================

Active Resources
----------------

${active}
Processed Resources
-------------------

${processed}
Untransformed Resources
-----------------------
`,
};
const PATH = '/etc/packages/com.example.site/site-1.0.0.zip';

describe('Composum package manager', () => {
  afterEach(() => server?.close());
  const folder = temporaryFolder();
  let server: HttpServer | undefined;

  /** A server that gives the answers of a path one after the other, the last of them for ever; `cut` says nothing. */
  const answering = async (answers: Readonly<Record<string, readonly string[]>>) => {
    const given = new Map<string, number>();
    const asked: string[] = [];
    server = await httpServer((request, response) => {
      const path = (request.url ?? '').replace(/\/2026\/.*$/, '');
      request.setEncoding('utf8');
      let body = '';
      request.on('data', (text: string) => (body += text));
      request.on('end', () => {
        asked.push(`${request.method} ${request.url} ${body}`);
        const all = answers[path] ?? [];
        const turn = given.get(path) ?? 0;
        given.set(path, turn + 1);
        const answer = all[Math.min(turn, all.length - 1)];
        if (answer === 'cut') response.destroy();
        else response.writeHead(answer === undefined ? 404 : 200).end(answer);
      });
    });
    return { manager: composumPackageManager({ url: server.url, credentials: 'admin:x' }), asked };
  };
  const job = (jobState: string, message?: string) =>
    JSON.stringify({
      'slingevent:eventId': '2026/11/24/17/id_1',
      jobState,
      'slingevent:resultMessage': message,
    });
  const jobs = (states: readonly string[], log: string) =>
    answering({
      '/bin/cpm/core/jobcontrol.job.json': states,
      '/bin/cpm/core/jobcontrol.outfile.txt': [log],
    });
  const failure = (type: Failure['type'], words: RegExp) => (error: unknown) => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.type, type, error.message);
    assert.match(error.message, words);
    return true;
  };

  it('fails where a job ended with an exception, and names the file at fault', async () => {
    const { manager } = await jobs([job('QUEUED'), job('ERROR', 'see the log')], recorded.brokenXml);
    await assert.rejects(
      manager.install(PATH),
      failure('Rejected', /SAXParseException; systemId: file:\/\/\/jcr_root\/content\/site\/\.content\.xml/),
    );
  });

  it('fails where the log has errors, even if the job calls itself done', async () => {
    for (const end of ['ERROR', 'SUCCEEDED']) {
      const { manager } = await jobs([job('ACTIVE'), job(end, 'done.')], recorded.badType);
      await assert.rejects(
        manager.install(PATH),
        failure('Damaged', /with errors: \/content\/site \(.*NoSuchNodeTypeException: Node type no:Such/),
      );
      await server?.close();
    }
  });

  it('has a reason even where there is no log', async () => {
    const answers = { '/bin/cpm/core/jobcontrol.job.json': [job('ERROR', 'PathNotFoundException: x')] };
    const { manager } = await answering(answers);
    await assert.rejects(manager.install(PATH), failure('Rejected', /PathNotFoundException: x/));
  });

  it('waits for a job that is not found for a moment', async () => {
    const { manager, asked } = await jobs(
      [job('QUEUED'), job('ACTIVE'), '', job('SUCCEEDED')],
      recorded.good,
    );
    assert.deepEqual((await manager.install(PATH)).slice(-3), [
      'A  /content/site',
      'saving approx 1 nodes...',
      'Package imported.',
    ]);
    assert.match(asked[0]!, /^POST .*reference=%2Fcom\.example\.site%2Fsite-1\.0\.0\.zip&operation=install/);
    assert.match(asked[1]!, /^GET \/bin\/cpm\/core\/jobcontrol\.job\.json\/2026\/11\/24\/17\/id_1/);
  });

  it('does not know what became of a job that is gone, or of a server that is', async () => {
    for (const last of ['', 'cut']) {
      const { manager } = await jobs([job('QUEUED'), last], recorded.good);
      await assert.rejects(manager.install(PATH), LostAnswer, last);
      await server?.close();
    }
  });

  it('is not available while Sling starts, whatever Sling answers until then', async () => {
    for (const status of [403, 404, 405, 409, 500, 503]) {
      server = await httpServer((request, response) => {
        request.resume();
        const there = request.url?.endsWith('.list.json');
        response.writeHead(there ? 200 : status).end('[]');
      });
      const manager = composumPackageManager({ url: server.url, credentials: 'admin:x' });
      await assert.rejects(manager.list(), failure('Unavailable', new RegExp(`status ${status}`)));
      await assert.rejects(manager.install(PATH), failure('Unavailable', new RegExp(`status ${status}`)));
      await server.close();
    }
  });

  it('is not available while Sling starts and does not know yet what its users may', async () => {
    const manager = async (status: number) => {
      server = await httpServer((_, response) => response.writeHead(status).end());
      return composumPackageManager({ url: server.url, credentials: 'admin:x' });
    };
    await assert.rejects((await manager(403)).list(), failure('Unavailable', /status 403.*starts/));
    await server?.close();
    await assert.rejects((await manager(401)).list(), failure('Denied', /refuses the user admin/));
  });

  it('takes an empty answer to an upload for a refusal', async () => {
    const file = join(folder(), 'x.zip');
    await writeFile(file, 'hello');
    const { manager, asked } = await answering({ '/bin/cpm/package.upload.json': [''] });
    await assert.rejects(manager.upload(file), failure('Rejected', /not a content package/));
    assert.match(asked[0]!, /name="file"; filename[^]*hello/);
  });

  it('lists packages with their sizes, paths and dates', async () => {
    const answers = {
      '/bin/cpm/package.list.json': [JSON.stringify(recorded.list)],
      '/bin/cpm/package.service.html': [recorded.ls],
    };
    const { manager } = await answering(answers);
    assert.deepEqual(
      (await manager.list()).map(({ path, size, lastUnpacked }) => [path, size, lastUnpacked]),
      [
        [PATH, 1405, Date.UTC(2026, 10, 24, 17, 33, 6)],
        ['/etc/packages/com.example.site/needy-1.0.0.zip', -1, 0],
      ],
    );
  });

  describe('the installer', () => {
    const status = async (report: string) => {
      const bundle = {
        id: 7,
        symbolicName: 'site.broken',
        version: '1.0.0',
        stateRaw: 2,
        state: 'Installed',
      };
      const { manager } = await answering({
        '/system/console/status-osgi-installer.txt': [report],
        '/system/console/bundles.json': [JSON.stringify({ data: [bundle] })],
        '/bin/cpm/package.list.json': [JSON.stringify(recorded.list)],
        '/bin/cpm/package.service.html': [recorded.ls],
      });
      return manager.status();
    };
    const line = (name: string, version: string) =>
      `- ${name}: 1795541588241/200, jcrinstall:/apps/x/install/x (${version}), INSTALL, `;

    it('is idle with nothing to do', async () => {
      assert.deepEqual(await status(recorded.report('')), { finished: true, itemCount: 0, failures: [] });
    });

    it('is busy with what it has not taken up', async () => {
      const active = `Bundles:\n${line('site.core', '1.0.0')}\ncontent-package:\n${line('com.example.site:other', '1')}`;
      assert.deepEqual(await status(recorded.report(active)), {
        finished: false,
        itemCount: 2,
        failures: [],
      });
    });

    it('is busy with a newer version of what does not start', async () => {
      const { itemCount } = await status(recorded.report(`Bundles:\n${line('site.broken', '1.0.1')}`));
      assert.equal(itemCount, 1);
    });

    it('is not at work on what it cannot end', async () => {
      const active = `Bundles:\n${line('site.broken', '1.0.0')}\ncontent-package:\n${line('com.example.site:needy', '1.0.0')}`;
      assert.equal((await status(recorded.report(active))).finished, true);
    });

    it('says what it has given up, and why', async () => {
      const { failures } = await status(
        recorded.report(
          '',
          'content-package:\n* com.example.site:needy: 1/200, jcrinstall:/apps/x/needy.zip (1.0.0), IGNORED, Error while ' +
            'processing install content package task of TaskResource(url=x) due to Some errors occurred, no retry.\n' +
            '* com.example.site:site: 1/200, jcrinstall:/apps/x/site.zip (1.0.0), INSTALLED, ',
        ),
      );
      assert.deepEqual(failures, [
        { name: 'com.example.site:needy', reason: 'Some errors occurred, no retry.' },
      ]);
    });

    it('is not believed to be idle on the word of another page', async () => {
      await assert.rejects(status('<html>404</html>'), failure('Unavailable', /does not tell/));
    });
  });
});
