import assert from 'node:assert/strict';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crxPackageManager } from '../../../src/systems/package-manager/crx.ts';
import { uploadPackage } from '../../../src/systems/package-manager/deliver.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { httpServer } from '../../support/http-server.ts';

describe('the upload of a package', () => {
  const folder = temporaryFolder();
  const id = { group: 'com.example', name: 'site', version: '1.0.0' };

  /** An instance that lists nothing, and takes uploads without ever answering them. */
  const hanging = (reads: boolean) =>
    httpServer((request, response) => {
      if (request.method === 'GET') response.end('{"results":[]}');
      else if (reads) request.resume();
    });

  for (const [what, reads, size] of [
    ['stops reading', false, 30_000_000],
    ['takes all of it and says nothing', true, 1000],
  ] as const)
    it(`ends when the instance ${what}, and may be tried again`, async () => {
      const server = await hanging(reads);
      const file = join(folder(), 'package.zip');
      await writeFile(file, '');
      await truncate(file, size);
      const manager = crxPackageManager({ url: server.url, credentials: 'admin:secret' });
      const { signal } = new AbortController();
      await assert.rejects(uploadPackage(manager, { file, id, signal, silenceMs: 500 }), {
        type: 'Unavailable',
        message: /neither taken nor answered any of an upload for 0\.5 s; .* is uploaded again/,
      });
      await server.close();
    });

  for (const [what, restarts, failure] of [
    ['that was restarted after it, which may have lost it', true, ['Unavailable', /restarted meanwhile/]],
    ['under another id', false, ['Rejected', /the id inside the package differs/]],
  ] as const)
    it(`is not taken for done by an instance ${what}`, async () => {
      let uploads = 0;
      let answers = 0;
      const server = await httpServer((request, response) => {
        request.resume().on('end', () => {
          if (request.method !== 'GET') uploads += 1;
          // The first answer after the upload is that of a server that starts.
          else if (restarts && uploads > 0 && (answers += 1) === 1) response.statusCode = 503;
          response.end(
            request.method === 'GET' ? '{"results":[]}' : '{"success":true,"path":"/etc/packages/x.zip"}',
          );
        });
      });
      const file = join(folder(), 'package.zip');
      await writeFile(file, 'PK');
      const manager = crxPackageManager({ url: server.url, credentials: 'admin:secret' });
      const { signal } = new AbortController();
      const [type, message] = failure;
      await assert.rejects(uploadPackage(manager, { file, id, signal }), { type, message });
      assert.equal(uploads, 1);
      await server.close();
    });
});
