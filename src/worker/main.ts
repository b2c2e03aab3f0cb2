import { Failure, messageOf } from '../systems/failure.ts';
import { runProcess } from './run-process.ts';

/** `main.ts SETTINGS.json`: one worker process, until SIGTERM or SIGINT. */
async function main([file]: readonly string[]): Promise<void> {
  if (!file) throw new Failure('InvalidInput', 'name the settings file: main.ts SETTINGS.json');
  await runProcess(file, { logLevel: 'WARN' });
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Failure ? [error.message, ...error.details].join('\n  ') : messageOf(error));
  process.exitCode = 1;
});
