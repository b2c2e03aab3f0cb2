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
  const named = args.some((arg) => arg.startsWith('test/'));
  return mocha(named ? args : [...args, 'test/**/*.test.ts'], interrupted.signal);
}

function mocha(args: readonly string[], signal: AbortSignal): Promise<number> {
  const cli = join(project, 'node_modules/mocha/lib/cli/cli.js');
  const reporter = join(project, 'test/support/counting-reporter.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', cli, '--reporter', reporter, ...args], {
    cwd: project,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  let counts: Counts | undefined;
  child.on('message', (message) => (counts = message as Counts));
  signal.addEventListener('abort', () => child.kill(signal.reason as NodeJS.Signals), { once: true });
  return new Promise((done) => {
    child.on('exit', (code, endedBy) => {
      console.log(counts ? summary(counts) : 'the tests did not run to their end');
      done(endedBy ? 128 + constants.signals[endedBy] : counts ? (code ?? 1) : code || 1);
    });
  });
}

const summary = ({ passed, failed, skipped }: Counts): string =>
  `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`;

process.exitCode = await main(process.argv.slice(2));
