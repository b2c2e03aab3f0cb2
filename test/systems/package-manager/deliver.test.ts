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
});
