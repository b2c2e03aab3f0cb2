import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildDispatcherZip, buildPackage } from '../../../src/local/content-package.ts';
import { Failure } from '../../../src/systems/failure.ts';
import { readArtifact } from '../../../src/systems/packages/artifact.ts';
import { extractZip } from '../../../src/systems/zip/extract.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { random } from '../../support/random.ts';

const SEED = 7;
const MUTATIONS = 300;

describe('damaged zips, at random', () => {
  const folder = temporaryFolder();
  const { below, oneOf } = random(SEED);

  /** Mostly in the headers and the directory, where a byte means most. */
  function mutate(good: Buffer): Buffer {
    const bad = Buffer.from(good);
    for (let count = 1 + below(4); count > 0; count -= 1) {
      const at = below(3) ? bad.length - 1 - below(Math.min(bad.length, 600)) : below(bad.length);
      oneOf([
        () => (bad[at] = below(256)),
        () => (bad[at] = oneOf([0, 1, 0x2e, 0x2f, 0x5c, 0x7f, 0x80, 0xff])),
        () => (bad[at]! ^= 1 << below(8)),
        () => bad.copy(bad, at, below(bad.length), below(bad.length)),
      ])();
    }
    return below(10) ? bad : bad.subarray(0, below(bad.length));
  }

  const examples: [string, (path: string) => Promise<void>][] = [
    [
      'a content package',
      async (path) => {
        await buildPackage(path, { group: 'g', name: 'inner', version: '1' });
        const inner = await readFile(path);
        const files = { 'apps/a/install/inner.zip': inner, 'apps/a/page.html': '<p>'.repeat(200) };
        await buildPackage(path, {
          group: 'g',
          name: 'site',
          version: '1.0',
          dependencies: 'g:x:[1,2)',
          files,
        });
      },
    ],
    [
      'a dispatcher package',
      (path) =>
        buildDispatcherZip(
          path,
          { 'conf/httpd.conf': 'x'.repeat(500), 'conf.d/a/s.vhost': 'y', 'conf.modules.d/m.conf': 'z' },
          { 'conf.d/e/s.vhost': '../a/s.vhost', 'conf.dispatcher.d/x': '../conf.d/a' },
        ),
    ],
  ];
  for (const [what, build] of examples)
    it(`${what}: refused with its name or read, nothing outside, nothing left`, async () => {
      const [path, out] = [join(folder(), 'site.zip'), join(folder(), 'out')];
      await build(path);
      const good = await readFile(path);
      let refused = 0;
      for (let round = 0; round < MUTATIONS; round += 1) {
        await writeFile(path, mutate(good));
        const judge = (error: unknown) => {
          assert.ok(error instanceof Failure, `round ${round}: ${String(error)}`);
          assert.equal(error.type, 'InvalidArtifact', error.message);
          assert.match(error.message, /^site\.zip/);
          refused += 1;
        };
        await readArtifact(path).catch(judge);
        await extractZip(path, out).catch(judge);
        await rm(out, { recursive: true, force: true });
        assert.deepEqual(await readdir(folder()), ['site.zip'], `round ${round}`);
      }
      assert.ok(refused > MUTATIONS / 2, `${refused} refused`);
    });
});
