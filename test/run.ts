import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import { prepare } from '../src/local/setup/prepare.ts';
import { Failure } from '../src/systems/failure.ts';
import type { Counts } from './support/counting-reporter.ts';

/*
 * `npm test`: sets up what the tests need, then runs mocha with the arguments given (`npm test -- --grep dispatcher`).
 * The last line is `N passed, N failed`.
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
  if (args.some((arg) => arg.startsWith('test/')))
    return conclude([await mocha(args, 'at once', interrupted.signal)]);
  // Half the time of the end-to-end tests is waiting for other programs: the others run beside them.
  const endToEnd = 'test/end-to-end/**/*.test.ts';
  return conclude(
    await Promise.all([
      mocha([...args, '--ignore', endToEnd, 'test/**/*.test.ts'], 'at once', interrupted.signal),
      mocha([...args, endToEnd], 'at its end', interrupted.signal),
    ]),
  );
}

interface Ended {
  readonly code: number;
  readonly counts: Counts;
}

function conclude(runs: readonly Ended[]): number {
  const sum = (what: keyof Counts) => runs.reduce((total, { counts }) => total + counts[what], 0);
  const [passed, failed, skipped] = [sum('passed'), sum('failed'), sum('skipped')];
  console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`);
  return runs.find(({ code }) => code !== 0)?.code ?? 0;
}

/** Runs mocha in a process of its own. Of two at a time one is shown at its end, so that they do not mix. */
function mocha(args: readonly string[], show: 'at once' | 'at its end', signal: AbortSignal): Promise<Ended> {
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
  let counts: Counts | undefined;
  child.on('message', (message) => (counts = message as Counts));
  signal.addEventListener('abort', () => child.kill(signal.reason as NodeJS.Signals), { once: true });
  return new Promise((done) => {
    child.on('close', (code, endedBy) => {
      process.stdout.write(Buffer.concat(output));
      if (!counts) console.log('these tests did not run to their end');
      const bad = endedBy ? 128 + constants.signals[endedBy] : counts ? (code ?? 1) : code || 1;
      done({ code: bad, counts: counts ?? { passed: 0, failed: 1, skipped: 0 } });
    });
  });
}

process.exitCode = await main(process.argv.slice(2));
