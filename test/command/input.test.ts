import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { cut, LiveView } from '../../src/command/live-view.ts';
import { fairway as wholeCommand } from '../../src/command/main.ts';
import { hasColours } from '../../src/command/output.ts';
import { Problem } from '../../src/command/problem.ts';
import { readSettings } from '../../src/command/settings.ts';
import { readDefinitions } from '../../src/client/definition-files.ts';
import { FairwayError } from '../../src/client/fairway-error.ts';
import { run } from '../../src/systems/process.ts';
import { definition } from '../support/definition.ts';
import { temporaryFolder } from '../support/folder.ts';
import { fairway, startFairway, type Ended } from './fairway.ts';

const NOBODY = { TEMPORAL_ADDRESS: '127.0.0.1:1' };

const refused = (ended: Ended, code: number, ...words: RegExp[]) => {
  assert.equal(ended.code, code, ended.stderr);
  assert.equal(ended.stdout, '');
  assert.match(ended.stderr, /^fairway: /);
  for (const word of words) assert.match(ended.stderr, word);
};

describe('the command line', function () {
  this.timeout(60_000);
  const folder = temporaryFolder();

  const cases: [string, string[], number, RegExp][] = [
    ['an unknown command', ['shedule'], 2, /unknown command 'shedule'\n.*schedule/],
    ['an unknown option', ['list', '--pipelin', 'x'], 2, /unknown option '--pipelin'\n.*--pipeline/],
    ['a missing argument', ['start'], 2, /missing required argument 'pipeline'/],
    ['an unknown format', ['list', '-o', 'xml'], 2, /table, json, yaml/],
    ['a limit that is no number', ['list', '--limit', 'many'], 2, /from 1 to 1000/],
    ['both --at and --now', ['schedule', '--at', '2030-01-01 10:00', '--now'], 2, /cannot be used with/],
    ['both --branch and --tag', ['start', 'x', '--branch', 'a', '--tag', 'b'], 2, /cannot be used with/],
    ['a schedule without a time', ['schedule', '7'], 2, /--at .* or --now/],
    [
      'a time in the past',
      ['schedule', '7', '--at', '2020-01-01 10:00', '--zone', 'UTC'],
      3,
      /in the past.*ago\n.*--now/,
    ],
    [
      'an unknown zone',
      ['schedule', '7', '--at', '2030-01-01 10:00', '--zone', 'Europe/Berln'],
      2,
      /did you mean .*Europe\/Berlin/,
    ],
    [
      'a time that the clocks leave out',
      ['schedule', '7', '--at', '2027-03-28 02:30', '--zone', 'Europe/Berlin'],
      2,
      /there is no 2027-03-28 02:30/,
    ],
    [
      'a time that comes twice',
      ['schedule', '7', '--at', '2027-10-31 02:30', '--zone', 'Europe/Berlin'],
      2,
      /comes twice.*\n.*offset.*\n.*\+02:00"\n.*\+01:00"/,
    ],
    ['a server that is down', ['list'], 5, /127\.0\.0\.1:1.*npm start/],
    ['an unknown profile', ['list', '--profile', 'nowhere'], 3, /nowhere/],
    ['a definition that is not there', ['apply', '-f', 'nowhere.yaml'], 4, /no file or folder nowhere\.yaml/],
    ['an unknown step', ['logs', '7', 'biuld'], 2, /did you mean build/],
  ];
  for (const [what, args, code, words] of cases)
    it(`${what}: exit code ${code}`, async () => refused(await fairway(args, { env: NOBODY }), code, words));

  it('every command has help with examples, and needs no server for it', async () => {
    const leaves = (command: Command): Command[] =>
      command.commands.length > 0 ? command.commands.flatMap(leaves) : [command];
    for (const command of leaves(wholeCommand())) {
      let help = '';
      command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
      assert.match(help, /Examples:\n +(source <\()?fairway /, command.name());
    }
    // The real command, as a process.
    const { code, stdout } = await startFairway(['--help'], { env: NOBODY }).ended;
    assert.equal(code, 0);
    assert.match(stdout, /Exit codes: 0 finished, 1 failed, 2 usage/);
  });

  it('help shows that of a command and of all, and no default of the program itself', async () => {
    const helps = await Promise.all(
      [
        ['help'],
        ['help', 'start'],
        ['help', 'variables'],
        ['api', '--help'],
        ['token', 'create', '--help'],
      ].map((args) => fairway(args, { env: NOBODY })),
    );
    const [all, start, variables, api, create] = helps.map(({ stdout }) => stdout);
    assert.ok(helps.every(({ code }) => code === 0));
    assert.match(all!, /Exit codes: 0 finished/);
    assert.match(start!, /Usage: fairway start \[options\] <pipeline>/);
    assert.match(variables!, /Commands:\n +list <pipeline>/);
    assert.doesNotMatch(variables!, /Look after it/);
    assert.match(api!, /default:\s+127\.0\.0\.1:8090\)/);
    assert.match(create!, /default: 12h\)/);
  });

  it('doctor says what is wrong without a server, and what to do', async () => {
    const { code, stdout } = await fairway(['doctor'], { env: NOBODY });
    assert.equal(code, 5);
    assert.match(stdout, /✗ server: no Temporal Service answers at 127\.0\.0\.1:1/);
    assert.match(stdout, /no storage is named.*\n +set FAIRWAY_STORAGE/);
    assert.match(stdout, /✓ git: git version/);
  });

  it('bash completes commands, sub-commands and options', async () => {
    const { stdout } = await fairway(['completion', 'bash'], { env: NOBODY });
    await writeFile(join(folder(), 'completion.bash'), stdout);
    const complete = async (...words: string[]) => {
      const script = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _fairway; echo "\${COMPREPLY[@]}"`;
      const args = ['-c', script, 'bash', join(folder(), 'completion.bash'), 'fairway', ...words];
      return (await run('bash', args)).stdout.trim().split(' ');
    };
    assert.deepEqual(await complete('sched'), ['schedule']);
    assert.deepEqual((await complete('cse', '')).slice(0, 2), ['start', 'refuse']);
    assert.ok((await complete('-o', 'json', 'schedule', '0000000007', '--')).includes('--zone'));
    assert.deepEqual(await complete('completion', 'z'), ['zsh']);
  });
});

describe('definition files', () => {
  const folder = temporaryFolder();
  const write = async (name: string, text: string) => {
    const path = join(folder(), name);
    await writeFile(path, text);
    return path;
  };
  const problems = async (path: string): Promise<string> => {
    try {
      await readDefinitions(path);
    } catch (error) {
      if (error instanceof FairwayError) return `${error.kind}: ${error.message}`;
      throw error;
    }
    return 'none';
  };

  it('of a folder are read together, and refused together', async () => {
    const inside = join(folder(), 'programs');
    await mkdir(inside);
    const file = (name: string, ...ids: string[]) =>
      writeFile(join(inside, name), JSON.stringify({ programs: ids.map((id) => ({ ...definition(), id })) }));
    await file('a.yaml', '1', '2');
    await file('b.json', '3');
    await writeFile(join(inside, 'README'), 'no definition');
    assert.deepEqual(
      (await readDefinitions(inside)).map(({ id }) => id),
      ['1', '2', '3'],
    );
    await file('c.yml', '1');
    await write('programs/d.yaml', 'programs: []');
    const said = await problems(inside);
    assert.match(said, /program 1 is defined in .*a\.yaml and in .*c\.yml/);
    assert.match(said, /d\.yaml has a problem.*\n.*line 1/);
    assert.match(await problems(join(folder(), 'nowhere')), /^notFound: .*nowhere/);
  });

  it('are refused whole by apply, every problem with its place, the value and the remedy', async () => {
    const path = await write(
      'bad.yaml',
      [
        'programs:',
        '  - id: 1001',
        '    name: ""',
        '    type: aem_managed_services',
        '    enviroments: []',
        '    environments:',
        "      - { id: '11', name: Stage, type: stage, author: [], publish: [], dispatchers: [] }",
        '    pipelines:',
        "      - { id: '2001', name: P, type: production, repository: { url: 'https://git.example.com/a.git' } }",
      ].join('\n'),
    );
    const ended = await fairway(['apply', '-f', path, '--yes'], { env: NOBODY });
    refused(
      ended,
      3,
      /nothing was changed/,
      /line 2:\d+, programs\.0\.id: .*'1001', in quotes \(it is 1001\)/,
      /line 3:\d+, programs\.0\.name: .*\(it is ""\)/,
      /enviroments.*did you mean environments/,
      /programs\.0\.environments\.0\.author: /,
      /programs\.0\.pipelines\.0\.repository: needs either a branch or a tag/,
    );
  });

  it('that would grow without end are refused at once', async () => {
    const levels = 'abcdefghij'.split('').map((name, index, all) => {
      const before = all[index - 1];
      return `${name}: &${name} [${before ? Array(10).fill(`*${before}`).join(',') : 'x'}]`;
    });
    const bomb = await write('bomb.yaml', levels.join('\n'));
    refused(await fairway(['apply', '-f', bomb, '--yes'], { env: NOBODY }), 3, /aliases stand for too much/);
  });
});

describe('the settings file', () => {
  const folder = temporaryFolder();

  it('is the one that is named, or the nearest; paths are relative to it', async () => {
    const place = join(folder(), '.fairway');
    await mkdir(join(folder(), 'deep', 'below'), { recursive: true });
    await mkdir(place);
    await writeFile(join(place, 'config.json'), '{"temporal": {"address": "host:1"}, "storage": "storage"}');
    const found = readSettings(undefined, {}, join(folder(), 'deep', 'below'));
    assert.equal(found.address, 'host:1');
    assert.equal(found.storage, join(place, 'storage'));
    await writeFile(join(folder(), 'other.json'), '{}');
    assert.equal(readSettings('other.json', {}, folder()).address, undefined);
    assert.equal(readSettings(undefined, { FAIRWAY_CONFIG: 'other.json' }, folder()).address, undefined);
  });

  it('that is not there or not understood is refused', async () => {
    const bad = async (text: string, words: RegExp) => {
      await writeFile(join(folder(), 'bad.json'), text);
      assert.throws(
        () => readSettings('bad.json', {}, folder()),
        (error: unknown) => error instanceof Problem && error.exit === 'usage' && words.test(error.message),
      );
    };
    await bad('{', /cannot be read/);
    await bad('[]', /not an object/);
    await bad('{"storrage": "x"}', /unknown field storrage/);
    await bad('{"storage": 7}', /something else than text for storage/);
    assert.throws(() => readSettings('nowhere.json', {}, folder()), /there is no settings file/);
  });
});

describe('a terminal', () => {
  it('gets colours, and nothing else does unless it is forced to', () => {
    const terminal = { isTTY: true };
    assert.equal(hasColours(terminal, {}), true);
    assert.equal(hasColours(terminal, { NO_COLOR: '1' }), false);
    assert.equal(hasColours(terminal, { TERM: 'dumb' }), false);
    assert.equal(hasColours({}, {}), false);
    assert.equal(hasColours({}, { FORCE_COLOR: '1' }), true);
    assert.equal(hasColours(terminal, { FORCE_COLOR: '0' }), false);
  });

  it('never gets more lines than it has, nor longer ones: they could not be replaced', () => {
    let written = '';
    const terminal = { columns: 10, rows: 4, write: (text: string) => (written += text) };
    const view = new LiveView(terminal as unknown as NodeJS.WriteStream);
    view.draw(['one', 'two', 'three', 'a line that is too long']);
    assert.equal(written, '\rtwo\x1b[K\nthree\x1b[K\na line th…\x1b[0m\x1b[K\n\x1b[J');
    written = '';
    view.draw(['done']);
    assert.equal(written, '\x1b[3A\rdone\x1b[K\n\x1b[J');
    assert.equal(cut('\x1b[31m1234567890\x1b[0m', 10), '\x1b[31m1234567890\x1b[0m');
    assert.equal(cut('\x1b[31m12345678901\x1b[0m', 10), '\x1b[31m123456789…\x1b[0m');
  });
});
