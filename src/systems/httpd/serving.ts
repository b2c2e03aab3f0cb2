import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { request } from 'undici';
import { Failure, messageOf } from '../failure.ts';
import { pause } from '../pause.ts';
import { linesOf, runCommand, summary } from './config-test.ts';
import type { HttpdSettings, Log } from './settings.ts';

const GOOD_ANSWERS = 3;
const INTERVAL_MS = 50;
const LIMIT_MS = 60_000;
const ANSWER_MS = 5_000;
const START_MS = 10_000;

/** Whether anything listens where the baseline page is served. */
export function listens(settings: HttpdSettings): Promise<boolean> {
  const { hostname, port, protocol } = new URL(settings.baseline.url);
  return new Promise((resolve) => {
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port) || (protocol === 'https:' ? 443 : 80),
      timeout: ANSWER_MS,
    });
    const end = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
}

/** Waits some seconds for whatever supervises httpd to start it. */
export async function awaitListener(settings: HttpdSettings, signal?: AbortSignal): Promise<boolean> {
  const end = Date.now() + START_MS;
  while (!(await listens(settings))) {
    if (Date.now() > end) return false;
    await pause(INTERVAL_MS, signal);
  }
  return true;
}

/** One request for the baseline page, on a connection of its own. */
export async function askBaseline(
  settings: HttpdSettings,
  signal?: AbortSignal,
): Promise<{ good: boolean; answer: string }> {
  const { url, host, path } = settings.baseline;
  const limit = AbortSignal.timeout(ANSWER_MS);
  try {
    const { statusCode, body } = await request(new URL(path, url), {
      headers: host ? { host } : {},
      reset: true, // a kept connection would ask the old generation
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    await body.dump();
    return { good: statusCode >= 200 && statusCode < 400, answer: `HTTP ${statusCode}` };
  } catch (error) {
    signal?.throwIfAborted();
    return {
      good: false,
      answer: limit.aborted ? `no answer within ${ANSWER_MS / 1000} s` : messageOf(error),
    };
  }
}

/**
 * Asks httpd to reload gracefully and waits until it serves the configuration that is on disk: a process younger than
 * the request (where the PidFile can be read), then several good answers in a row. The config test must have passed.
 * @throws Failure `Unavailable` when httpd does not run (it is never started here: that is its supervisor's work),
 *   `Rejected` with Apache's lines when the reload is refused, `NotReady` after a minute without good answers.
 */
export async function reload(settings: HttpdSettings, log: Log, signal?: AbortSignal): Promise<void> {
  const { baseline } = settings;
  if (!(await listens(settings)))
    throw new Failure(
      'Unavailable',
      `httpd is not running: nothing listens at ${baseline.url}. Start it; it takes the configuration on disk`,
    );
  const before = await workers(settings);
  const finished = await runCommand(settings, settings.graceful, settings.serverRoot, signal);
  const lines = linesOf(finished);
  if (finished.code !== 0)
    throw new Failure('Rejected', `httpd refuses to reload: ${summary(lines)}`, { details: lines });
  for (const line of lines) await log(`reload: ${line}`);

  const end = Date.now() + LIMIT_MS;
  let answer = `below the process of PidFile ${pidFile(settings)} no new one appeared`;
  let renewed = before === undefined;
  for (let good = 0; good < GOOD_ANSWERS;) {
    if (Date.now() > end)
      throw new Failure(
        'NotReady',
        `httpd does not serve ${baseline.path} at ${baseline.url} ${LIMIT_MS / 1000} s after the reload: ${answer}`,
      );
    await pause(INTERVAL_MS, signal);
    renewed ||= [...((await workers(settings)) ?? [])].some((worker) => !before?.has(worker));
    if (!renewed) continue;
    const asked = await askBaseline(settings, signal);
    answer = asked.answer;
    good = asked.good ? good + 1 : 0;
  }
  await log(`httpd serves ${baseline.path} under the configuration on disk (${answer})`);
}

const pidFile = (settings: HttpdSettings): string =>
  join(settings.serverRoot, settings.pidFile ?? 'run/httpd.pid');

/**
 * The living children of httpd's parent process, each with the time it started: a graceful reload replaces them, and
 * the first new one shows that the parent has read its configuration again. Undefined where that cannot be seen.
 */
async function workers(settings: HttpdSettings): Promise<Set<string> | undefined> {
  try {
    const parent = Number.parseInt(await readFile(pidFile(settings), 'utf8'), 10);
    const children = await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8');
    const found = new Set<string>();
    for (const child of children.split(' ').filter(Boolean)) {
      const stat = await readFile(`/proc/${child}/stat`, 'utf8').catch(() => '');
      // After the name in parentheses: state is the 1st field, start time the 20th (proc(5)).
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (fields[0] !== 'Z' && fields[19]) found.add(`${child}@${fields[19]}`);
    }
    return found;
  } catch {
    return undefined;
  }
}
