import { DefaultLogger, Runtime } from '@temporalio/worker';
import { Failure, messageOf } from '../systems/failure.ts';
import { createWorkers } from './create-workers.ts';
import { readSettings } from './settings.ts';

/** What the process says on standard output once it takes tasks. */
const READY = 'fairway worker: ready';

/** `main.ts SETTINGS.json`: one worker process, until SIGTERM or SIGINT. */
async function main([file]: readonly string[]): Promise<void> {
  if (!file) throw new Failure('InvalidInput', 'name the settings file: main.ts SETTINGS.json');
  const settings = await readSettings(file);
  Runtime.install({ logger: new DefaultLogger('WARN'), shutdownSignals: [] });
  const workers = await createWorkers(settings, (line) => console.log(line));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => workers.shutdown());
  const running = workers.run();
  console.log(READY);
  try {
    await running;
  } finally {
    await workers.close();
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Failure ? [error.message, ...error.details].join('\n  ') : messageOf(error));
  process.exitCode = 1;
});
