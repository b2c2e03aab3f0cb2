import { Runtime, type Logger, type WorkerOptions } from '@temporalio/worker';
import { freePorts } from '../systems/free-ports.ts';
import { flushTraces } from '../systems/tracing/tracing.ts';
import { createWorkers } from './create-workers.ts';
import { serveHealth, type Health } from './health.ts';
import type { WorkerSettings } from './settings.ts';

export interface RunOptions {
  readonly logger: Logger;
  /** Where `/livez`, `/readyz` and `/metrics` are served; nowhere when absent. */
  readonly listen?: { readonly host: string; readonly port: number };
  /** Has the last word on the options of each worker. */
  readonly adjust?: (options: WorkerOptions) => WorkerOptions;
  /** Called once it takes tasks, with where it serves its health. */
  readonly ready: (health?: string) => void;
}

/**
 * The workers of this process, until SIGTERM or SIGINT: then no more tasks are taken, and activities have
 * `shutdownGraceSeconds` to come to an end; what is cancelled after them is taken up by another worker.
 * @throws Failure `Unavailable` without storage or Temporal, `Conflict` for the second agent of a node
 */
export async function runWorkers(settings: WorkerSettings, options: RunOptions): Promise<void> {
  const { logger, listen } = options;
  const [port = 0] = listen ? await freePorts(1) : [];
  const bindAddress = `127.0.0.1:${port}`;
  const runtime = Runtime.install({
    logger,
    shutdownSignals: [],
    telemetryOptions: {
      logging: { forward: {}, filter: { core: 'WARN', other: 'WARN' } },
      ...(listen
        ? { metrics: { prometheus: { bindAddress, unitSuffix: true, useSecondsForDurations: true } } }
        : {}),
    },
  });
  try {
    await takeTasks(settings, options, `http://${bindAddress}/metrics`);
  } finally {
    await flushTraces();
    // One that never came to connect anything would keep the process alive.
    await runtime.shutdown();
  }
}

async function takeTasks(settings: WorkerSettings, options: RunOptions, sdkMetrics: string): Promise<void> {
  const { logger, listen, ready } = options;
  const workers = await createWorkers(settings, (line) => void logger.warn(line), options.adjust);
  const shutdown = () => {
    logger.info('ending: no more tasks are taken; activities under way come to their end or are handed over');
    workers.shutdown();
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  let health: Health | undefined;
  try {
    health = listen && (await serveHealth(listen, workers, sdkMetrics));
    for (const signal of signals) process.on(signal, shutdown);
    const running = workers.run();
    ready(health?.url);
    await running;
  } finally {
    for (const signal of signals) process.off(signal, shutdown);
    await health?.close();
    await workers.close();
  }
}
