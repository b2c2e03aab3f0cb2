import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { temporaryFolder } from '../support/folder.ts';
import { until } from '../support/until.ts';

const PROJECT = join(import.meta.dirname, '../..');

/** Processes whose command line or environment names a folder. */
async function processesOf(folder: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const texts = await Promise.all(
    pids.map(async (pid) => {
      const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
      const [command, environment] = [await read('cmdline'), await read('environ')];
      return command.includes(folder) || environment.includes(folder) ? `${pid} ${command}` : '';
    }),
  );
  return texts.filter((text) => text && !text.startsWith(`${process.pid} `));
}

describe('the demo, interrupted', function () {
  this.timeout(240_000);
  const folder = temporaryFolder();

  const moments: [string, RegExp][] = [
    ['while the platform starts', /Temporal: /],
    ['in the middle of a build', /Build & Unit Testing\s+RUNNING/],
    ['in the middle of a deployment', /Deploy to Stage\s+RUNNING/],
  ];
  for (const [moment, sign] of moments)
    it(`${moment}, leaves no process and no file`, async () => {
      const demo = spawn(process.execPath, ['scripts/run.mjs', 'src/local/demo/main.ts', '--emergency'], {
        cwd: PROJECT,
        env: { ...process.env, TMPDIR: folder() },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = new Promise<number | null>((resolve) => demo.on('exit', resolve));
      let seen = false;
      createInterface({ input: demo.stdout }).on('line', (line) => {
        if (seen || !sign.test(line)) return;
        seen = true;
        demo.kill('SIGINT');
      });
      assert.equal(await ended, 1);
      assert.ok(seen, 'the demo came so far');
      // A compiler of the demo ends when it sees that its process has, which may be an instant later.
      await until('no process is left', async () => (await processesOf(folder())).length === 0);
      assert.deepEqual(
        (await readdir(folder())).filter((name) => name.startsWith('fairway')),
        [],
      );
    });
});
