import assert from 'node:assert/strict';
import { lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { siteConfiguration } from '../../../src/local/dispatcher/node.ts';
import { defaultImmutable, defaultMandatory } from '../../../src/systems/httpd/settings.ts';

describe("the example site's dispatcher configuration", () => {
  it('is a full file set: everything immutable and everything mandatory', async () => {
    for (const name of [...defaultImmutable, ...defaultMandatory])
      await stat(join(siteConfiguration(), name));
  });

  it('enables farms and vhosts by links into the folders beside', async () => {
    for (const folder of ['conf.d/enabled_vhosts', 'conf.dispatcher.d/enabled_farms'])
      for (const name of await readdir(join(siteConfiguration(), folder))) {
        const link = join(siteConfiguration(), folder, name);
        assert.ok((await lstat(link)).isSymbolicLink(), link);
        assert.ok((await stat(link)).isFile(), link);
      }
  });
});
