import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { prepare } from '../src/local/setup/prepare.ts';
import { Failure } from '../src/systems/failure.ts';
import type { Counts, Report } from './support/counting-reporter.ts';

/*
 * `npm test`: sets up what the tests need, then runs mocha with the arguments given (`npm test -- --grep dispatcher`).
 * `npm run test:real` runs those of `test/real` instead: on a real Apache Sling, and with processes killed. Files of
 * which tests failed beside the others are run once more, alone: `unsteady` is what passes then, and is to be mended.
 * The last lines are the tests that failed, and `N passed, N failed`.
 */

const project = resolve(import.meta.dirname, '..');
const needs = [
  'temporal',
  'temporalTestServer',
  'apache2',
  'apxs',
  'cc',
  'haproxy',
  'git',
  'maven',
  'javac',
  'podman',
  'runc',
  'buildah',
  'skopeo',
  'umoci',
  'kubectl',
  'visudo',
  'systemdAnalyze',
] as const;

async function main(args: readonly string[]): Promise<number> {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => interrupted.abort(signal));
  try {
    await prepare(needs, (line) => console.log(line), { signal: interrupted.signal });
  } catch (error) {
    if (interrupted.signal.aborted) return 130;
    console.error(error instanceof Failure ? [error.message, ...error.details].join('\n  ') : error);
    return 1;
  }
  const isReal = args[0] === 'real';
  const given = isReal ? args.slice(1) : args;
  const run = (some: readonly string[], show: Show = 'at once') => mocha(some, show, interrupted.signal);
  if (namesFiles(given)) return conclude([await run(given)]);
  const runs = await Promise.all(
    (isReal ? realGroups : groups).map((group, index) =>
      run([...given, ...group], index ? 'at its end' : 'at once'),
    ),
  );
  const again = interrupted.signal.aborted ? [] : filesToRepeat(runs);
  if (again.length === 0) return conclude(runs);
  console.log(`\nonce more, alone: ${again.join(' ')}\n`);
  return conclude(runs, await run([...given, ...again]));
}

const allOf = (...rooms: readonly string[]) => rooms.map((room) => `test/${room}/**/*.test.ts`);

/** Run beside each other: the tests of the apart rooms spend more than half their time waiting for other programs. */
const apart = [allOf('command', 'client', 'activities'), allOf('end-to-end')];
const without = (files: readonly string[]) => files.flatMap((file) => ['--ignore', file]);
type Groups = readonly (readonly string[])[];
const groups: Groups = [['test/**/*.test.ts', ...without([...apart.flat(), ...allOf('real')])], ...apart];

/** Those that share one Sling, which takes a minute to start; the kills, each of which waits to be noticed; those that wait for minutes; the others. */
const realApart = [['contract', 'site'], ['kills'], ['absent-agent', 'absent-workers', 'lost-workers']].map(
  (names) => names.map((name) => `test/real/${name}.test.ts`),
);
const realGroups: Groups = [[...allOf('real'), ...without(realApart.flat())], ...realApart];

/** Whether the tests to run are named; what follows `--ignore` is not. */
const namesFiles = (args: readonly string[]): boolean =>
  args.some((arg, index) => arg.startsWith('test/') && args[index - 1] !== '--ignore');

type Show = 'at once' | 'at its end';

interface Ended {
  readonly code: number;
  readonly report: Report;
}

/** More than a few files that failed are no accident of many tests beside each other. */
const MOST_REPEATED = 4;

/** The files of which tests failed, where that is all that went wrong; else none. */
function filesToRepeat(runs: readonly Ended[]): readonly string[] {
  const failed = runs.filter(({ code }) => code !== 0).map(({ report }) => report.failures);
  const files = [...new Set(failed.flat().map(({ file }) => file))];
  const areKnown = failed.every((some) => some.length > 0) && files.every((file) => file !== undefined);
  return areKnown && files.length <= MOST_REPEATED ? files.map((file) => relative(project, file)) : [];
}

function conclude(runs: readonly Ended[], repeated?: Ended): number {
  const sum = (what: keyof Counts) => runs.reduce((total, { report }) => total + report[what], 0);
  const failures = runs.flatMap(({ report }) => report.failures);
  const last = repeated ? repeated.report.failures : failures;
  if (repeated) for (const { what } of failures) console.log(`unsteady: ${what}`);
  for (const { what } of last) console.log(`failed: ${what}`);
  const mended = repeated ? sum('failed') - repeated.report.failed : 0;
  const [passed, failed, skipped] = [sum('passed') + mended, sum('failed') - mended, sum('skipped')];
  console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`);
  return repeated ? repeated.code : (runs.find(({ code }) => code !== 0)?.code ?? 0);
}

const unfinished: Report = {
  passed: 0,
  failed: 1,
  skipped: 0,
  failures: [{ file: undefined, what: 'the tests beside each other did not all run to their end' }],
};

/** What a test has left open keeps its process alive: a failure, and no reason to wait without an end. */
const END_WITHIN_MS = 60_000;

/** Runs mocha in a process of its own. Of several at a time all but one are shown at their end, so that they do not mix. */
function mocha(args: readonly string[], show: Show, signal: AbortSignal): Promise<Ended> {
  const cli = join(project, 'node_modules/mocha/lib/cli/cli.js');
  const reporter = join(project, 'test/support/counting-reporter.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', cli, '--reporter', reporter, ...args], {
    cwd: project,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const output: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (data: Buffer) =>
      show === 'at once' ? process.stdout.write(data) : output.push(data),
    );
  let report: Report | undefined;
  let ending: NodeJS.Timeout | undefined;
  child.on('message', (message) => {
    report = message as Report;
    ending = setTimeout(() => {
      output.push(Buffer.from('The tests have ended, their process has not: something was left open.\n'));
      child.kill('SIGKILL');
    }, END_WITHIN_MS);
  });
  signal.addEventListener('abort', () => child.kill(signal.reason as NodeJS.Signals), { once: true });
  return new Promise((done) => {
    child.on('close', (code, endedBy) => {
      clearTimeout(ending);
      process.stdout.write(Buffer.concat(output));
      const bad = endedBy ? 128 + constants.signals[endedBy] : report ? (code ?? 1) : code || 1;
      done({ code: bad, report: report ?? unfinished });
    });
  });
}

process.exitCode = await main(process.argv.slice(2));
