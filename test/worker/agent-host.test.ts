import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { prepare } from '../../src/local/setup/prepare.ts';
import { run } from '../../src/systems/process.ts';
import { temporaryFolder } from '../support/folder.ts';

const examples = join(import.meta.dirname, '../../examples/agent');
const UNIT = 'fairway-agent.service';

describe('the files of an agent for its host', function () {
  this.timeout(60_000);
  const folder = temporaryFolder();
  let programs: Record<'visudo' | 'systemdAnalyze', string>;
  before(async function () {
    this.timeout(300_000);
    programs = await prepare(['visudo', 'systemdAnalyze'], () => undefined);
  });

  describe('the sudo rule', () => {
    const visudo = async (text: string) => {
      const file = join(folder(), 'sudoers');
      await writeFile(file, text, { mode: 0o440 });
      return run(programs.visudo, ['--check', '--strict', '--file', file]);
    };

    it('with a mistake in it is noticed', async () => {
      const { code } = await visudo('fairway-agent ALL=(root) NOPASWD: /usr/sbin/apachectl graceful\n');
      assert.equal(code, 1);
    });

    it('is one that sudo takes, for the reload that the settings ask for and nothing else', async () => {
      const text = await readFile(join(examples, 'sudoers'), 'utf8');
      const { code, stdout, stderr } = await visudo(text);
      assert.equal(code, 0, stdout + stderr);
      const { agents } = JSON.parse(await readFile(join(examples, 'agent.json'), 'utf8')) as {
        agents: { host: { graceful: { args: string[] } } }[];
      };
      const [, ...reload] = agents[0]!.host.graceful.args; // without sudo's own -n
      const rules = text.split('\n').filter((line) => line && !/^(#|Defaults)/.test(line));
      assert.deepEqual(rules, [`fairway-agent ALL=(root) NOPASSWD: ${reload.join(' ')}`]);
    });
  });

  describe('the unit', () => {
    /** As on a host where Fairway is installed, with no other units than it needs. */
    const verify = async (unit: string) => {
      const root = join(folder(), 'root');
      const units = join(root, 'etc/systemd/system');
      const program = join(root, 'opt/fairway/bin/fairway.mjs');
      for (const place of [units, dirname(program)]) await mkdir(place, { recursive: true });
      await writeFile(program, '');
      await chmod(program, 0o755);
      for (const name of ['sysinit', 'basic', 'shutdown', 'network-online', 'multi-user'])
        await writeFile(join(units, `${name}.target`), '[Unit]\n');
      await writeFile(join(units, UNIT), unit);
      const { code, stdout, stderr } = await run(programs.systemdAnalyze, ['verify', `--root=${root}`, UNIT]);
      return { code, said: (stdout + stderr).trim() };
    };
    const unit = () => readFile(join(examples, UNIT), 'utf8');

    it('with a mistake in it is noticed', async () => {
      const { said } = await verify((await unit()).replace('TimeoutStopSec', 'TimeoutStopSecs'));
      assert.match(said, /TimeoutStopSecs/);
    });

    it('is one that systemd takes without a word', async () => {
      assert.deepEqual(await verify(await unit()), { code: 0, said: '' });
    });
  });
});
