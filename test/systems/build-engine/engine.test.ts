import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chooseEngine } from '../../../src/systems/build-engine/choose.ts';
import type { BuildEngine, BuildRun } from '../../../src/systems/build-engine/engine.ts';
import type { Failure } from '../../../src/systems/failure.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { podman } from '../../support/podman.ts';
import { until } from '../../support/until.ts';

const sleepers = (seconds: string) =>
  execFileSync('ps', ['-eo', 'stat,args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(`sleep ${seconds}`) && !line.startsWith('Z')).length;

const kinds = {
  local: async () => chooseEngine({ engine: 'local' }),
  container: async () => chooseEngine(await podman()),
};

for (const [kind, engineOf] of Object.entries(kinds))
  describe(`the ${kind} build engine`, function () {
    this.timeout(120_000);
    const folder = temporaryFolder();
    let engine: BuildEngine;
    let lines: string[] = [];
    beforeEach(async () => {
      lines = [];
      engine = await engineOf();
    });

    const id = `${process.pid}-${kind}`;
    const runOptions = (more: Partial<BuildRun> = {}): BuildRun => ({
      ...{ id, folder: folder(), writable: [], readable: [], env: {} },
      onLine: (line) => lines.push(line),
      ...more,
    });
    const sh = (script: string, more: Partial<BuildRun> = {}) =>
      engine.run(['sh', '-c', script], runOptions(more));

    it('runs in the folder, with the given variables and none of the worker', async () => {
      process.env.FAIRWAY_SECRET_PROBE = 'hidden';
      try {
        const code = await sh('env; pwd; echo made > file; exit 3', {
          env: { CM_BUILD: 'true', ODD: "a b'$(x)" },
        });
        assert.equal(code, 3);
      } finally {
        delete process.env.FAIRWAY_SECRET_PROBE;
      }
      assert.ok(lines.includes('CM_BUILD=true') && lines.includes("ODD=a b'$(x)"), lines.join('\n'));
      assert.ok(lines.includes(folder()));
      assert.equal(lines.join('\n').includes('hidden'), false);
      assert.equal(await readFile(join(folder(), 'file'), 'utf8'), 'made\n');
    });

    afterEach(() => engine.clear(id)); // whatever a failed test left

    it('ends everything when it is cancelled, also what left the process group', async () => {
      const cancel = new AbortController();
      const seconds = `98${process.pid}`;
      const running = sh(`setsid sleep ${seconds} & sleep ${seconds} & echo started; wait`, {
        signal: cancel.signal,
      });
      await until('both sleep', () => lines.includes('started') && sleepers(seconds) >= 2);
      cancel.abort(new Error('cancelled by a person'));
      await assert.rejects(running, /cancelled by a person/);
      await until('they are gone', () => sleepers(seconds) === 0);
    });

    it('ends what a dead attempt left', async () => {
      const seconds = `97${process.pid}`;
      const left = sh(`echo started; exec sleep ${seconds}`).catch(() => -1);
      await until('it sleeps', () => lines.includes('started') && sleepers(seconds) > 0);
      await engine.clear(id);
      await until('they are gone', () => sleepers(seconds) === 0);
      assert.notEqual(await left, 0);
      assert.equal(await sh('true'), 0);
    });
  });

describe('the choice of a build engine', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();

  it('is a container where one works, and says which', async () => {
    const settings = await podman();
    assert.equal((await chooseEngine({ ...settings, engine: 'auto' })).name, 'container (podman, /:O)');
  });

  it('is a local process where none works, and says why', async () => {
    const broken = join(folder(), 'podman');
    await writeFile(broken, '#!/bin/sh\necho cannot clone: not permitted >&2; exit 125\n');
    await chmod(broken, 0o755);
    const programs = [broken, join(folder(), 'docker')];
    const engine = await chooseEngine({ engine: 'auto', programs });
    assert.equal(engine.name, 'local process');
    assert.match(engine.why ?? '', /podman: cannot clone: not permitted; .*docker: cannot start/);
    await assert.rejects(chooseEngine({ engine: 'container', programs }), (error: Failure) => {
      assert.equal(error.type, 'Missing');
      assert.match(error.details.join('; '), /not permitted; .*cannot start/);
      return true;
    });
  });
});
