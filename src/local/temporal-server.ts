import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { setUpTemporal } from '../client/setup.ts';
import { searchAttributes } from '../model/search-attributes.ts';
import { Failure } from '../systems/failure.ts';
import { startChild, type Child } from './child.ts';
import { freePorts } from './ports.ts';

export interface TemporalServer {
  /** `host:port` for clients and workers. */
  readonly address: string;
  /** The Web UI. */
  readonly uiUrl: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** What a dev server is told besides: its defaults are for trying things out. */
export const serverSettings = [
  // It would dispatch 20 tasks a second per execution: 50 ms for each step.
  'history.transferProcessorMaxPollRPS=2000',
  // It would admit ten updates of one workflow at a time: a burst of starts would wait in turns for many seconds.
  'history.maxInFlightUpdates=1000',
] as const;

/**
 * How its database commits: to a log that is written ahead, not waiting for the disk, which takes a quarter of a step's
 * time. Nothing is lost when the server dies; a power failure may take the last moments with it, whose activities then
 * run again.
 */
export const databaseSettings = ['journal_mode=wal', 'synchronous=normal'] as const;

/** Its heap is small: collecting garbage a quarter as often saves a tenth of its time, for some 300 MiB. */
const GARBAGE_PERCENT = '400';

const HOST = '127.0.0.1';
/** How long closed runs stay; the dev server would drop them after one day. */
const RETENTION_DAYS = 30;
const READY_WITHIN_MS = 60_000;
const READY_POLL_MS = 100;

/**
 * Temporal's dev server with its Web UI, on loopback, with its state in `<folder>/temporal.db` and its log in
 * `<folder>/temporal.log`. Returns when the namespace `default` is there with our retention and search attributes.
 * @throws Failure `NotReady` with the end of the log
 */
export async function startTemporal(options: {
  readonly folder: string;
  /** Path of the Temporal CLI. */
  readonly executable: string;
  readonly port?: number;
  readonly uiPort?: number;
  /** Whom the Web UI asks to decrypt. */
  readonly codecUrl?: string;
}): Promise<TemporalServer> {
  await mkdir(options.folder, { recursive: true });
  const [free, freeUi] = await freePorts(2);
  const address = `${HOST}:${options.port ?? free}`;
  const uiPort = options.uiPort ?? freeUi;
  const logFile = join(options.folder, 'temporal.log');
  const child = startChild(
    options.executable,
    [
      ...['server', 'start-dev', '--ip', HOST, '--port', String(options.port ?? free)],
      ...['--ui-port', String(uiPort), '--db-filename', join(options.folder, 'temporal.db')],
      ...databaseSettings.flatMap((setting) => ['--sqlite-pragma', setting]),
      ...serverSettings.flatMap((setting) => ['--dynamic-config-value', setting]),
      ...Object.entries(searchAttributes).flatMap((pair) => ['--search-attribute', pair.join('=')]),
      ...(options.codecUrl === undefined ? [] : ['--ui-codec-endpoint', options.codecUrl]),
      ...['--log-level', 'warn'],
    ],
    { logFile, env: { GOGC: GARBAGE_PERCENT, ...process.env } },
  );
  try {
    await ready(address, child);
  } catch (error) {
    await child.stop();
    const log = await readFile(logFile, 'utf8').catch(() => '');
    throw new Failure(
      'NotReady',
      `the Temporal dev server did not start on ${address}; its log is ${logFile}`,
      {
        cause: error,
        details: log.trimEnd().split('\n').slice(-5),
      },
    );
  }
  return { address, uiUrl: `http://${HOST}:${uiPort}`, pid: child.pid, stop: () => child.stop() };
}

async function ready(address: string, child: Child): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    if (child.end() !== undefined) throw new Error(`it ended with ${child.end()}`);
    try {
      return await setUp(address);
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await Promise.race([pause(READY_POLL_MS), child.ended]);
  }
}

async function setUp(address: string): Promise<void> {
  const connection = Connection.lazy({ address, connectTimeout: 1_000 }); // `connect` would not close one that failed
  try {
    await connection.ensureConnected();
    await setUpTemporal(new Client({ connection }), RETENTION_DAYS);
  } finally {
    await connection.close();
  }
}
