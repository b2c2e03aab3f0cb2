import { DefaultLogger, type LogLevel, type WorkerOptions } from '@temporalio/worker';
import { READY } from './ready.ts';
import { runWorkers } from './run-workers.ts';
import { readSettings } from './settings.ts';

/** Runs the workers of a settings file in this process until SIGTERM or SIGINT, for the local platform. */
export async function runProcess(
  settingsFile: string,
  options: {
    readonly logLevel: LogLevel;
    /** Has the last word on the options of each worker. */
    readonly adjust?: (options: WorkerOptions) => WorkerOptions;
  },
): Promise<void> {
  await runWorkers(await readSettings(settingsFile), {
    logger: new DefaultLogger(options.logLevel),
    adjust: options.adjust,
    ready: () => console.log(READY),
  });
}
