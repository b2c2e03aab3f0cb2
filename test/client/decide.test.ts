import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { prepare } from '../../src/local/setup/prepare.ts';
import { messageNames, type MessageName } from '../../src/model/messages.ts';
import { run, type Finished } from '../../src/systems/process.ts';
import { until } from '../support/until.ts';
import { ann, workflowHarness } from '../workflows/harness.ts';
import { metric } from '../workflows/scripted-world.ts';

const poor = {
  metrics: [metric('coverage', 'important', false)],
  results: { key: 'results.json', sha256: '0', size: 2 },
};
/** Where each message is taken, in the order of an execution. */
const waits: readonly (readonly [MessageName, string])[] = [
  ['override', 'codeQuality'],
  ['approve', 'approval'],
  ['schedule', 'schedule'],
  ['cseSupport', 'managed'],
];

describe('deciding', function () {
  this.timeout(120_000);
  const fairway = workflowHarness('real time');
  const env = () => ({ ...process.env, TEMPORAL_ADDRESS: fairway.env.address });
  const good = (what: string, { code, stdout, stderr }: Finished) => {
    assert.equal(code, 0, `${what}: ${stdout}${stderr}`);
    return stdout;
  };
  const deploys = () =>
    until('it deploys', async () => {
      const { steps } = await fairway.state();
      return steps.some(({ id, status }) => id === 'managed' && status === 'FINISHED');
    });

  describe("with Temporal's own command, by the lines of docs/messages.md", () => {
    let lines: string[] = [];
    let temporal = '';
    before(async () => {
      ({ temporal } = await prepare(['temporal'], () => undefined));
      const page = await readFile(new URL('../../docs/messages.md', import.meta.url), 'utf8');
      lines = page.split('\n').filter((line) => /^temporal workflow (update execute|signal) /.test(line));
    });

    /** The arguments of a line, for a certain execution of the tests' pipeline. */
    const argumentsOf = (line: string, executionId: string): string[] =>
      [...line.matchAll(/'([^']*)'|(\S+)/g)]
        .map(([, quoted, plain]) => quoted ?? plain ?? '')
        .slice(1)
        .map((word) =>
          word.replace('pipeline-1001-2001', 'pipeline-1-101').replace('0000000001', executionId),
        );
    const lineOf = (how: string, name: string) => {
      const found = lines.filter(
        (line) => line.startsWith(`temporal workflow ${how} `) && line.includes(` --name ${name} `),
      );
      assert.equal(found.length, 1, `${how} ${name}`);
      return found[0] ?? '';
    };

    for (const how of ['update execute', 'signal']) {
      const send = async (name: string, executionId: string) =>
        good(name, await run(temporal, argumentsOf(lineOf(how, name), executionId), { env: env() }));

      it(`${how}: every message is taken`, async () => {
        const started = await fairway.begin({ codeQuality: async () => poor });
        for (const [name, step] of waits) {
          await fairway.waitsAt(step);
          await send(name, started.executionId);
        }
        await deploys();
        const { decisions } = await fairway.end(started);
        assert.deepEqual(
          decisions.map(({ step, by }) => [step, by.subject, by.via]),
          [
            ['codeQuality', 'paula', 'temporal-cli'],
            ['approval', 'paula', 'temporal-cli'],
            ['schedule', 'paula', 'temporal-cli'],
            ['managed', 'carl', 'temporal-cli'],
          ],
        );

        const second = await fairway.begin();
        await fairway.waitsAt('approval');
        await send('cancel', second.executionId);
        assert.equal((await fairway.end(second)).status, 'CANCELLED');
      });
    }

    it('there is a line for each message and way, and no other', () => {
      assert.equal(lines.length, 2 * messageNames.length);
    });

    it('an update that cannot be taken says why', async () => {
      const started = await fairway.begin();
      await fairway.waitsAt('approval');
      const args = argumentsOf(lineOf('update execute', 'cseSupport'), started.executionId);
      const { code, stderr } = await run(temporal, args, { env: env() });
      assert.notEqual(code, 0);
      assert.match(stderr, /not waiting for this now: its step is "Application for Approval"/);
      await fairway.client.send('cancel', fairway.address(started), { by: ann });
      await fairway.end(started);
    });
  });

  describe('with the scripts', () => {
    const script = (name: string, ...args: string[]) =>
      run(
        process.execPath,
        [
          '--import',
          'tsx',
          fileURLToPath(new URL(`../../src/client/scripts/${name}.ts`, import.meta.url)),
          ...args,
        ],
        { env: env() },
      );
    const says = async (text: RegExp, name: string, ...args: string[]) =>
      assert.match(good(name, await script(name, ...args)), text);

    it('an execution is started and decided to its end', async () => {
      fairway.world.begin({ codeQuality: async () => poor });
      await fairway.apply();
      await says(
        /execution \d{10} of Example, Production pipeline has begun/,
        'start-normal',
        'production pipeline',
      );
      const { executionId } = await fairway.waitsAt('codeQuality');
      await says(/accepted coverage/, 'override', executionId, 'accept');
      await fairway.waitsAt('approval');
      await says(/approved/, 'approve', String(Number(executionId)), 'yes', 'go');
      await fairway.waitsAt('schedule');
      await says(/scheduled for now/, 'schedule', executionId, 'NOW');
      await fairway.waitsAt('managed');
      await says(/CSE started/, 'cse', executionId, 'start');
      await until('it has finished', async () => (await fairway.state(executionId)).status === 'FINISHED');
    });

    it('emergency mode is refused until it is activated; an execution is cancelled', async () => {
      fairway.world.begin();
      await fairway.apply();
      await fairway.client.setEmergency('1', false, ann);
      const refused = await script('start-emergency', '101');
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /emergency mode is not activated/);
      await fairway.client.setEmergency('1', true, ann);
      await says(/has begun in emergency mode/, 'start-emergency', '101');
      const { executionId } = await fairway.waitsAt('approval');
      await says(/cancelling/, 'cancel', executionId, 'wrong branch');
      await until('it is cancelled', async () => (await fairway.state(executionId)).status === 'CANCELLED');
    });

    it('without arguments they say what they need', async () => {
      const { code, stderr } = await script('approve');
      assert.deepEqual([code, stderr.trim()], [2, 'arguments: EXECUTION yes|no [COMMENT]']);
    });
  });
});
