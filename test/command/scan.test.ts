import { deepEqual, equal, match } from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from 'sarif';
import { temporaryFolder } from '../support/folder.ts';
import { fairway } from './fairway.ts';

const folder = temporaryFolder();

/** A package with one minor finding, at line 3 of a component. */
async function project(): Promise<string> {
  const component = join(folder(), 'jcr_root/apps/a/text');
  await mkdir(component, { recursive: true });
  await writeFile(
    join(component, '.content.xml'),
    '<jcr:root xmlns:jcr="urn:jcr"\n jcr:primaryType="cq:Component"\n sling:resourceSuperType="foundation/components/text"/>',
  );
  return folder();
}

describe('fairway scan', () => {
  it('ends with 4 for what is not there, and with 2 for what cannot be scanned or understood', async () => {
    const missing = await fairway(['scan', join(folder(), 'no')]);
    deepEqual([missing.code, missing.stdout], [4, '']);
    match(missing.stderr, /^fairway: there is no file or folder/);
    const nothing = await fairway(['scan', folder()]);
    equal(nothing.code, 2);
    match(nothing.stderr, /neither a content package/);
    equal((await fairway(['scan'])).code, 2);
    equal((await fairway(['scan', folder(), '--format', 'xml'])).code, 2);
    equal((await fairway(['scan', folder(), '--fail-on', 'always'])).code, 2);
  });

  it('ends with 1 for a zip that is damaged, naming it', async () => {
    await writeFile(join(folder(), 'a.zip'), 'no zip');
    const { code, stderr } = await fairway(['scan', join(folder(), 'a.zip')]);
    equal(code, 1);
    match(stderr, /a\.zip/);
  });

  it('shows what it finds, and ends with 1 from the severity on that it is given', async () => {
    const path = await project();
    const found = await fairway(['scan', path]);
    equal(found.code, 1);
    match(
      found.stdout,
      /\.content\.xml\n +3 +MINOR .*\(LegacyFoundationComponentUsage\)\n\n1 finding: 1 minor\n$/,
    );
    equal((await fairway(['scan', path, '--fail-on', 'major'])).code, 0);
    equal((await fairway(['scan', path, '--fail-on', 'info'])).code, 1);
  });

  it('writes nothing but the chosen format to standard output', async () => {
    const path = await project();
    const sarif = await fairway(['scan', path, '--format', 'sarif']);
    equal((JSON.parse(sarif.stdout) as Log).runs[0]?.results?.length, 1);
    const json = await fairway(['scan', path, '-o', 'json']);
    equal((JSON.parse(json.stdout) as unknown[]).length, 1);
    const csv = await fairway(['scan', path, '--format', 'csv']);
    equal(csv.stdout.split('\r\n').length, 3);
  });
});
