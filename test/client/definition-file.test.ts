import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { parseDefinitionFile } from '../../src/client/definition-file.ts';
import { FairwayError } from '../../src/client/fairway-error.ts';
import { definitionJsonSchema, fieldNames } from '../../src/client/json-schema.ts';
import { pipelinesPage } from '../../src/client/pipelines-page.ts';
import { referencePage } from '../../src/client/reference-page.ts';

const project = new URL('../../', import.meta.url);
const read = (path: string) => readFile(new URL(path, project), 'utf8');

/** What is wrong with a file, as people are told it. */
function told(text: string): string[] {
  try {
    parseDefinitionFile(text, 'test.yaml');
  } catch (error) {
    assert.ok(error instanceof FairwayError && error.kind === 'refused', String(error));
    assert.equal(error.problems.length, error.message.split('\n').length - 1);
    return error.message.split('\n').map((line) => line.trim());
  }
  return [];
}

describe('fairway.yaml', () => {
  let example = '';
  before(async () => {
    example = await read('examples/fairway.yaml');
  });

  it('of the examples defines a program with every kind of pipeline', () => {
    const [program, ...others] = parseDefinitionFile(example, 'examples/fairway.yaml');
    assert.equal(others.length, 0);
    assert.deepEqual(
      program?.pipelines.map(({ type }) => type),
      ['production', 'deployment', 'codeQuality'],
    );
    assert.deepEqual(
      program?.environments.map(({ type }) => type),
      ['dev', 'stage', 'prod'],
    );
  });

  it('says every mistake at once, with place, value and remedy', () => {
    const bad = example
      .replace("id: '2001'", 'id: 2001')
      .replace('cse: ANY_CSE', 'cse: SOMEBODY')
      .replace("productionEnvironment: '12'", "productionEnvironment: '99'")
      .replace('approval: true #', 'aproval: true #')
      .replace('approval: 2', 'approval: 91');
    const [summary, ...problems] = told(bad);
    assert.equal(summary, 'test.yaml has 4 problems; nothing was changed');
    const lineOf = (piece: string) => bad.split('\n').findIndex((line) => line.includes(piece)) + 1;
    const expected = [
      [
        lineOf('id: 2001'),
        /programs\.0\.pipelines\.0\.id: must be text: write '2001', in quotes \(it is 2001\)/,
      ],
      [lineOf('SOMEBODY'), /pipelines\.0\.cse: .*ANY_CSE.*MY_CSE.* \(it is "SOMEBODY"\)/],
      [lineOf('id: 2001'), /pipelines\.0: unknown field aproval; did you mean approval\?/],
      [lineOf('approval: 91'), /timeouts\.approval: .*90.* \(it is 91\)/],
    ] as const;
    assert.equal(problems.length, expected.length, problems.join('\n'));
    for (const [line, text] of expected) {
      const found = problems.find((problem) => text.test(problem));
      assert.ok(found?.startsWith(`line ${line}:`), `${text} at line ${line}: ${problems.join('\n')}`);
    }
  });

  it('says where something dangles, and what there is', () => {
    const [, problem] = told(example.replace("productionEnvironment: '12'", "productionEnvironment: '99'"));
    assert.match(
      problem ?? '',
      /^line \d+:\d+, programs\.0\.pipelines\.0\.productionEnvironment: there is no environment 99; of type prod there are: 12 \(Production\) \(it is "99"\)$/,
    );
  });

  it('names the option that a kind of pipeline does not have', () => {
    const [, problem] = told(example.replace('type: codeQuality', 'type: codeQuality\n        cse: ANY_CSE'));
    assert.match(problem ?? '', /unknown field cse; .*belongs elsewhere/);
  });

  it('says where skipping the load balancer is allowed, when it is asked for production', () => {
    const [, problem] = told(
      example.replace('name: Production\n        type: prod', '$&\n        skipDetachingDispatchers: true'),
    );
    assert.match(problem ?? '', /skipDetachingDispatchers is not for this: .* in the stage environment/);
  });

  const bomb = [
    'a: &a [x, x, x, x, x, x, x, x, x, x]',
    ...['b', 'c', 'd', 'e', 'f', 'g', 'h'].map(
      (name, index) => `${name}: &${name} [${Array(10).fill(`*${'abcdefg'[index]}`).join(', ')}]`,
    ),
  ].join('\n');
  const hostile: [string, string, RegExp][] = [
    ['aliases that stand for millions of nodes', bomb, /aliases stand for too much/],
    ['something that is a part of itself', 'programs: &a [{ id: *a }]', /a part of/],
    ['an alias of nothing', 'programs: *nothing', /nothing/],
    ['a field twice', 'programs: []\nprograms: []', /^line 2:1, definition: |^line 2:1: .*unique/],
    ['text that is no YAML', 'programs: [', /^line 1/],
    ['more than a file may hold', `# ${'x'.repeat(1024 * 1024)}\nprograms: []`, /larger than 1024 KiB/],
    ['several documents', 'programs: []\n---\nprograms: []', /multiple documents/i],
    ['nothing', '', /must be a object|is missing|expected/i],
    ['no programs', 'programs: []', /a file defines a program at least/],
    ['a program as the file', "id: '1'\nname: x", /programs/],
  ];
  for (const [what, text, reason] of hostile)
    it(`with ${what} is refused`, () => {
      const problems = told(text).slice(1);
      assert.ok(
        problems.some((problem) => reason.test(problem)),
        problems.join('\n') || 'it was accepted',
      );
    });

  it('with the same program twice is refused', () => {
    const twice = example + example.slice(example.indexOf("  - id: '1001'"));
    assert.match(told(twice).join('\n'), /programs\.1\.id: program 1001 is defined twice/);
  });
});

describe('the schema of fairway.yaml', () => {
  it('says of every field what it means', () => {
    const page = referencePage();
    const empty = page
      .split('\n')
      .filter((line) => /^\| \**`[^`]+`\** \|/.test(line) && /\|\s*\|$/.test(line));
    // KPIs are explained where the gates are.
    assert.deepEqual(
      empty.filter((line) => !/`(severity|expected|[a-z]+_[a-z_]+|coverage)`/.test(line)),
      [],
    );
  });

  it('is a JSON Schema that knows the fields', () => {
    assert.match(String(definitionJsonSchema()['$schema']), /json-schema\.org/);
    for (const name of ['skipDetachingDispatchers', 'devEnvironment', 'tag', 'socket'])
      assert.ok(fieldNames().includes(name), name);
  });

  it('is what the reference pages show: npm run reference writes them anew', async () => {
    assert.equal(await read('docs/reference-fairway-yaml.md'), referencePage());
    assert.equal(await read('docs/reference-pipelines.md'), pipelinesPage());
  });
});
